"""A stored failure without a list, told by a person, then compared: the whole way out of review, as processes."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import API_KEY, Workspace
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer
from tests.foreign.process import ForeignServer


@pytest.mark.parametrize("says_absent", [False, True])
def test_payments_behind_stored_failures_leave_review_by_a_person_s_word_and_none_is_doubled(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, says_absent: bool
) -> None:
    extract, server = good_extract(20, 38), start_server("--mix=stored", "--seed=38", "--no-lists")
    workspace.report(server.url).expect(1)
    common = [f"--ledger={workspace.ledger_url}", f"--api-base={server.url}", f"--api-key={API_KEY}", "--json"]
    stuck = [entry for entry in workspace.entries() if entry["state"] == "review"]
    assert stuck
    assert len(server.commits()) == len(extract.rows)
    looked = workspace.run(["review", "--look", *common])
    looked.expect(3)
    assert looked.json["left"] == len(stuck)
    if says_absent:
        # The person is wrong: this server recorded them. Now that it has a list, that is seen.
        server.restart("--mix=clean")
    for entry in stuck:
        word = ["--absent"] if says_absent else ["--found", record_of(server, entry["idempotency_key"])]
        said = workspace.run(["review", "resolve", entry["key"], *word, *common])
        said.expect(0)
        assert said.json["entry"]["state"] == "confirmed"
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)
    if says_absent:
        compared = workspace.run(
            ["reconcile", str(workspace.extract), f"--mapping={workspace.mapping}", *common, "--rate=500"]
        )
        compared.expect(0)
        assert compared.json["counts"] == {"agrees": len(extract.rows)}


def record_of(server: ForeignServer, idempotency_key: str) -> str:
    """Return the record that the server made under *idempotency_key*."""
    (line,) = (one for one in server.commits() if one["idempotency_key"] == idempotency_key)
    return str(line["record"])
