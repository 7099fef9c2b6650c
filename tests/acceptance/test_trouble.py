"""Throttling, errors, lost and broken answers: each payment still exists exactly once."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import Workspace
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_adds_up, assert_exactly_once, assert_export_agrees, assert_one_line_a_row
from tests.foreign.fixtures import StartServer

MOST_RUNS = 3


@pytest.mark.parametrize(
    ("mix", "seed"), [("limits", 31), ("errors", 32), ("network", 33), ("mixed", 34), ("mixed", 35)]
)
def test_after_at_most_three_runs_each_payment_exists_once_and_its_id_is_known(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, mix: str, seed: int
) -> None:
    extract = good_extract(40, seed)
    server = start_server(f"--mix={mix}", f"--seed={seed}", "--answers=any", "--prefix=prec_")
    for _ in range(MOST_RUNS):
        result = workspace.report(server.url)
        result.expect(0, 3)
        if result.exit_code == 0:
            break
    result.expect(0)
    assert {line["fault"] for line in server.log()} > {None}
    assert_exactly_once(extract, server, workspace)
    assert_one_line_a_row(extract, server, workspace)
    assert_adds_up(result, extract)
    assert_export_agrees(workspace)


def test_every_request_of_a_payment_carries_the_same_key_and_body(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    good_extract(30, 37)
    server = start_server("--mix=mixed", "--seed=37")
    workspace.report(server.url)
    sent: dict[str, set[str]] = {}
    for line in server.log():
        sent.setdefault(line["idempotency_key"], set()).add(line["form"])
    assert len(sent) == 30
    assert {len(bodies) for bodies in sent.values()} == {1}


def test_a_payment_behind_a_stored_error_is_found_by_its_stamp_and_never_sent_under_another_key(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(30, 38), start_server("--mix=stored", "--seed=38")
    result = workspace.report(server.url)
    result.expect(0)
    assert "error_stored" in {line["fault"] for line in server.log()}
    assert len({line["idempotency_key"] for line in server.log() if line["method"] == "POST"}) == 30
    assert_exactly_once(extract, server, workspace)
    assert_one_line_a_row(extract, server, workspace)


def test_behind_a_stored_error_without_lists_a_person_must_look_and_nothing_is_guessed(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(30, 38), start_server("--mix=stored", "--seed=38", "--no-lists")
    for _ in range(2):
        workspace.report(server.url).expect(1)
    stuck = {line["idempotency_key"] for line in server.log() if line["fault"] == "error_stored"}
    states = {entry["idempotency_key"]: entry["state"] for entry in workspace.entries()}
    assert {key for key, state in states.items() if state == "review"} == stuck
    assert set(server.stamped().values()) == {1}
    assert len(server.commits()) == len(extract.rows)
    server.restart("--mix=clean")
    found = workspace.report(server.url)
    found.expect(0)
    assert_exactly_once(extract, server, workspace)
