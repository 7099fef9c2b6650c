"""PostgreSQL killed and restarted under a run, or not to be had: each payment once, and the password nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest

from tests.acceptance.command_line import API_KEY, Result, Workspace, finish, wait_for_requests
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.extract_files import write_good_extract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer
from tests.violence.database_server import DatabaseServer

ROWS = 150
MOST_RUNS = 3
PASSWORD = "canaryLedgerPassword"


@pytest.fixture(scope="module")
def database() -> Iterator[DatabaseServer]:
    """Return a server that the tests of this module may kill."""
    with DatabaseServer() as server:
        yield server


@pytest.fixture
def place(database: DatabaseServer, tmp_path: Path) -> Workspace:
    """Return a workspace with a new database on that server."""
    name = f"ledger_{token_hex(4)}"
    with psycopg.connect(database.url, autocommit=True) as session:
        session.execute(f'CREATE DATABASE "{name}"'.encode())
    folder = tmp_path / "work"
    folder.mkdir()
    return Workspace(folder, database.url.replace("/postgres?", f"/{name}?"))


def _assert_says_what_to_do(result: Result) -> None:
    result.expect(3)
    said = result.json.get("stop_reason") or result.json["error"]["message"]
    assert "ledger" in said
    assert "Check that the database server is running and can be reached from here" in said, said
    assert "Traceback" not in result.err
    assert API_KEY[8:] not in result.out + result.err


@pytest.mark.parametrize("end", [DatabaseServer.kill, DatabaseServer.shut_down], ids=["kill -9", "restart"])
def test_a_database_that_restarts_in_the_middle_loses_and_doubles_nothing(
    start_server: StartServer, place: Workspace, database: DatabaseServer, end: Callable[[DatabaseServer], None]
) -> None:
    extract, server = write_good_extract(place, ROWS, 81), start_server("--mix=network", "--seed=81", "--most-faults=1")
    process = place.start(place.report_arguments(server.url, "--rate=60", "--concurrency=6"))
    wait_for_requests(server, process, 40)
    end(database)
    database.start()
    result = finish(process)
    for _ in range(MOST_RUNS):
        if result.exit_code == 0:
            break
        result.expect(3)
        result = place.report(server.url)
    result.expect(0)
    assert_exactly_once(extract, server, place)


def test_a_database_that_goes_and_stays_away_stops_the_run_and_a_rerun_completes(
    start_server: StartServer, place: Workspace, database: DatabaseServer
) -> None:
    extract, server = write_good_extract(place, ROWS, 82), start_server()
    process = place.start(place.report_arguments(server.url, "--rate=60", "--concurrency=6"))
    wait_for_requests(server, process, 40)
    database.kill()
    try:
        stopped, never_there = finish(process), place.report(server.url)
        sent = server.requests()
    finally:
        database.start()
    _assert_says_what_to_do(stopped)
    _assert_says_what_to_do(never_there)
    assert sent < ROWS, "it went on sending though it could not remember"
    place.report(server.url).expect(0)
    assert_exactly_once(extract, server, place)


def test_a_database_that_may_only_be_read_stops_the_run_before_anything_is_sent(
    start_server: StartServer, place: Workspace
) -> None:
    extract, server = write_good_extract(place, 12, 83), start_server()
    place.report(server.url, "--canary=3").expect(3)
    with psycopg.connect(place.ledger_url, autocommit=True) as session:
        name = session.info.dbname
        session.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        refused = place.report(server.url)
        refused.expect(3)
        assert "read-only transaction" in refused.err
        assert server.requests() == 3
        session.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off'.encode())
    place.report(server.url).expect(0)
    assert_exactly_once(extract, server, place)


def test_a_database_that_refuses_the_password_is_named_without_it(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, database: DatabaseServer
) -> None:
    good_extract(12)
    server = start_server()
    database.demand_password("bookkeeper", f"not{PASSWORD}")
    url = database.url.replace("://postgres:@", f"://bookkeeper:{PASSWORD}@")
    refused = workspace.report(server.url, f"--ledger={url}")
    refused.expect(3)
    assert "Check the user and the password of the ledger's connection." in refused.err
    assert PASSWORD not in refused.out + refused.err
    assert PASSWORD.encode() not in workspace.everything_on_disk()
    assert server.requests() == 0
