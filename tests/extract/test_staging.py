"""The user's SQL runs over the extract and reaches nothing else."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.staging import Staging
from tests.extract.sample import CANARY, csv_text, line, mapping, read, write

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
