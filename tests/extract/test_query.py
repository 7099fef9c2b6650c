"""Queries through anything that has a connection to give."""

from __future__ import annotations

import sqlite3

import pytest

from airflow_provider_payrecords.core.errors import ExtractError, MappingError
from airflow_provider_payrecords.extract import SqlQuery
from tests.extract.sample import CANARY, mapping, only_problems, params, read


class Database:
    """A file of SQLite with the shape of an Airflow hook; remembers its connections and how much was fetched."""

    def __init__(self, path) -> None:
        self.path = path
        self.opened: list[Connection] = []

    def get_conn(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, factory=Connection)
        self.opened.append(connection)
        return connection


class Connection(sqlite3.Connection):
    """Counts what is fetched, and knows when it is closed."""

    fetched = 0
    is_closed = False

    def cursor(self, factory=None):
        return super().cursor(Cursor)

    def close(self):
        self.is_closed = True
        super().close()


class Cursor(sqlite3.Cursor):
    def fetchmany(self, size=1):
        rows = super().fetchmany(size)
        self.connection.fetched += len(rows)
        return rows


SELECT = "SELECT id, gross, currency, created, status, payer FROM payments ORDER BY id"


@pytest.fixture
def database(tmp_path) -> Database:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE payments (id INTEGER, gross TEXT, currency, created, status, payer)")
        connection.executemany(
            "INSERT INTO payments VALUES (?, '49.50', 'EUR', '2026-01-31 10:00:00', 'Settled', ?)",
            [(number, f"{CANARY} {number}") for number in range(1, 501)],
        )
    connection.close()
    return Database(tmp_path / "shop.db")


def test_a_query_gives_numbered_rows(database):
    rows = read(SqlQuery(database, SELECT), mapping())
    assert [row.number for row in rows] == list(range(1, 501))
    assert rows[4].key == "5"
    assert params(rows[4])["amount_requested"] == {"value": 4950, "currency": "eur"}


def test_parameters_are_bound(database):
    rows = read(SqlQuery(database, SELECT.replace("ORDER", "WHERE id = ? ORDER"), parameters=[7]))
    assert [row.key for row in rows] == ["7"]


def test_rows_are_fetched_as_they_are_asked_for(database):
    with SqlQuery(database, SELECT).open(mapping()) as opened:
        assert opened.total_rows is None
        assert opened.columns == ("id", "gross", "currency", "created", "status", "payer")
        next(opened.batches(10))
        assert database.opened[0].fetched <= 20


def test_the_connection_is_closed_whatever_happens(database):
    read(SqlQuery(database, SELECT))
    with pytest.raises(MappingError, match="^The extract 'query' has no column 'nope'"):
        read(SqlQuery(database, SELECT), mapping(key="nope"))
    with pytest.raises(ExtractError):
        read(SqlQuery(database, "SELECT nope"))
    assert [connection.is_closed for connection in database.opened] == [True, True, True]


def test_repeated_keys_are_problems(database):
    rows = read(SqlQuery(database, SELECT.replace("ORDER", "WHERE id < 3 UNION ALL SELECT * FROM payments ORDER")))
    assert ("key", "duplicate_key") in {(field, code) for _, field, code in only_problems(rows)}
    assert len(only_problems(rows)) == 2


def test_a_failing_query_says_why(database):
    with pytest.raises(ExtractError, match="nightly: the query failed .*no such column: nope"):
        read(SqlQuery(database, "SELECT nope FROM payments", name="nightly"))


def test_a_query_that_breaks_off_midway_is_an_error(database):
    sql = SELECT.replace("id,", "CASE WHEN id < 400 THEN id ELSE json(payer) END AS id,", 1)
    with pytest.raises(ExtractError, match="the query failed"):
        read(SqlQuery(database, sql), size=50)


@pytest.mark.parametrize(
    ("sql", "message"),
    [("CREATE TABLE x (y)", "returns no rows"), ("SELECT id, id FROM payments", "two columns are called 'id'")],
)
def test_statements_that_are_no_table_are_refused(database, sql, message):
    with pytest.raises(ExtractError, match=message):
        read(SqlQuery(database, sql))


def test_rows_may_be_mappings(database):
    class Named(Database):
        def get_conn(self):
            connection = super().get_conn()
            connection.row_factory = lambda cursor, row: dict(
                zip((one[0] for one in cursor.description), row, strict=True)
            )
            return connection

    assert read(SqlQuery(Named(database.path), SELECT))[0].key == "1"


def test_drivers_that_read_everything_are_given_a_named_cursor(database):
    asked = []

    class ServerSide(Connection):
        """As psycopg2: the description of a named cursor shows after the first fetch."""

        def cursor(self, name=None):
            asked.append(name)
            return LateCursor(super().cursor())

    ServerSide.__module__ = "psycopg2.extensions"

    class LateCursor:
        def __init__(self, cursor) -> None:
            self._cursor = cursor
            self.description = None

        def execute(self, *arguments):
            self._cursor.execute(*arguments)

        def fetchmany(self, size):
            self.description = self._cursor.description
            return self._cursor.fetchmany(size)

        def close(self):
            self._cursor.close()

    class Hook:
        def get_conn(self):
            return sqlite3.connect(database.path, factory=ServerSide)

    rows = read(SqlQuery(Hook(), SELECT))
    assert asked == ["payrecords"]
    assert [row.number for row in rows] == list(range(1, 501))


@pytest.mark.parametrize("keys", [{"where": "true"}, {"sql": "FROM extract"}, {"options": {"header": False}}])
def test_filters_belong_into_the_query(database, keys):
    with pytest.raises(MappingError, match="Filter and convert it upstream"):
        SqlQuery(database, SELECT).open(mapping(**keys))
    assert database.opened == []
