"""Extracts: tables of payments that an upstream task left, read as numbered rows: commands or problems."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, cast

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.file import FileExtract
from airflow_provider_payrecords.extract.iterable import IterableExtract
from airflow_provider_payrecords.extract.location import ObjectPath
from airflow_provider_payrecords.extract.mapping import ExtractMapping, FieldSpec, ReadOptions
from airflow_provider_payrecords.extract.option import mapping_from_options
from airflow_provider_payrecords.extract.query import SqlQuery
from airflow_provider_payrecords.extract.row import Problem, Row, RowProblem
from airflow_provider_payrecords.extract.table import Extract, OpenExtract

__all__ = [
    "Extract",
    "ExtractMapping",
    "ExtractSource",
    "FieldSpec",
    "FileExtract",
    "IterableExtract",
    "OpenExtract",
    "Problem",
    "ReadOptions",
    "Row",
    "RowProblem",
    "SqlQuery",
    "make_extract",
    "mapping_from_options",
]

ExtractSource = Extract | str | os.PathLike[str] | ObjectPath | Iterable[Mapping[str, Any]]
"""What an extract can be made of."""


def make_extract(source: ExtractSource) -> Extract:
    """
    Return the extract that *source* is or names. Nothing is opened.

    Args:
        source: A path, glob or URL; a path object, local or of object storage; mappings; a ``SqlQuery``; an extract.

    Raises:
        ExtractError: It is none of these.
    """
    if isinstance(source, Extract):
        return source
    if isinstance(source, (str, os.PathLike)):
        return FileExtract(source)
    if hasattr(source, "open"):
        return FileExtract(cast("ObjectPath", source))
    if isinstance(source, Iterable) and not isinstance(source, (Mapping, bytes, bytearray)):
        return IterableExtract(source)
    raise ExtractError(
        f"A {type(source).__name__} is no extract. Give a path, a glob, a URL, a list of mappings or a SqlQuery."
    )
