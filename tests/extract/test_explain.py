"""DuckDB's errors without the data they quote."""

from __future__ import annotations

import duckdb
import pytest

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.explain import explained, sql_error
from tests.extract.sample import CANARY


def told(error: duckdb.Error, format_name: str) -> str:
    with pytest.raises(ExtractError) as caught, explained("a.file", format_name):
        raise error
    assert caught.value.__suppress_context__
    return str(caught.value)


@pytest.mark.parametrize("format_name", ["csv", "json", "jsonl", "parquet"])
def test_an_error_never_heard_of_names_the_file_and_shows_no_data(format_name):
    message = told(duckdb.InvalidInputException(f"Something new: {CANARY}"), format_name)
    assert message.startswith("a.file")
    assert CANARY not in message


def test_a_full_disk_is_no_fault_of_the_file():
    for error in (duckdb.OutOfMemoryException("x"), duckdb.IOException("write: No space left on device")):
        assert "Free space in the temporary folder" in told(error, "csv")


def test_a_line_that_is_too_long_is_named():
    error = duckdb.InvalidInputException(
        f"CSV Error on Line: 7\n{CANARY}\nMaximum line size of 2000000 bytes exceeded."
    )
    assert told(error, "csv").startswith("a.file, line 7: the line is longer than 2 MB")


def test_only_errors_about_the_text_of_a_query_are_quoted():
    assert "no such thing" in str(sql_error(duckdb.BinderException("no such thing\nCandidates: Canary"), "sql"))
    assert CANARY not in str(sql_error(duckdb.BinderException(f"no such thing\nCandidates: {CANARY}"), "sql"))
    assert CANARY not in str(sql_error(duckdb.ConversionException(f"Could not convert '{CANARY}'"), "where"))


@pytest.mark.parametrize("said", ["No space left on device", "File too large", "Disk quota exceeded"])
def test_a_full_temporary_folder_is_no_fault_of_the_extract_or_the_mapping(said: str) -> None:
    error = duckdb.IOException(f'IO Error: Could not write file "x": {said}')
    with pytest.raises(ExtractError, match=r"Free space in the temporary folder \(TMPDIR\)"), explained("f", "csv"):
        raise error
    assert "TMPDIR" in sql_error(error, "where").message
