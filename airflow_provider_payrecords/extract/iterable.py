"""An extract made of mappings: a list from XCom, or a generator in a DAG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import chain, islice
from typing import Any

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.column import Cells, Columns
from airflow_provider_payrecords.extract.field import request_fields
from airflow_provider_payrecords.extract.mapper import RowMapper
from airflow_provider_payrecords.extract.mapping import ExtractMapping
from airflow_provider_payrecords.extract.row import Problem
from airflow_provider_payrecords.extract.table import Extract, Numbered, OpenExtract, in_chunks, refuse_file_options

SAMPLE_ROWS = 100
"""So many rows are read ahead to learn the columns; a row may leave columns out."""


class IterableExtract(Extract):
    """
    Rows given as mappings, streamed once.

    Args:
        rows: Mappings with the columns of the mapping, any order; or commands of the mapping's endpoint.
        name: What people are shown.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], name: str = "rows") -> None:
        self.name = name
        self._rows = rows

    def open(self, mapping: ExtractMapping) -> OpenExtract:
        """Learn the columns from the first rows; faults of single rows come with the rows."""
        refuse_file_options(mapping, self.name)
        rows: Iterator[Any] = (_as_mapping(row, mapping.endpoint) for row in self._rows)
        sample, rows = _read_ahead(rows)
        columns = _columns(sample, mapping, self.name)
        mapper = RowMapper(mapping, columns)
        allowed = None if mapping.fields else frozenset((*columns.shapes, *columns.late))

        def read(size: int) -> Iterator[list[Numbered]]:
            numbered = enumerate(chain(sample, rows), start=1)
            return in_chunks(((number, _cells(row, mapper.used, allowed)) for number, row in numbered), size)

        total = len(self._rows) if isinstance(self._rows, Sized) else None
        return OpenExtract(
            columns=tuple(columns.shapes), total_rows=total, mapper=mapper, read=read, close=lambda: None
        )


def _columns(sample: list[Any], mapping: ExtractMapping, name: str) -> Columns:
    shapes = {str(column): None for row in sample if isinstance(row, Mapping) for column in row}
    late: list[str] = []
    if not mapping.fields:
        known = request_fields(mapping.endpoint)
        late = [field for field in (*known.leaves, *known.objects) if field not in shapes]
    if not shapes:
        late += [*mapping.key, *(spec.column for spec in mapping.fields.values() if spec.column)]
    hint = f" Rows may leave a column out, but none of the first {SAMPLE_ROWS} has it: give it as None there."
    return Columns(shapes, is_open=True, late=tuple(late), hint=hint if shapes else "", extract=name)


def _read_ahead(rows: Iterator[Any]) -> tuple[list[Any], Iterator[Any]]:
    """Return the first rows and what follows them. If it breaks off in there, the rows before that still count."""
    sample: list[Any] = []
    try:
        sample.extend(islice(rows, SAMPLE_ROWS))
    except ExtractError as error:
        if not sample:
            raise
        return sample, _broken(error)
    return sample, rows


def _broken(error: ExtractError) -> Iterator[Any]:
    yield from ()
    raise error


def _as_mapping(row: Any, endpoint: str) -> Any:
    """Return a command as the mapping of its fields, or the problem with it; anything else as it is."""
    if not isinstance(row, Command):
        return row
    if row.endpoint != endpoint:
        text = f"The row is a {row.endpoint}, and the mapping makes {endpoint}. Set endpoint in the mapping."
        return Problem("row", "wrong_command", text)
    fields = row.model_dump(exclude_none=True)
    if "" in fields.values():
        return Problem("row", "cannot_clear", "An empty text erases a field; make this call with its own operator.")
    return fields


def _cells(row: Any, used: tuple[str, ...], allowed: frozenset[str] | None) -> Cells | Problem:
    if isinstance(row, Problem):
        return row
    if not isinstance(row, Mapping):
        return Problem("row", "not_a_mapping", f"A row is a {type(row).__name__}. Yield mappings with the columns.")
    if allowed is not None and not allowed.issuperset(row):
        return Problem(
            "row",
            "unknown_column",
            f"The row has columns that are no request fields and that the first {SAMPLE_ROWS} rows do not have. "
            "Name the fields in the mapping, or leave the others out.",
        )
    return tuple(row.get(name) for name in used)
