"""The user's SQL runs over the extract and reaches nothing else."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.key import KeyIndex, key_text
from airflow_provider_payrecords.extract.sqltype import Type
from airflow_provider_payrecords.extract.staging import Staging
from tests.extract.sample import CANARY, HEADER, csv_text, keys, line, mapping, only_problems, read, write

HOSTILE = [
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT content FROM read_blob('{secret}')",
    "FROM '{secret}'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM parquet_metadata('{secret}')",
    "SELECT * FROM read_csv('https://example.com/x.csv')",
    "SELECT * FROM read_csv('/dev/stdin')",
    "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
    "WITH q AS (DELETE FROM staged RETURNING *) SELECT * FROM q",
    "WITH q AS (INSERT INTO staged SELECT * FROM staged RETURNING *) SELECT * FROM q",
    "COPY extract TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "EXPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/out.db' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '64GB'",
    "PRAGMA enable_external_access = true",
    "CALL pragma_version()",
    "DROP TABLE staged",
    "CREATE TABLE x AS SELECT 1",
    "UPDATE staged SET id = 'x'",
    "SELECT 1; SELECT 2",
    "SELECT * FROM extract; COPY extract TO '{folder}/out.csv'",
    "SELECT * FROM extract) TO '{folder}/out.csv' --",
    "SELECT * FROM extract); DROP TABLE staged; SELECT (1",
    "SELECT * FROM local_variable",
    "SELECT",
    "",
]


@pytest.fixture
def extract(tmp_path):
    write(tmp_path / "secret.csv", f"a\n{CANARY}\n")
    return write(tmp_path / "a.csv", csv_text(line(1), line(2, status="Refused")))


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_sql_is_refused_and_leaves_nothing(extract, tmp_path, sql):
    local_variable = [1]
    assert local_variable
    before = sorted(tmp_path.iterdir())
    with pytest.raises(MappingError) as caught:
        read(extract, mapping(sql=sql.format(secret=tmp_path / "secret.csv", folder=tmp_path)))
    assert "The mapping's sql" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "condition",
    [
        "true) UNION SELECT * FROM staged WHERE (true",
        "true; DROP TABLE staged",
        "EXISTS (SELECT 1 FROM read_csv('{secret}'))",
        "status = 'Settled' /*",
        "nosuch = 1",
        "",
    ],
)
def test_a_condition_is_one_expression_over_the_extract(extract, tmp_path, condition):
    with pytest.raises(MappingError, match="The mapping's where"):
        read(extract, mapping(where=condition.format(secret=tmp_path / "secret.csv")))


def test_a_condition_may_look_at_the_whole_extract(extract):
    rows = read(extract, mapping(where="id = (SELECT max(id) FROM extract)"))
    assert [(row.number, row.key) for row in rows] == [(2, "psp_2")]


def test_sql_may_be_any_one_select(extract):
    for sql in (
        "FROM extract",
        "WITH q AS (SELECT * FROM extract) SELECT * FROM q; -- the end",
        "(SELECT * FROM extract) UNION ALL (SELECT * REPLACE (id || '-' AS id) FROM extract)",
        "SELECT *, ';' AS semicolon FROM extract",
    ):
        assert read(extract, mapping(sql=sql))


def test_a_value_that_does_not_fit_is_not_shown(extract):
    for how in ({"sql": "SELECT *, payer::INT FROM extract"}, {"where": "payer::INT > 0"}):
        with pytest.raises(MappingError, match="Use TRY_CAST") as caught:
            read(extract, mapping(**how))
        assert CANARY not in str(caught.value)


def test_errors_name_what_the_person_wrote(extract):
    with pytest.raises(MappingError, match='Referenced column "nosuch" not found'):
        read(extract, mapping(sql="SELECT nosuch FROM extract"))


def test_no_extension_is_ever_fetched():
    staging = Staging()
    try:
        settings = dict(
            staging.database.execute(
                "SELECT name, value FROM duckdb_settings() WHERE name IN "
                "('autoinstall_known_extensions', 'autoload_known_extensions', 'python_enable_replacements')"
            ).fetchall()
        )
        assert set(settings.values()) == {"false"}
        assert len(settings) == 3
        loaded = {
            row[0]
            for row in staging.database.execute(
                "SELECT extension_name FROM duckdb_extensions() WHERE loaded"
            ).fetchall()
        }
        assert {"json", "parquet"} <= loaded
    finally:
        staging.close()


def test_the_folder_is_private_and_goes_away():
    staging = Staging()
    home = staging.folder.parent
    assert home.stat().st_mode & 0o077 == 0
    staging.close()
    assert not home.exists()


WRITTEN = {"VARCHAR": ["a", "A", "a ", "1", "01", "", "a|b", "é", None], "BIGINT": ["1", "-1", "0", None]}


@given(
    types=st.lists(st.sampled_from(sorted(WRITTEN)), min_size=1, max_size=2),
    data=st.data(),
)
def test_rows_that_are_said_to_differ_have_different_keys(types, data):
    names = [f"c{place}" for place in range(len(types))]
    row = st.tuples(*(st.sampled_from(WRITTEN[one]) for one in types))
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    with closing(Staging()) as staging:
        values = ", ".join(str(one).replace("None", "NULL") for one in rows).replace(",)", ")")
        columns = ", ".join(f"CAST({name} AS {one}) AS {name}" for name, one in zip(names, types, strict=True))
        staging.load(f"(SELECT {columns} FROM (VALUES {values}) AS given({', '.join(names)}))", names)
        found = staging.types()
        fetched = [cells for batch in staging.rows(found, names, 10) for _, cells in batch]
        keys = [key_text(cells) for cells in fetched if all(cells) and not any(str(one).endswith(" ") for one in cells)]
        if staging.differ(found, names):
            assert len(set(keys)) == len(keys)
        else:
            assert len(set(fetched)) < len(fetched)


def test_values_of_other_types_with_the_same_text_are_the_same_key(tmp_path):
    union = (
        "SELECT * REPLACE (CASE status WHEN 'Settled' THEN union_value(a := 1)::UNION(a INTEGER, b VARCHAR) "
        "ELSE union_value(b := '1')::UNION(a INTEGER, b VARCHAR) END AS id) FROM extract"
    )
    path = write(tmp_path / "a.csv", csv_text(line(1), line(2, status="Refused")))
    assert only_problems(read(path, mapping(sql=union))) == [(2, "key", "duplicate_key")]


@pytest.mark.parametrize("sql", ["DECIMAL(9, 2)", "DOUBLE", "TIMESTAMP_NS", "STRUCT(a INTEGER)", "JSON"])
def test_columns_that_are_no_plain_text_are_not_known_to_differ(sql):
    assert Staging.differ(None, {"a": Type(sql), "b": Type("VARCHAR")}, ("b", "a")) is False
    assert Staging.differ(None, {}, ()) is False


def test_a_key_is_looked_up_only_in_an_extract_that_repeats_one(tmp_path, monkeypatch):
    asked = []
    repeated = KeyIndex.repeated
    monkeypatch.setattr(KeyIndex, "repeated", lambda self, rows: asked.append(len(rows)) or repeated(self, rows))
    assert len(keys(read(write(tmp_path / "a.csv", csv_text(line(1), line(2)))))) == 2
    assert asked == []
    rows = read(write(tmp_path / "b.csv", csv_text(line(1), line(2), line(1))))
    assert asked == [3]
    assert only_problems(rows) == [(3, "key", "duplicate_key")]


def test_a_key_inside_a_column_or_made_of_several_is_found_again(tmp_path):
    cells = dict(zip(HEADER.split(","), line(1).split(","), strict=True))
    rows = [json.dumps({**cells, "ids": {"ours": "a"}, "leg": leg}) for leg in (1, 2, 1)]
    path = write(tmp_path / "a.jsonl", "\n".join(rows))
    again = [(2, "key", "duplicate_key"), (3, "key", "duplicate_key")]
    assert only_problems(read(path, mapping(key="ids.ours"))) == again
    assert only_problems(read(path, mapping(key=["id", "leg"]))) == again[1:]
