"""Two processes, one ledger, one extract: together they send each row once, also when one of them is killed."""

from __future__ import annotations

import random
import subprocess

import pytest

from tests.acceptance.command_line import Workspace, finish, kill_group, wait_for_requests
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer

ROWS = 400
both_ledgers = pytest.mark.parametrize("workspace", ["sqlite", "postgresql"], indirect=True)


def _start_two(workspace: Workspace, url: str, rate: int) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """Start both; a low rate makes small batches, so that neither claims everything."""
    arguments = [*workspace.report_arguments(url), f"--rate={rate}", "--concurrency=8"]
    other = f"--results={workspace.folder / 'other.jsonl'}"
    return workspace.start(arguments), workspace.start([*arguments, other])


@both_ledgers
def test_two_runs_at_once_send_each_row_once_between_them(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(ROWS, 71), start_server()
    results = [finish(process) for process in _start_two(workspace, server.url, rate=50)]
    for result in results:
        result.expect(0, 3)
    assert server.requests() == ROWS
    assert [result.json["requests"] > 0 for result in results] == [True, True], "one of them had nothing to do"
    assert sum(result.json["new"] for result in results) == ROWS
    assert_exactly_once(extract, server, workspace)


@both_ledgers
@pytest.mark.parametrize("seed", [72])
def test_when_one_of_two_runs_is_killed_the_other_and_a_rerun_lose_and_double_nothing(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, seed: int
) -> None:
    extract, server = good_extract(ROWS // 2, seed), start_server("--mix=network", f"--seed={seed}", "--most-faults=1")
    first, second = _start_two(workspace, server.url, rate=50)
    wait_for_requests(server, first, random.Random(seed).randrange(20, 100))  # noqa: S311 - repeatable, not secret
    kill_group(first)
    first.communicate()
    finish(second).expect(0, 3)
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)
