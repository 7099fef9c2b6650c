"""Files: every format gives the same rows, streamed in file order."""

from __future__ import annotations

import gzip
import json

import pytest

from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from tests.extract.sample import (
    FIELDS,
    HEADER,
    csv_text,
    keys,
    line,
    mapping,
    only_problems,
    params,
    parquet,
    read,
    write,
    zstd,
)

GOOD = csv_text(line(1), line(2))
JSON_ROWS = [dict(zip(HEADER.split(","), line(number).split(","), strict=True)) for number in (1, 2)]


def test_csv_is_read_in_file_order_with_row_numbers_from_one(tmp_path):
    rows = read(write(tmp_path / "a.csv", csv_text(*(line(number) for number in range(1, 2501)))), size=1000)
    assert [row.number for row in rows] == list(range(1, 2501))
    assert keys(rows) == [f"psp_{number}" for number in range(1, 2501)]


def test_an_open_extract_tells_its_columns_its_count_and_its_batches(tmp_path):
    path = write(tmp_path / "a.csv", csv_text(*(line(number) for number in range(5))))
    with make_extract(path).open(mapping()) as opened:
        assert opened.columns == tuple(HEADER.split(","))
        assert opened.total_rows == 5
        assert [len(batch) for batch in opened.batches(2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", GOOD.encode()),
        ("bom.csv", b"\xef\xbb\xbf" + GOOD.encode()),
        ("crlf.csv", GOOD.replace("\n", "\r\n").encode()),
        ("semi.csv", GOOD.replace(",", ";").encode()),
        ("tab.tsv", GOOD.replace(",", "\t").encode()),
        ("pipe.txt", GOOD.replace(",", "|").encode()),
        ("a.csv.gz", gzip.compress(GOOD.encode())),
        ("two_members.csv.gz", gzip.compress(GOOD.encode()[:100]) + gzip.compress(GOOD.encode()[100:])),
        ("named_plainly.csv", gzip.compress(GOOD.encode())),
        ("no_end.csv", GOOD.rstrip("\n").encode()),
        ("blank_lines.csv", GOOD.replace("\n", "\n\n").encode()),
        ("spaced_header.csv", GOOD.replace("id,gross", " id , gross", 1).encode()),
        ("a.jsonl", "\n".join(map(json.dumps, JSON_ROWS)).encode()),
        ("a.ndjson.gz", gzip.compress("\n".join(map(json.dumps, JSON_ROWS)).encode())),
        ("a.json", json.dumps(JSON_ROWS, indent=1).encode()),
        ("bom.jsonl", b"\xef\xbb\xbf" + "\n".join(map(json.dumps, JSON_ROWS)).encode()),
    ],
)
def test_the_same_rows_come_out_of_every_kind_of_file(tmp_path, name, content):
    rows = read(write(tmp_path / name, content))
    assert keys(rows) == ["psp_1", "psp_2"]
    assert params(rows[0])["amount_requested"] == {"value": 4950, "currency": "eur"}
    assert params(rows[0])["customer_details"] == {"name": "Canary Jansen"}


def test_zstd_is_read(tmp_path):
    assert keys(read(zstd(tmp_path / "a.csv.zst", GOOD))) == ["psp_1", "psp_2"]


def test_quoted_cells_hold_delimiters_quotes_and_newlines(tmp_path):
    path = write(tmp_path / "a.csv", csv_text(line(1, payer='"Jansen, ""JJ""\nUtrecht"'), line(2)))
    assert params(read(path)[0])["customer_details"] == {"name": 'Jansen, "JJ"\nUtrecht'}


def test_another_quote_can_be_named(tmp_path):
    path = write(tmp_path / "a.csv", csv_text(line(1, payer="'Jansen, J'")))
    assert params(read(path, mapping(options={"quote": "'"}))[0])["customer_details"] == {"name": "Jansen, J"}
    path = write(tmp_path / "b.csv", csv_text(line(1, payer='5" pipe')))
    assert params(read(path, mapping(options={"quote": ""}))[0])["customer_details"] == {"name": '5" pipe'}


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso-8859-15", "utf-16", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_other_encodings_are_read_when_named(tmp_path, encoding, is_packed):
    content = csv_text(line(1, payer="Zoë Müller")).encode(encoding)
    path = write(tmp_path / "a.csv", gzip.compress(content) if is_packed else content)
    rows = read(path, mapping(options={"encoding": encoding}))
    assert params(rows[0])["customer_details"] == {"name": "Zoë Müller"}


def test_a_file_without_header_has_numbered_columns(tmp_path):
    fields = {**FIELDS, "processor_details.custom.payment_reference": "column0"}
    names = dict(zip(HEADER.split(","), range(6), strict=True))
    renamed = {
        path: {**spec, "column": f"column{names[spec['column']]}"}
        if isinstance(spec, dict) and "column" in spec
        else f"column{names[spec]}"
        if spec in names
        else spec
        for path, spec in fields.items()
        if not (isinstance(spec, dict) and "constant" in spec)
    }
    renamed["payment_method_details.custom.display_name"] = {"constant": "iDEAL"}
    how = ExtractMapping.load({"key": "column0", "fields": renamed, "options": {"header": False}})
    rows = read(write(tmp_path / "a.csv", f"{line(1)}\n{line(2)}\n"), how)
    assert keys(rows) == ["psp_1", "psp_2"]


def test_globs_are_read_in_order_and_numbers_run_on(tmp_path):
    for number in (3, 1, 2):
        write(tmp_path / f"part-{number}.csv", csv_text(line(number * 10), line(number * 10 + 1)))
    rows = read(f"{tmp_path}/part-*.csv")
    assert keys(rows) == [f"psp_{one}" for one in (10, 11, 20, 21, 30, 31)]
    assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]


