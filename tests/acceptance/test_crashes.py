"""kill -9 of the client at any moment, two clients at once, and a server that goes away."""

from __future__ import annotations

import random
import signal

import pytest

from tests.acceptance.command_line import Workspace, finish, kill_group, wait_for_requests, wait_until
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_adds_up, assert_exactly_once, assert_export_agrees
from tests.foreign.fixtures import StartServer

ROWS = 48


@pytest.mark.parametrize("seed", [41, 42, 43])
def test_after_kill_9_at_random_moments_a_rerun_records_each_payment_once(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, seed: int
) -> None:
    extract = good_extract(ROWS, seed)
    server = start_server("--mix=network", f"--seed={seed}", "--most-faults=1")
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for goal in sorted(chance.sample(range(1, ROWS), 2)):
        process = workspace.start(workspace.report_arguments(server.url, "--concurrency=6", "--rate=60"))
        wait_for_requests(server, process, goal)
        kill_group(process)
        process.communicate()
        assert process.returncode == -9, "it ended before it could be killed"
    result = workspace.report(server.url)
    result.expect(0)
    assert_exactly_once(extract, server, workspace)
    assert_adds_up(result, extract)
    assert_export_agrees(workspace)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_settles_what_is_under_way_and_a_rerun_completes(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, asked: signal.Signals
) -> None:
    extract, server = good_extract(ROWS, 51), start_server()
    process = workspace.start(workspace.report_arguments(server.url, "--concurrency=4", "--rate=40"))
    wait_for_requests(server, process, 10)
    process.send_signal(asked)
    stopped = finish(process)
    stopped.expect(3)
    assert stopped.json["status"] == "stopped"
    assert "Traceback" not in stopped.err
    assert stopped.json["counts"]["confirmed"] == len(server.commits()) < ROWS
    assert {entry["state"] for entry in workspace.entries()} <= {"confirmed", "planned"}
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


def test_killed_before_the_first_request_nothing_is_lost(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(ROWS, 45), start_server()
    process = workspace.start(workspace.report_arguments(server.url))
    wait_until(workspace.ledger.exists, "the ledger file")
    kill_group(process)
    process.communicate()
    result = workspace.report(server.url)
    result.expect(0)
    assert_exactly_once(extract, server, workspace)


@pytest.mark.parametrize(("seed", "mix"), [(46, "clean"), (47, "network")])
def test_two_processes_on_one_ledger_record_each_payment_once(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, seed: int, mix: str
) -> None:
    extract = good_extract(ROWS, seed)
    server = start_server(f"--mix={mix}", f"--seed={seed}", "--most-faults=1")
    arguments = workspace.report_arguments(server.url, "--rate=60")
    other = [f"--results={workspace.folder / 'other.jsonl'}"]
    both = [workspace.start(arguments), workspace.start([*arguments, *other])]
    results = [finish(process) for process in both]
    for result in results:
        result.expect(0, 3)
    last = workspace.report(server.url)
    last.expect(0)
    assert_exactly_once(extract, server, workspace)


def test_a_server_that_restarts_in_the_middle_loses_and_doubles_nothing(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(ROWS, 48), start_server()
    process = workspace.start(workspace.report_arguments(server.url, "--rate=40"))
    wait_for_requests(server, process, 12)
    server.restart()
    result = finish(process)
    result.expect(0, 3)
    if result.exit_code == 3:
        workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)
