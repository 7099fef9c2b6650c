"""
An extract that a database makes: a SELECT through anything that has ``get_conn()``, such as any Airflow database hook.

Rows are fetched as they are needed. Drivers that read a whole result into memory unless asked otherwise (psycopg,
psycopg2) are asked, by a named cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.column import Cells, Columns
from airflow_provider_payrecords.extract.mapper import RowMapper
from airflow_provider_payrecords.extract.mapping import ExtractMapping
from airflow_provider_payrecords.extract.table import Extract, Numbered, OpenExtract, in_chunks, refuse_file_options

FIRST_ROWS = 100
_NAMED_CURSORS = ("psycopg", "psycopg2")
_ABOUT_VALUES = ("DataError", "IntegrityError")


class ConnectionSource(Protocol):
    """Gives a new DB-API connection, which the extract closes."""

    def get_conn(self) -> Any:
        """Return a connection."""


class SqlQuery(Extract):
    """
    The result of one SELECT, streamed.

    Args:
        hook: Where the connection comes from.
        sql: One SELECT. Give it an ORDER BY that is stable, so that row numbers mean the same next time.
        parameters: Values for its placeholders, in the driver's style.
        name: What people are shown.
    """

    def __init__(
        self,
        hook: ConnectionSource,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        name: str = "query",
    ) -> None:
        self.name = name
        self._hook = hook
        self._sql = sql
        self._parameters = parameters

    def open(self, mapping: ExtractMapping) -> OpenExtract:
        """Run the query and look at its columns."""
        refuse_file_options(mapping, self.name)
        with ExitStack() as stack:
            connection = self._hook.get_conn()
            stack.callback(connection.close)
            errors = getattr(connection, "Error", ())
            try:
                cursor = _cursor(connection)
                stack.callback(cursor.close)
                cursor.execute(*([self._sql] if self._parameters is None else [self._sql, self._parameters]))
                first = cursor.fetchmany(FIRST_ROWS) if cursor.description is None else []
                names = self._names(cursor.description)
            except errors as error:
                raise self._failed(error) from None
            mapper = RowMapper(mapping, Columns(dict.fromkeys(names), is_open=True, extract=self.name))
            close = stack.pop_all().close
        pick = _picker(names, mapper.used)

        def read(size: int) -> Iterator[list[Numbered]]:
            numbered = enumerate(self._rows(cursor, first, size, errors), start=1)
            return in_chunks(((number, pick(row)) for number, row in numbered), size)

        return OpenExtract(columns=names, total_rows=None, mapper=mapper, read=read, close=close)

    def _rows(self, cursor: Any, first: list[Any], size: int, errors: Any) -> Iterator[Any]:
        try:
            yield from first
            while rows := cursor.fetchmany(size):
                yield from rows
        except errors as error:
            raise self._failed(error) from None

    def _names(self, description: Any) -> tuple[str, ...]:
        if not description:
            raise ExtractError(f"{self.name}: the statement returns no rows. Give one SELECT.")
        names = tuple(str(column[0]) for column in description)
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ExtractError(f"{self.name}: two columns are called '{twice}'. Name one of them with AS.")
        return names

    def _failed(self, error: BaseException) -> ExtractError:
        kind = type(error).__name__
        text = str(error).partition("\n")[0]
        why = kind if kind in _ABOUT_VALUES else f"{kind}: {text}"
        return ExtractError(
            f"{self.name}: the query failed ({why}). Nothing after it was read; correct it and run again."
        )


def _cursor(connection: Any) -> Any:
    if type(connection).__module__.partition(".")[0] in _NAMED_CURSORS:
        return connection.cursor(name="payrecords")
    return connection.cursor()


def _picker(names: tuple[str, ...], used: tuple[str, ...]) -> Any:
    positions = [names.index(name) for name in used]

    def pick(row: Any) -> Cells:
        if isinstance(row, Mapping):
            return tuple(row.get(name) for name in used)
        return tuple(row[position] for position in positions)

    return pick