def test_parquet_keeps_its_types_and_nested_columns(tmp_path):
    path = parquet(
        tmp_path / "a.parquet",
        """
        SELECT {'value': 4950 + i, 'currency': 'eur'} AS amount_requested,
               TIMESTAMPTZ '2026-01-31 11:00:00+01' AS initiated_at,
               {'custom': {'payment_reference': 'psp_' || i}} AS processor_details,
               {'type': 'custom'} AS payment_method_details,
               'guaranteed' AS outcome,
               {'guaranteed_at': TIMESTAMPTZ '2026-01-31 10:00:00+00'} AS guaranteed,
               MAP {'order': 'o' || i} AS metadata
        FROM range(1, 3) t(i)
        """,
    )
    rows = read(path, ExtractMapping())
    assert keys(rows) == ["psp_1", "psp_2"]
    assert params(rows[1]) == {
        "amount_requested": {"value": 4952, "currency": "eur"},
        "initiated_at": 1769853600,
        "processor_details": {"type": "custom", "custom": {"payment_reference": "psp_2"}},
        "payment_method_details": {"type": "custom"},
        "outcome": "guaranteed",
        "guaranteed": {"guaranteed_at": 1769853600},
        "metadata": {"order": "o2"},
    }


def test_parquet_decimals_are_exact_and_doubles_are_a_problem(tmp_path):
    select = """
        SELECT 'psp_1' id, 49.50::{} gross, 'EUR' currency, TIMESTAMP '2026-01-31 10:00:00' created,
               'Settled' status, '' payer
    """
    rows = read(parquet(tmp_path / "a.parquet", select.format("DECIMAL(18,2)")))
    assert params(rows[0])["amount_requested"]["value"] == 4950
    assert params(rows[0])["initiated_at"] == 1769850000
    rows = read(parquet(tmp_path / "b.parquet", select.format("DOUBLE")))
    assert only_problems(rows) == [(1, "amount_requested.value", "float_amount")]


def test_json_numbers_are_integers_or_a_problem_and_text_stays_text(tmp_path):
    rows = [{**JSON_ROWS[0], "gross": 49}, {**JSON_ROWS[1], "gross": "49.50", "created": "2026-01-31T10:00:00+05:00"}]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    first, second = read(path)
    assert params(first)["amount_requested"]["value"] == 4900
    assert params(second)["amount_requested"]["value"] == 4950
    assert params(second)["initiated_at"] == 1769835600
    path = write(tmp_path / "b.jsonl", json.dumps({**JSON_ROWS[0], "gross": 49.5}))
    assert only_problems(read(path)) == [(1, "amount_requested.value", "float_amount")]


@pytest.mark.parametrize("field", ["key", "processor_details.custom.payment_reference"])
def test_an_integer_of_json_that_is_too_large_is_told_as_such(tmp_path, field):
    path = write(tmp_path / "a.jsonl", json.dumps({**JSON_ROWS[0], "id": 10**22 + 1}))
    (row,) = read(path)
    assert [(one.code, one.message) for one in row.problems if one.field == field] == [
        ("number_too_large", "Column 'id': the number is too large to be read exactly; make it text in the extract.")
    ]


def test_json_objects_may_be_nested_and_ragged(tmp_path):
    rows = [
        {"id": "a", "money": {"gross": 4950, "currency": "eur"}, "at": 1769853600},
        {"id": 5, "money": {"gross": "12", "currency": "usd"}, "at": 1769853600, "extra": {"late": True}},
    ]
    fields = {
        "amount_requested.value": "money.gross",
        "amount_requested.currency": "money.currency",
        "initiated_at": "at",
        "processor_details.custom.payment_reference": "id",
        "payment_method_details.type": {"constant": "custom"},
        "metadata": "extra",
    }
    found = read(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows))), ExtractMapping.load({"fields": fields}))
    assert keys(found) == ["a", "5"]
    assert [params(row)["amount_requested"]["value"] for row in found] == [4950, 12]
    assert params(found[1])["metadata"] == {"late": "true"}


def test_repeated_keys_are_problems_that_name_the_first_row(tmp_path):
    path = write(tmp_path / "a.csv", csv_text(line(1), line(2), line(1), line(1, gross="1.00")))
    rows = read(path, size=2)
    assert only_problems(rows) == [(3, "key", "duplicate_key"), (4, "key", "duplicate_key")]
    assert "Row 1 has the same key and the same content" in rows[2].problems[0].message
    assert "Row 1 has the same key and other content" in rows[3].problems[0].message
    assert rows[2].key == "psp_1"


def test_where_keeps_the_numbers_of_the_file(tmp_path):
    lines = [line(1), line(2, status="Other"), line(3)]
    rows = read(write(tmp_path / "a.csv", csv_text(*lines)), mapping(where="status IN ('Settled') -- only"))
    assert [(row.number, row.key) for row in rows] == [(1, "psp_1"), (3, "psp_3")]


def test_sql_replaces_the_extract_and_numbers_its_result(tmp_path):
    sql = "SELECT * REPLACE (replace(gross, ',', '.') AS gross) FROM extract WHERE id <> 'psp_1' ORDER BY id DESC;"
    lines = [line(1), line(2), line(3, gross='"7,25"')]
    with make_extract(write(tmp_path / "a.csv", csv_text(*lines))).open(mapping(sql=sql)) as opened:
        assert opened.total_rows == 2
        rows = [row for batch in opened.batches(10) for row in batch]
    assert [(row.number, row.key) for row in rows] == [(1, "psp_3"), (2, "psp_2")]
    assert params(rows[0])["amount_requested"]["value"] == 725


def test_a_condition_that_no_row_meets_is_no_error(tmp_path):
    assert read(write(tmp_path / "a.csv", GOOD), mapping(where="false")) == []
