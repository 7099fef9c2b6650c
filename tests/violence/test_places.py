"""Ledgers and results where they cannot be: read-only, somebody else's, of another version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.command_line import API_KEY, Result, Workspace
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer
from tests.foreign.process import ForeignServer
from tests.violence.power import permissions_hold

ROWS = 12


def _assert_refused(result: Result, exit_code: int, *words: str) -> None:
    result.expect(exit_code)
    message = result.json["error"]["message"]
    assert [word for word in words if word not in message] == [], message
    assert result.err.strip() == f"error: {message}"
    assert API_KEY[8:] not in result.out + result.err


@pytest.fixture
def half_done(start_server: StartServer, workspace: Workspace, good_extract: MakeExtract) -> ForeignServer:
    """Report three of the rows into the workspace's ledger; return the server."""
    good_extract(ROWS)
    server = start_server()
    workspace.report(server.url, "--canary=3").expect(3)
    return server


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_ledger_stops_the_run_before_anything_is_sent(
    workspace: Workspace, half_done: ForeignServer, tmp_path: Path, what: str
) -> None:
    place = tmp_path / "ledger"
    place.mkdir()
    moved = workspace.ledger.rename(place / "ledger.db")
    forbidden, mode = (moved, 0o444) if what == "file" else (place, 0o555)
    before, sent = forbidden.stat().st_mode, half_done.requests()
    forbidden.chmod(mode)
    arguments = workspace.report_arguments(half_done.url, f"--ledger={moved}")
    refused = workspace.run(arguments, before=permissions_hold)
    _assert_refused(refused, 3, str(moved), "read-only", "write access to the file and its folder")
    assert half_done.requests() == sent
    forbidden.chmod(before)
    result = workspace.report(half_done.url, f"--ledger={moved}")
    result.expect(0)
    assert result.json["new"] == ROWS - 3


def test_a_read_only_ledger_that_permissions_cannot_explain_says_the_same(
    workspace: Workspace, half_done: ForeignServer
) -> None:
    sent = half_done.requests()
    read_only = f"--ledger=sqlite:///file:{workspace.ledger}?mode=ro&uri=true"
    refused = workspace.report(half_done.url, read_only)
    _assert_refused(refused, 3, str(workspace.ledger), "read-only", "write access")
    assert half_done.requests() == sent


def test_a_new_ledger_in_a_folder_that_may_not_be_written_stops_the_run(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, tmp_path: Path
) -> None:
    good_extract(ROWS)
    server, folder = start_server(), tmp_path / "closed"
    folder.mkdir(mode=0o555)
    arguments = workspace.report_arguments(server.url, f"--ledger={folder / 'ledger.db'}")
    refused = workspace.run(arguments, before=permissions_hold)
    _assert_refused(refused, 3, str(folder / "ledger.db"), "Permission denied", "written by this user")
    assert server.requests() == 0


@pytest.mark.parametrize("inside", ["results.jsonl", "new/results.jsonl"])
def test_results_that_cannot_be_written_stop_the_run_before_anything_is_sent(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, tmp_path: Path, inside: str
) -> None:
    extract, server, folder = good_extract(ROWS), start_server(), tmp_path / "closed"
    folder.mkdir(mode=0o555)
    arguments = workspace.report_arguments(server.url, f"--results={folder / inside}")
    refused = workspace.run(arguments, before=permissions_hold)
    _assert_refused(refused, 3, str(folder / inside), "Permission denied", "Choose another place")
    assert server.requests() == 0
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


@pytest.mark.parametrize("theirs", ["theirs.jsonl", "theirs.csv", "extract.csv", "ledger.db.csv"])
def test_a_file_that_is_not_ours_is_never_replaced_by_results(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, theirs: str
) -> None:
    good_extract(ROWS)
    server, path = start_server(), workspace.folder / theirs
    if not path.exists():
        path.write_text('{"somebody": "else"}\n', encoding="utf-8")
    before = path.read_bytes()
    _assert_refused(workspace.report(server.url, f"--results={path}"), 2, str(path), "another name")
    assert path.read_bytes() == before
    assert server.requests() == 0


def test_a_results_file_of_ours_is_replaced_whole_and_only_by_a_whole_one(
    workspace: Workspace, half_done: ForeignServer
) -> None:
    workspace.report(half_done.url).expect(0)
    whole = workspace.results.read_bytes()
    assert len(workspace.result_lines()) == ROWS
    half_done.restart(f"--revoked={API_KEY}")
    name = workspace.mapping.read_text(encoding="utf-8").replace("source: bank-eu", "source: bank-us")
    workspace.mapping.write_text(name, encoding="utf-8")
    stopped = workspace.report(half_done.url)
    stopped.expect(3)
    assert workspace.results.read_bytes() == whole
    assert stopped.json["results_path"].endswith("results.stopped.jsonl")


@pytest.mark.parametrize("command", ["report", "plan", "status", "export"])
def test_a_ledger_of_a_newer_version_is_left_alone_by_every_command(
    workspace: Workspace, half_done: ForeignServer, command: str
) -> None:
    with closing(sqlite3.connect(workspace.ledger)) as database, database:
        database.execute("INSERT INTO ledger_meta VALUES (99, 'from the future', '9.8.7')")
    before = workspace.entries(), half_done.requests()
    arguments = {
        "report": workspace.report_arguments(half_done.url),
        "plan": workspace.plan_arguments(half_done.url),
        "status": ["status", f"--ledger={workspace.ledger}", "--json"],
        "export": ["export", f"--ledger={workspace.ledger}"],
    }
    refused = workspace.run(arguments[command])
    refused.expect(3)
    for word in (str(workspace.ledger), "schema 99", "Install version 9.8.7 or newer here."):
        assert word in refused.err
    assert "Traceback" not in refused.err
    assert (workspace.entries(), half_done.requests()) == before
