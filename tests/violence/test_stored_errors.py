"""A server that records a payment and repeats a 500 for it, under runs that are killed: in review, once."""

from __future__ import annotations

import random

import pytest

from tests.acceptance.command_line import Workspace, kill_group, wait_for_requests
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer

ROWS = 60


@pytest.mark.parametrize(("workspace", "seed"), [("sqlite", 3001), ("postgresql", 3002)], indirect=["workspace"])
def test_what_a_stored_error_hides_is_in_review_however_often_the_run_is_killed(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, seed: int
) -> None:
    extract, server = good_extract(ROWS, seed), start_server("--mix=stored", f"--seed={seed}", "--no-lists")
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for _ in range(2):
        goal = server.requests() + chance.randrange(5, 20)
        process = workspace.start(workspace.report_arguments(server.url, "--rate=30", "--concurrency=4"))
        wait_for_requests(server, process, goal)
        kill_group(process)
        process.communicate()
    result = workspace.report(server.url)
    result.expect(1)
    first = {line["idempotency_key"]: line["fault"] for line in reversed(server.log())}
    stuck = {key for key, fault in first.items() if fault == "error_stored"}
    entries = workspace.entries()
    assert stuck
    assert {entry["idempotency_key"] for entry in entries if entry["state"] == "review"} == stuck, f"seed {seed}"
    assert {entry["state"] for entry in entries} == {"confirmed", "review"}
    assert set(server.stamped().values()) == {1}
    assert len(server.commits()) == len(entries) == ROWS
    reasons = {line["error_message"] for line in workspace.result_lines() if line["state"] == "review"}
    assert all("Look for it in the Dashboard by metadata payrecords_key" in reason for reason in reasons)
    server.restart("--mix=clean")
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)
