"""CSV is read as its first line says, and never sniffed."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract import ExtractMapping, ReadOptions, RowProblem
from airflow_provider_payrecords.extract.reader import format_of
from tests.extract.sample import read, write

HOW = ExtractMapping.load({"key": "id", "fields": {"description": "text"}})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", "csv"),
        ("A.CSV.GZ", "csv"),
        ("a.tsv.zst", "csv"),
        ("a.ndjson", "jsonl"),
        ("a.json.gz", "json"),
        ("a.parquet", "parquet"),
        ("s3://bucket/x.y/a.pq", "parquet"),
    ],
)
def test_the_name_tells_the_format(name, found):
    assert format_of(name, False, ReadOptions()) == found


def test_the_option_and_the_first_bytes_come_before_the_name():
    assert format_of("a.csv", False, ReadOptions(format="jsonl")) == "jsonl"
    assert format_of("part-0001", True, ReadOptions()) == "parquet"
    for name in ("part-0001", "a.gz", "xlsx"):
        with pytest.raises(ExtractError, match="Set options.format"):
            format_of(name, False, ReadOptions())


@pytest.mark.parametrize("name", ["a.xlsx", "B.XLS", "a.xlsm", "a.ods", "a.xls.gz"])
def test_a_workbook_is_to_be_exported(name):
    with pytest.raises(ExtractError, match=rf"^{name} is a workbook, .* Export it as CSV\.$"):
        format_of(name, False, ReadOptions())


def test_one_broken_quote_does_not_turn_quotes_into_data(tmp_path):
    good = "".join(f'{number},"a, b"\n' for number in range(50))
    with pytest.raises(ExtractError, match="line 52: a quote is not closed"):
        read(write(tmp_path / "a.csv", f'id,text\n{good}51,"open\n'), HOW)


def test_delimiters_inside_quotes_of_the_header_do_not_count(tmp_path):
    rows = read(write(tmp_path / "a.csv", 'id;text;"a,b,c,d"\n1;x;y\n'), HOW)
    assert [row.key for row in rows] == ["1"]


def test_a_single_column_is_a_table(tmp_path):
    how = ExtractMapping.load({"key": "id", "fields": {"description": "id"}})
    assert [row.key for row in read(write(tmp_path / "a.csv", "id\n1\n2\n"), how)] == ["1", "2"]


def test_a_header_that_is_not_closed_is_named(tmp_path):
    with pytest.raises(ExtractError, match="the first line has a quote that is not closed"):
        read(write(tmp_path / "a.csv", 'id,"text\n1,2\n'), HOW)


def test_columns_without_a_name_are_numbered(tmp_path):
    rows = read(write(tmp_path / "a.csv", "id,text,\n1,x,\n"), HOW)
    assert [row.key for row in rows] == ["1"]


def test_names_with_quotes_are_names(tmp_path):
    how = ExtractMapping.load({"key": "i'd", "fields": {"description": 'te"xt'}})
    rows = read(write(tmp_path / "a.csv", 'i\'d;"te""xt"\n1;x\n'), how)
    assert [row.key for row in rows] == ["1"]


def test_empty_lines_at_the_end_are_no_rows_and_empty_cells_are_absent(tmp_path):
    rows = read(write(tmp_path / "a.csv", 'id,text\n1,""\n2,\n\n'), HOW)
    assert [row.key for row in rows] == ["1", "2"]
    for row in rows:
        assert isinstance(row, RowProblem)
        assert "description" not in {one.field for one in row.problems}
