"""
A private DuckDB that holds a copy of the extract while it is read.

The copy is made in one go, so that every fault of a file shows before the first row is given out, a file that changes
meanwhile changes nothing, and the user's SQL runs where nothing else can be reached. It lies in a private temporary
folder, and little of it is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.column import Cells
from airflow_provider_payrecords.extract.explain import lacks_room, no_room, sql_error
from airflow_provider_payrecords.extract.sqltype import Type, fetching_type, quoted_name, quoted_text
from airflow_provider_payrecords.extract.table import Numbered
from airflow_provider_payrecords.scratch import PrivateFolder

MEMORY_LIMIT = "64MB"
"""Enough to copy and read any number of rows, whose buffers are set by ``reader.py``."""
LARGE_MEMORY_LIMIT = "256MB"
"""For what is not made of rows alone: SQL of the user, and JSON, whose reader takes large buffers."""
_NUMBER = "_payrecords_row"
_AS_SPELLED = frozenset(
    {"VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
)
"""Types whose values are the same if and only if their text in a key is."""
_SELECT = duckdb.StatementType.SELECT


class Staging:
    """
    The database and its folder.

    Attributes:
        folder: Private folder for copies of files, gone when the staging is closed.
        database: The connection.
    """

    def __init__(self) -> None:
        self._home = PrivateFolder()
        self.folder = self._home.path / "copies"
        self._is_loaded = False
        try:
            self.folder.mkdir(mode=0o700)
            self.database = self._connect()
        except (OSError, duckdb.Error) as error:
            self._home.cleanup()
            if lacks_room(error):
                raise no_room("The extract") from None
            raise

    def use_little_memory(self) -> None:
        """Hold less in memory: what is read is made of rows alone."""
        self.database.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")

    def load(self, relation: str, names: Sequence[str]) -> None:
        """Append the columns *names* of *relation*; its rows are numbered on from those already there."""
        columns = ", ".join(quoted_name(name) for name in names)
        rows_before = self.count() if self._is_loaded else 0
        target = "INSERT INTO staged" if self._is_loaded else "CREATE TABLE staged AS"
        number = f"row_number() OVER () + {rows_before} AS {_NUMBER}"
        self.database.execute(f"{target} SELECT {number}, {columns} FROM {relation}")
        self._is_loaded = True

    def seal(self) -> None:
        """Close the way to files, extensions and settings for everything that runs from here on."""
        self.database.execute(f"CREATE VIEW extract AS SELECT * EXCLUDE ({_NUMBER}) FROM staged")
        self.database.execute("SET enable_external_access = false")
        self.database.execute("SET lock_configuration = true")

    def keep_where(self, condition: str) -> None:
        """
        Keep the rows that meet the user's *condition*, with their numbers.

        Raises:
            MappingError: It is no single condition, or it fails.
        """
        try:
            duckdb.SQLExpression(condition)
            self._replace(f"SELECT * FROM staged AS extract WHERE (\n{condition}\n)")
        except duckdb.Error as error:
            raise sql_error(error, "where") from None

    def replace_by(self, sql: str) -> None:
        """
        Replace the rows by the result of the user's SELECT, numbered anew.

        Raises:
            MappingError: It is not one SELECT, or it fails.
        """
        try:
            statements = self.database.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != _SELECT:
                raise MappingError("The mapping's sql must be one SELECT over 'extract', and nothing else.")
            # query() takes one SELECT and binds it as a subquery, where a WITH that changes data is an error.
            self._replace(f"SELECT row_number() OVER () AS {_NUMBER}, * FROM query({quoted_text(sql)})")
        except duckdb.Error as error:
            raise sql_error(error, "sql") from None

    def types(self) -> dict[str, Type]:
        """Return name and fetched type of each column, in order."""
        description = self.database.execute("SELECT * FROM staged LIMIT 0").description or ()
        return {column[0]: fetching_type(column[1]) for column in description if column[0] != _NUMBER}

    def count(self) -> int:
        """Return the number of rows."""
        row = self.database.execute("SELECT count(*) FROM staged").fetchone()
        return int(row[0]) if row else 0

    def differ(self, types: dict[str, Type], names: Sequence[str]) -> bool:
        """
        Return whether no two rows can have the same key, made of the columns *names*. False where that is not known.

        It costs a twentieth of looking up every row's key, and hardly any extract has a key twice.
        """
        if not names or any(types[name].sql not in _AS_SPELLED for name in names):
            return False
        same = f"SELECT 1 FROM staged GROUP BY hash({_fetched(types, names)}) HAVING count(*) > 1 LIMIT 1"
        try:
            return self.database.execute(same).fetchone() is None
        except duckdb.Error as error:
            if lacks_room(error):
                raise no_room("The extract") from None
            raise

    def rows(self, types: dict[str, Type], names: Sequence[str], size: int) -> Iterator[list[Numbered]]:
        """Yield the cells of *names*, *size* rows at a time, in order; nothing but those rows is held in memory."""
        decoders = {at: decode for at, name in enumerate(names) if (decode := types[name].decoder())}
        result = self.database.cursor().execute(f"SELECT {_NUMBER}, {_fetched(types, names)} FROM staged")
        while rows := result.fetchmany(size):
            yield [(row[0], _decoded(row[1:], decoders) if decoders else row[1:]) for row in rows]

    def close(self) -> None:
        """Drop the database and its folder."""
        self.database.close()
        self._home.cleanup()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect(
            str(self._home.path / "extract.db"),
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "memory_limit": LARGE_MEMORY_LIMIT,
                "threads": 1,  # file order is kept, and other tasks on the machine keep their share
                "temp_directory": str(self._home.path / "spill"),
            },
        )
        database.execute("SET TimeZone = 'UTC'")
        return database

    def _replace(self, select: str) -> None:
        self.database.execute(f"CREATE TABLE picked AS {select}")
        self.database.execute("DROP VIEW extract")
        self.database.execute("DROP TABLE staged")
        self.database.execute("ALTER TABLE picked RENAME TO staged")


def _fetched(types: dict[str, Type], names: Sequence[str]) -> str:
    """Return the columns *names* as they are fetched, as expressions of SQL."""
    return ", ".join(f"CAST({quoted_name(name)} AS {types[name].sql})" for name in names)


def _decoded(cells: Any, decoders: dict[int, Callable[[Any], Any]]) -> Cells:
    return tuple(decoders[at](cell) if at in decoders else cell for at, cell in enumerate(cells))
