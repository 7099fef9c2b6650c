"""YAML is read as it is written."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.document import read_document
from tests.extract.sample import write


def test_scalars_stay_the_text_they_are(tmp_path):
    path = write(tmp_path / "m.yaml", "a: No\nb: 0100\nc: 2026-01-01\nd: 12:30\ne: null\nf: ~\ng: 1.10\n1: x\n")
    assert read_document(path) == {
        "a": "No",
        "b": "0100",
        "c": "2026-01-01",
        "d": "12:30",
        "e": None,
        "f": None,
        "g": "1.10",
        "1": "x",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands there twice"),
        (b"fields:\n  x: a\n  x: b\n", "line 3: the key 'x'"),
        (b"a: [1\nb: 2\n", "line 2"),
        (b"? [a, b]\n: 1\n", "line 1: a key must be plain text"),
        (b"a: !!python/object/apply:os.system ['true']\n", "line 1"),
        (b"", "holds no keys"),
        (b"- a\n", "holds no keys"),
        (b"a: caf\xe9\n", "not UTF-8"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_line(tmp_path, content, message):
    with pytest.raises(MappingError, match=message):
        read_document(write(tmp_path / "m.yaml", content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MappingError, match="nowhere.yaml: No such file"):
        read_document(tmp_path / "nowhere.yaml")
