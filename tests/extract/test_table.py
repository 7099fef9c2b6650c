"""What can be an extract."""

from __future__ import annotations

from pathlib import Path

import pytest

import airflow_provider_payrecords.extract as package
from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract import FileExtract, IterableExtract, SqlQuery, make_extract


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


def test_public_names_exist():
    assert all(hasattr(package, name) for name in package.__all__)
