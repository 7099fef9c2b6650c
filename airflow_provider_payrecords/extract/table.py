"""An extract, and what it is while it is open: columns, a count, and rows in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType

from airflow_provider_payrecords.core.errors import ExtractError, MappingError
from airflow_provider_payrecords.extract.chunk import ChunkMapper
from airflow_provider_payrecords.extract.column import Cells
from airflow_provider_payrecords.extract.key import KeyIndex
from airflow_provider_payrecords.extract.mapper import RowMapper
from airflow_provider_payrecords.extract.mapping import ExtractMapping, ReadOptions
from airflow_provider_payrecords.extract.row import Problem, Row, RowProblem

Numbered = tuple[int, Cells | Problem]
"""A row number with the cells of the row, or with the reason why it has none."""

ReadChunks = Callable[[int], Iterator[list[Numbered]]]
"""Given a size, yields lists of that many rows in order; only the last is shorter."""


def in_chunks(rows: Iterable[Numbered], size: int) -> Iterator[list[Numbered]]:
    """Yield *rows* by lists of *size*. Where they break off, what was read before that still comes."""
    chunk: list[Numbered] = []
    try:
        for row in rows:
            chunk.append(row)
            if len(chunk) == size:
                yield chunk
                chunk = []
    except ExtractError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


class OpenExtract:
    """
    An extract that is open for reading, once and in order. A context manager: leaving it drops every temporary file.

    Attributes:
        columns: Names of the columns, in order.
        total_rows: How many rows there will be, or None when that shows only at the end.

    Args:
        keys_differ: Says whether no two rows can have the same key.
    """

    def __init__(
        self,
        *,
        columns: tuple[str, ...],
        total_rows: int | None,
        mapper: RowMapper,
        read: ReadChunks,
        close: Callable[[], None],
        keys_differ: Callable[[], bool] = lambda: False,
    ) -> None:
        self.columns = columns
        self.total_rows = total_rows
        self._mapper = mapper
        self._read = read
        self._keys_differ = keys_differ
        self._opened = ExitStack()
        self._opened.callback(close)

    def batches(self, size: int) -> Iterator[list[Row | RowProblem]]:
        """
        Yield the rows in the order of the extract, *size* at a time.

        The first row of a key counts; each later one is a ``duplicate_key`` problem that names the first.

        Raises:
            ExtractError: The extract broke off, or changed while it was read.
        """
        mapper = ChunkMapper(self._mapper)
        keys = None if self._keys_differ() else KeyIndex()
        with ExitStack() as stack:
            if keys is not None:
                stack.callback(keys.close)
                # Whoever reads only a part leaves this generator hanging, and a traceback that shows it keeps it alive.
                self._opened.callback(keys.close)
            for chunk in self._read(size):
                yield _mapped(chunk, mapper, keys)

    def close(self) -> None:
        """Close the source and drop what was copied of it. May be called twice."""
        self._opened.close()

    def __enter__(self) -> OpenExtract:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _mapped(chunk: list[Numbered], mapper: ChunkMapper, keys: KeyIndex | None) -> list[Row | RowProblem]:
    """Return what each row is, in their order. *keys* are those of earlier rows, or None if no two can be the same."""
    readable = [(number, one) for number, one in chunk if not isinstance(one, Problem)]
    rows = mapper.map(readable)
    repeated = _repeated_rows(rows, readable, keys) if keys else {}
    if not repeated and len(readable) == len(chunk):
        return rows
    known = {row.number: _repeated(row, *repeated[row.number]) if row.number in repeated else row for row in rows}
    return [RowProblem(number, None, (one,)) if isinstance(one, Problem) else known[number] for number, one in chunk]


def _repeated_rows(
    rows: list[Row | RowProblem], cells: list[tuple[int, Cells]], keys: KeyIndex
) -> dict[int, tuple[int, bool]]:
    return keys.repeated(
        [(row.number, row.key, one) for row, (_, one) in zip(rows, cells, strict=True) if row.key is not None]
    )


def _repeated(row: Row | RowProblem, first: int, is_same: bool) -> RowProblem:
    how = "the same content" if is_same else "other content"
    problem = Problem(
        "key",
        "duplicate_key",
        f"Row {first} has the same key and {how}. Only row {first} counts: remove one, or add a column to key.",
    )
    return RowProblem(row.number, row.key, (problem, *(row.problems if isinstance(row, RowProblem) else ())))


class Extract(ABC):
    """
    A table of payments that can be opened.

    Attributes:
        name: What people are shown: path, pattern or label, without credentials.
    """

    name: str

    @abstractmethod
    def open(self, mapping: ExtractMapping) -> OpenExtract:
        """
        Open the extract, and find every fault that does not belong to a single row.

        Raises:
            ExtractError: The extract is missing, empty, broken or not readable.
            MappingError: The mapping does not fit the extract.
        """


def refuse_file_options(mapping: ExtractMapping, name: str) -> None:
    """
    Refuse what only works on files.

    Raises:
        MappingError: The mapping has where, sql or options.
    """
    for option, is_set in (
        ("where", mapping.where is not None),
        ("sql", mapping.sql is not None),
        ("options", mapping.options != ReadOptions()),
    ):
        if is_set:
            raise MappingError(f"'{option}' works on files only, and {name} is none. Filter and convert it upstream.")
