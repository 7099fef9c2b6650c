"""No room for the ledger, or for the results: what was sent is known, and a rerun with room completes."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.acceptance.command_line import API_KEY, Result, Workspace, finish, wait_for_requests
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once, assert_one_line_a_row
from tests.foreign.fixtures import StartServer
from tests.foreign.process import ForeignServer
from tests.violence.power import no_file_beyond
from tests.violence.small_disk import can_mount, disk_of, run_twice

ROWS = 200


@pytest.fixture
def mounts(tmp_path: Path) -> bool:
    """Say whether a small disk can be mounted; where not, a limit on the size of files stands for it alone."""
    return can_mount(tmp_path)


def _assert_plain(result: Result, *words: str) -> None:
    """It stopped, says what to do, and shows neither a key nor a trace."""
    result.expect(3)
    for word in words:
        assert word in result.json["error"]["message"], result.json
    assert result.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in result.err
    assert API_KEY[8:] not in result.out + result.err


def _assert_every_outcome_is_known(server: ForeignServer, workspace: Workspace) -> None:
    """What the server made is what the ledger holds, though the results do not."""
    made = {commit["form"]["metadata"]["payrecords_key"]: commit["record"] for commit in server.commits()}
    assert workspace.ledger_ids() == made
    assert {entry["state"] for entry in workspace.entries()} <= {"confirmed", "planned"}


def test_a_ledger_file_that_cannot_grow_stops_the_run_and_a_rerun_completes(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(ROWS), start_server()
    arguments = workspace.report_arguments(server.url, "--rate=100")
    _assert_plain(workspace.run(arguments, before=no_file_beyond(128)), "ledger", "space")
    assert len(server.commits()) < ROWS
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


@pytest.mark.parametrize("kibibytes", [24, 100, 240])
def test_a_ledger_on_a_full_disk_stops_the_run_and_a_rerun_with_room_completes(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, mounts: bool, kibibytes: int
) -> None:
    if not mounts:
        return
    extract, server = good_extract(ROWS), start_server()
    ledger = f"--ledger={disk_of(workspace) / 'ledger.db'}"
    twice = run_twice(workspace, workspace.report_arguments(server.url, ledger, "--rate=100"), kibibytes)
    _assert_plain(twice.full, "ledger", "space")
    twice.roomy.expect(0)
    workspace.ledger = workspace.folder / "after" / "ledger.db"
    assert_exactly_once(extract, server, workspace)


@pytest.mark.parametrize("workspace", ["postgresql"], indirect=True)
def test_results_that_cannot_grow_stop_the_run_and_the_ledger_holds_every_outcome(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(ROWS), start_server()
    process = workspace.start(workspace.report_arguments(server.url, "--rate=100"))
    wait_for_requests(server, process, 1)  # the extract is read by now
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (24 * 1024, 24 * 1024))
    stopped = finish(process)
    _assert_plain(stopped, "results", "ledger")
    assert len(server.commits()) > 0
    _assert_every_outcome_is_known(server, workspace)
    assert not workspace.results.exists()
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)
    assert_one_line_a_row(extract, server, workspace)


@pytest.mark.parametrize("kibibytes", [16, 48])
def test_results_on_a_full_disk_stop_the_run_and_the_ledger_holds_every_outcome(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, mounts: bool, kibibytes: int
) -> None:
    """The small one is full after a few lines, the larger one after many."""
    if not mounts:
        return
    extract, server = good_extract(ROWS), start_server()
    results = f"--results={disk_of(workspace) / 'results.jsonl'}"
    twice = run_twice(workspace, workspace.report_arguments(server.url, results), kibibytes)
    _assert_plain(twice.full, "results", "ledger", "No space left")
    assert twice.left == [], "what is of no use takes the room that is missing"
    twice.roomy.expect(0)
    workspace.results = workspace.folder / "after" / "results.jsonl"
    assert_exactly_once(extract, server, workspace)
    assert_one_line_a_row(extract, server, workspace)


@pytest.mark.parametrize("workspace", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kibibytes", [4, 32])
def test_without_room_for_a_copy_of_the_extract_nothing_is_sent_and_the_folder_to_free_is_named(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, kibibytes: int
) -> None:
    good_extract(ROWS * 10)
    server = start_server()
    refused = workspace.run(workspace.report_arguments(server.url), before=no_file_beyond(kibibytes))
    refused.expect(2)
    assert "Free space in the temporary folder (TMPDIR)." in refused.json["error"]["message"]
    assert server.requests() == 0
    assert workspace.entries() == []
