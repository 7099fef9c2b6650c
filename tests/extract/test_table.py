"""What can be an extract."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import airflow_provider_payrecords.extract as package
from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract import FileExtract, IterableExtract, SqlQuery, make_extract
from tests.extract.sample import HEADER, line, mapping


def test_every_kind_of_source_makes_its_extract():
    query = SqlQuery(object(), "SELECT 1", name="nightly")  # type: ignore[arg-type]  # never opened
    assert make_extract(query) is query
    assert query.name == "nightly"
    assert isinstance(make_extract("a.csv"), FileExtract)
    assert isinstance(make_extract(Path("a.csv")), FileExtract)
    assert isinstance(make_extract([{}]), IterableExtract)
    assert isinstance(make_extract({} for _ in range(1)), IterableExtract)
    assert make_extract("s3://user:secret@bucket/a.csv").name == "s3://bucket/a.csv"


@pytest.mark.parametrize("source", [{"id": 1}, b"a.csv", 5, None])
def test_anything_else_is_refused(source):
    with pytest.raises(ExtractError, match="is no extract. Give a path"):
        make_extract(source)


def test_nothing_of_an_extract_that_is_read_in_part_is_left_open():
    rows = [dict(zip(HEADER.split(","), line(number).split(","), strict=True)) for number in (1, 2)]
    opened = make_extract(rows).open(mapping())
    batches = opened.batches(1)
    assert [row.number for row in next(batches)] == [1]
    opened.close()
    # The generator still hangs at its first batch, and the rows are there. What remembered their keys is gone.
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        next(batches)


def test_public_names_exist():
    assert all(hasattr(package, name) for name in package.__all__)
