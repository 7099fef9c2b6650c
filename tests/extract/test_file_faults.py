"""Bad files: the thing is named, the next step is told, and no row is given out."""

from __future__ import annotations

import gzip
import os

import pytest

from airflow_provider_payrecords.core.errors import ExtractError, MappingError
from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from tests.extract.sample import (
    CANARY,
    HEADER,
    csv_text,
    keys,
    line,
    mapping,
    parquet,
    read,
    refusal,
    write,
    zstd,
)

GOOD = csv_text(line(1), line(2))
JSON_ROWS = [dict(zip(HEADER.split(","), line(number).split(","), strict=True)) for number in (1, 2)]


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
    assert f"The extract '{tmp_path / 'a.csv'}' has no column 'gross'" in message
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
