"""Files: every format, and every bad one a clear error before any row is given out."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import duckdb
import pytest

from airflow_provider_payrecords.core.errors import ExtractError, MappingError, UsageError
from airflow_provider_payrecords.extract import ExtractMapping, Row, make_extract
from tests.extract.sample import CANARY, FIELDS, HEADER, csv_text, line, mapping, only_problems, params, read, write

GOOD = csv_text(line(1), line(2))
JSON_ROWS = [dict(zip(HEADER.split(","), line(number).split(","), strict=True)) for number in (1, 2)]


def refusal(source, how: ExtractMapping | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(source, how)
    message = str(caught.value)
    assert CANARY not in message
    assert caught.value.__cause__ is None or CANARY not in str(caught.value.__cause__)
    return message


def keys(rows) -> list[str]:
    assert all(isinstance(row, Row) for row in rows), rows
    return [row.key for row in rows]


def zstd(path: Path, text: str) -> Path:
    """Write *text* as zstd, one line a row."""
    plain = write(path.with_suffix(".plain"), text)
    line = "header = false, delim = '\x1e', quote = '', auto_detect = false, columns = {'line': 'VARCHAR'}"
    options = "FORMAT csv, COMPRESSION zstd, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1e'"
    with duckdb.connect() as database:
        database.execute(f"COPY (FROM read_csv('{plain}', {line})) TO '{path}' ({options})")
    return path


def parquet(path: Path, select: str) -> Path:
    with duckdb.connect() as database:
        database.execute(f"COPY ({select}) TO '{path}'")
    return path


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


# Bad input: the thing is named, the next step is told, nothing is given out.


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.csv does not exist. Check the path" in refusal(tmp_path / "nowhere.csv")


def test_an_empty_file_is_named(tmp_path):
    assert "a.csv is empty" in refusal(write(tmp_path / "a.csv", ""))
    assert "a.jsonl is empty" in refusal(write(tmp_path / "a.jsonl", ""))
    assert "a.csv has no header" in refusal(write(tmp_path / "a.csv", "\n\n"))


def test_a_header_alone_is_an_error_unless_allowed(tmp_path):
    path = write(tmp_path / "a.csv", HEADER + "\n")
    assert "a.csv has columns but no rows" in refusal(path)
    assert read(path, mapping(options={"allow_empty": True})) == []
    empty = parquet(tmp_path / "a.parquet", "SELECT 'x' AS id WHERE false")
    how = ExtractMapping.load({"key": "id", "fields": {"description": "id"}})
    assert "a.parquet has columns but no rows" in refusal(empty, how)


def test_files_without_a_byte_are_fine_where_allowed(tmp_path):
    path = write(tmp_path / "a.jsonl", "")
    for how in (mapping(options={"allow_empty": True}), mapping(options={"allow_empty": True}, where="id = 'x'")):
        with make_extract(path).open(how) as opened:
            assert (opened.total_rows, list(opened.batches(10))) == (0, [])
    write(tmp_path / "b.jsonl", "{}")
    assert "a.jsonl is empty" in refusal(f"{tmp_path}/*.jsonl", mapping(options={"allow_empty": True}))


def test_a_wrong_delimiter_is_recognised(tmp_path):
    path = write(tmp_path / "a.csv", GOOD.replace(",", ";"))
    assert "looks like ';' separated: set options.delimiter" in refusal(path, mapping(options={"delimiter": ","}))


def test_a_header_with_two_delimiters_is_not_guessed(tmp_path):
    path = write(tmp_path / "a.csv", "id;gross,currency\n1;2,3\n")
    assert "separated by ',' or ';'. Set options.delimiter" in refusal(path)


def test_lines_that_do_not_fit_the_header_are_named(tmp_path):
    short = write(tmp_path / "short.csv", csv_text(line(1), f"psp_2,{CANARY}"))
    assert "short.csv, line 3 has 2 columns and the header has 6" in refusal(short)
    long = write(tmp_path / "long.csv", csv_text(line(1), line(2) + f",{CANARY}"))
    assert "long.csv, line 3 has 7 columns and the header has 6" in refusal(long)


def test_a_late_fault_gives_out_no_row_at_all(tmp_path):
    path = write(tmp_path / "a.csv", csv_text(*(line(number) for number in range(30000)), f"x,{CANARY}"))
    with pytest.raises(ExtractError, match="line 30002 has 2 columns"):
        make_extract(path).open(mapping())


@pytest.mark.parametrize("cell", [f'"{CANARY}', f'"{CANARY}" Jansen'])
def test_broken_quotes_are_named(tmp_path, cell):
    assert "a.csv, line 2: a quote is not closed" in refusal(write(tmp_path / "a.csv", csv_text(line(1, payer=cell))))


def test_broken_utf8_is_named_with_its_line(tmp_path):
    path = write(tmp_path / "a.csv", csv_text(line(1), line(2, payer=f"{CANARY} é")).encode("latin-1"))
    assert "a.csv, line 3: the bytes are not UTF-8; set options.encoding" in refusal(path)
    path = write(tmp_path / "a.jsonl", f'{{"id": "{CANARY} é"}}'.encode("latin-1"))
    assert "invalid UTF-8 encoding in string" in refusal(path)


def test_bytes_of_another_encoding_are_named(tmp_path):
    path = write(tmp_path / "a.csv", GOOD.encode() + b"\x81")
    assert "a.csv is not cp1252 text. Set options.encoding" in refusal(path, mapping(options={"encoding": "cp1252"}))


def test_an_unknown_column_is_named_with_the_nearest(tmp_path):
    message = refusal(write(tmp_path / "a.csv", GOOD.replace("gross", "gros", 1)))
    assert "no column 'gross'" in message
    assert "Did you mean 'gros'?" in message
    assert "Columns: id, gros, currency" in message


def test_a_file_without_header_does_not_show_its_first_row(tmp_path):
    assert "options.header: false" in refusal(write(tmp_path / "a.csv", f"{line(1)}\n{line(2)}\n"))


@pytest.mark.parametrize("header", ["id,ID", "id,gross,id"])
def test_a_repeated_column_name_is_named(tmp_path, header):
    path = write(tmp_path / "a.csv", f"{header}\n" + ",".join("x" * len(header.split(","))) + "\n")
    assert "has the name of an earlier one" in refusal(path)


def test_a_damaged_parquet_file_is_named(tmp_path):
    whole = parquet(tmp_path / "a.parquet", f"SELECT '{CANARY}' || i AS id FROM range(5000) t(i)").read_bytes()
    how = ExtractMapping.load({"key": "id", "fields": {"description": "id"}})
    for name, content in {
        "half.parquet": whole[: len(whole) // 2],
        "magic.parquet": b"PAR1",
        "flipped.parquet": whole[:60] + bytes(byte ^ 0xFF for byte in whole[60:200]) + whole[200:],
        "text.parquet": GOOD.encode(),
    }.items():
        assert f"{name} is no whole Parquet file" in refusal(write(tmp_path / name, content), how)


def test_cut_off_and_damaged_compressed_files_are_named(tmp_path):
    text = csv_text(*(line(number) for number in range(3000)))
    packed = gzip.compress(text.encode())
    flipped = packed[:-6] + bytes([packed[-6] ^ 0xFF]) + packed[-5:]
    for content in (packed[: len(packed) // 2], packed[:-4], flipped):
        assert "is no whole gzip file" in refusal(write(tmp_path / "a.csv.gz", content))
    whole = zstd(tmp_path / "whole.csv.zst", text).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-1], whole[:5]):
        assert "is no whole zstd file" in refusal(write(tmp_path / "a.csv.zst", content))


def test_broken_json_is_named(tmp_path):
    assert "a.jsonl, near line" in refusal(write(tmp_path / "a.jsonl", f'{{"id": "a"}}\n{{"id": "{CANARY}"\n'))
    assert "a record is no JSON object" in refusal(write(tmp_path / "a.jsonl", f'["{CANARY}"]\n[1]\n'))
    assert "one object has a key twice" in refusal(
        write(tmp_path / "a.jsonl", f'{{"id": "{CANARY}", "id": "b"}}'),
        ExtractMapping.load({"key": "id", "fields": {"description": "id"}}),
    )


def test_a_workbook_is_recognised(tmp_path):
    assert "Excel workbook" in refusal(write(tmp_path / "a.csv", b"PK\x03\x04rest"))


def test_a_directory_is_named(tmp_path):
    assert "is a directory. Name a file, or a glob such as" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX users")
def test_a_file_without_permission_is_named(tmp_path):
    path = write(tmp_path / "a.csv", GOOD)
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # nobody, because root may read everything
        os.seteuid(65534)
    try:
        message = refusal(path)
    finally:
        if is_root:
            os.seteuid(0)
    assert "may not be read" in message


def test_a_name_that_says_nothing_needs_the_format(tmp_path):
    path = write(tmp_path / "extract.dat", GOOD)
    assert "Set options.format" in refusal(path)
    assert keys(read(path, mapping(options={"format": "csv"}))) == ["psp_1", "psp_2"]


def test_files_of_one_pattern_must_be_alike(tmp_path):
    write(tmp_path / "a.csv", GOOD)
    write(tmp_path / "b.csv", GOOD.replace("id,gross", "gross,id", 1))
    assert "b.csv has other columns than" in refusal(f"{tmp_path}/*.csv")
    write(tmp_path / "b.csv", gzip.compress(GOOD.encode()))
    assert "b.csv is compressed otherwise than" in refusal(f"{tmp_path}/*.csv")
    write(tmp_path / "b.csv", "")
    assert "b.csv is empty" in refusal(f"{tmp_path}/*.csv")
    (tmp_path / "b.csv").unlink()
    write(tmp_path / "b.jsonl", "{}")
    assert "is of another kind than" in refusal(f"{tmp_path}/[ab].*s*")
    parquet(tmp_path / "a.parquet", "SELECT 1 AS id")
    parquet(tmp_path / "b.parquet", "SELECT 'x' AS id")
    how = ExtractMapping.load({"key": "id", "fields": {"description": "id"}})
    assert "b.parquet has other columns or types than" in refusal(f"{tmp_path}/*.parquet", how)


def test_a_fault_in_a_later_file_names_that_file(tmp_path):
    write(tmp_path / "a.csv", GOOD)
    write(tmp_path / "b.csv", csv_text(line(3), "x,y"))
    assert "b.csv, line 3 has 2 columns" in refusal(f"{tmp_path}/*.csv")


def test_a_pattern_without_matches_is_named(tmp_path):
    assert "No file matches" in refusal(f"{tmp_path}/*.csv")


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = write(tmp_path / "a.csv", csv_text(line(1, payer="Zoë")).encode("latin-1"))
    read(path, mapping(options={"encoding": "latin-1"}))
    refusal(path)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_closing_twice_is_harmless(tmp_path):
    opened = make_extract(write(tmp_path / "a.csv", GOOD)).open(mapping())
    opened.close()
    opened.close()


def test_a_mapping_error_shows_before_the_file_is_loaded(tmp_path):
    path = write(tmp_path / "a.csv", csv_text("broken"))
    with pytest.raises(MappingError, match="no column 'nope'"):
        read(path, mapping(key="nope"))
