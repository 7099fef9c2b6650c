"""Places: local ones are read there, all others are copied privately and named without credentials."""

from __future__ import annotations

import io
from pathlib import Path

import fsspec
import pytest

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.location import fetch, shown_name
from tests.extract.sample import csv_text, line, read, write

GOOD = csv_text(line(1), line(2)).encode()


class ObjectPath:
    """A path of object storage, as Airflow and universal_pathlib have them."""

    def __init__(self, url: str, content: bytes | Exception) -> None:
        self._url = url
        self._content = content

    def __str__(self) -> str:
        return self._url

    def open(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        if isinstance(self._content, Exception):
            raise self._content
        return io.BytesIO(self._content)


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def test_a_path_object_is_copied_and_read():
    assert [row.key for row in read(ObjectPath("s3://bucket/day.csv", GOOD))] == ["psp_1", "psp_2"]


def test_copies_are_private_and_local_files_stay_where_they_are(tmp_path):
    [copy] = fetch(ObjectPath("s3://bucket/day.csv", GOOD), tmp_path)
    assert copy.path.parent == tmp_path
    assert copy.path.stat().st_mode & 0o077 == 0
    assert copy.name == "s3://bucket/day.csv"
    local = write(tmp_path / "a.csv", GOOD)
    for location in (local, str(local), f"file://{local}"):
        assert fetch(location, tmp_path)[0].path == local


def test_urls_and_patterns_go_through_fsspec(memory):
    memory.pipe("/day/b.csv", csv_text(line(2)).encode())
    memory.pipe("/day/a.csv", csv_text(line(1)).encode())
    assert [row.key for row in read("memory://day/a.csv")] == ["psp_1"]
    assert [row.key for row in read("memory://day/*.csv")] == ["psp_1", "psp_2"]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("memory://day/none.csv", "memory://day/none.csv does not exist"),
        ("memory://day/*.csv", "No file matches memory://day/"),
        ("nosuch://bucket/a.csv", "Protocol not known: nosuch"),
        (ObjectPath("s3://b/a.csv", PermissionError()), "s3://b/a.csv may not be read"),
        (ObjectPath("s3://b/a.csv", FileNotFoundError()), "s3://b/a.csv does not exist"),
        (ObjectPath("s3://b/a", IsADirectoryError()), "s3://b/a is a directory"),
        (ObjectPath("s3://b/a.csv", ImportError("s3fs")), "needs a library that is not installed (s3fs)"),
        (ObjectPath("s3://b/a.csv", OSError(5, "Input/output error")), "cannot be read: Input/output error"),
        (ObjectPath("s3://b/a.csv", TimeoutError()), "cannot be read: TimeoutError"),
    ],
)
def test_what_cannot_be_fetched_is_named(memory, location, message):
    with pytest.raises(ExtractError) as caught:
        read(location)
    assert message in str(caught.value)


def test_a_remote_directory_is_named(memory):
    memory.pipe("/day/a.csv", GOOD)
    with pytest.raises(ExtractError, match="memory://day is a directory"):
        read("memory://day")


def test_names_hold_no_credentials():
    assert shown_name("s3://key:secret@bucket/a.csv?token=x#y") == "s3://bucket/a.csv"
    assert shown_name(Path("/data/a.csv")) == "/data/a.csv"


def test_a_name_with_pattern_signs_is_taken_literally_when_it_exists(tmp_path):
    path = write(tmp_path / "a[1].csv", GOOD)
    write(tmp_path / "a1.csv", csv_text(line(9)))
    assert [row.key for row in read(str(path))] == ["psp_1", "psp_2"]
