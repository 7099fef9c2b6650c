"""Replays: the rejects that are named are sent again, each at most once more, and nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.bulk import RejectSelection, RunOptions
from airflow_provider_payrecords.bulk.choice import MAX_NAMED
from airflow_provider_payrecords.core.entry import Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import Event
from airflow_provider_payrecords.extract import ExtractMapping
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.world import FAST, World, payment, payments

GUARANTEED = {"outcome": "guaranteed", "guaranteed.guaranteed_at": 1_793_610_100}
REFUNDS = ExtractMapping.load({"source": "refunds", "endpoint": "report_refund"})


def refund(record: str, number: int, **changes: Any) -> dict[str, Any]:
    """Return refund *number*, of one euro of *record*."""
    return {
        "payment_record": record,
        "outcome": "refunded",
        "amount.value": 100,
        "amount.currency": "eur",
        "refunded.refunded_at": 1_793_620_000,
        "processor_details.type": "custom",
        "processor_details.custom.refund_reference": f"R{number:04}",
        **changes,
    }


class Recorder(SandboxTransport):
    """Remembers the idempotency keys of what was sent."""

    def __init__(self, world: World) -> None:
        super().__init__(world.sandbox)
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass *request* on."""
        self.keys.append(request.headers["idempotency-key"])
        return await super().handle_async_request(request)


@pytest.fixture
def refused_refunds(world: World) -> list[dict[str, Any]]:
    """Return two refunds that the API refused and stored its refusal of: their payments are pending."""
    ids = world.report([payment(1), payment(2)]).record_ids
    rows = [refund(record, number) for number, record in enumerate(ids, 1)]
    assert world.report(rows, mapping=REFUNDS).summary.counts == {"rejected": 2}
    return rows


def guarantee(world: World) -> None:
    """Let the payments be guaranteed, so that they can be refunded."""
    calls = ExtractMapping.load(
        {"source": "life", "endpoint": "report_payment_attempt_guaranteed", "key": "payment_record"}
    )
    rows = [{"payment_record": one["id"], "guaranteed_at": 1_793_615_000} for one in world.sandbox.records()]
    assert set(world.report(rows, mapping=calls).summary.counts) == {"confirmed"}


def refunds_of(world: World) -> list[int]:
    """Return the refunded amounts by record, oldest first."""
    return [record["amount_refunded"]["value"] for record in world.sandbox.records()]


def entry_of(world: World, key: str) -> Entry:
    """Return the entry of *key*."""
    return world.entries()[key]


@pytest.mark.parametrize(
    "select",
    [
        {"rows": [2]},
        {"rows": 2},
        {"keys": ["W0002"]},
        {"keys": "W0002", "rows": [1, 2]},
        {"keys": ["W0002"], "params": ["outcome", "canceled"], "rows": [2, 4]},
    ],
)
def test_a_reject_that_is_named_is_sent_and_the_others_are_left_as_they_are(
    world: World, rejects: list[dict[str, Any]], select: dict[str, Any], tmp_path: Path
) -> None:
    before = world.entries()
    results = tmp_path / "replay.jsonl"
    if "rows" in select and 1 in (select["rows"] if isinstance(select["rows"], list) else []):
        before.pop("W0001")
    summary = world.replay(rejects, select, results=results).summary
    assert summary.requests == summary.new == 1
    assert summary.counts["confirmed"] == summary.rows
    assert world.committed() == {"W0001": 1, "W0002": 1, "W0003": 1}
    after = world.entries()
    assert {key: after[key] for key in before if key != "W0002"} == {
        key: entry for key, entry in before.items() if key != "W0002"
    }
    lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    assert [(line["row_number"], line["key"], line["state"]) for line in lines] == [(2, "W0002", "confirmed")]


def test_all_rejects_are_sent_and_no_row_that_is_none(world: World, rejects: list[dict[str, Any]]) -> None:
    summary = world.replay([*rejects, payment(9)], {"all": True}).summary
    assert (summary.counts, summary.requests, summary.left_alone) == ({"confirmed": 2}, 2, 3)
    assert "W0009" not in world.entries()
    assert set(world.committed().values()) == {1}


def test_rejects_are_chosen_by_their_reason(world: World, rejects: list[dict[str, Any]]) -> None:
    code = entry_of(world, "W0002").error_code
    none = world.replay(rejects, {"codes": ["something_else"]}).summary
    assert (none.rows, none.requests, none.left_alone) == (0, 0, 4)
    assert world.replay(rejects, {"codes": [code]}).summary.counts == {"confirmed": 2}


def test_the_same_content_goes_under_the_same_key_and_a_corrected_row_under_its_own(
    world: World, rejects: list[dict[str, Any]]
) -> None:
    known = {key: entry.idempotency_key for key, entry in world.entries().items()}
    network = Recorder(world)
    corrected = [*rejects[:3], payment(4)]
    assert world.replay(corrected, {"all": True}, network=network).summary.counts == {"confirmed": 2}
    assert known["W0002"] in network.keys
    assert known["W0004"] not in network.keys
    assert entry_of(world, "W0004").idempotency_key in network.keys


def test_a_replay_of_a_row_that_is_confirmed_meanwhile_sends_nothing_and_says_where_it_stands(
    world: World, rejects: list[dict[str, Any]]
) -> None:
    world.replay(rejects, {"keys": ["W0002"]})
    before = world.entries()
    again = world.replay(rejects, {"keys": ["W0002", "W0001"]}).summary
    assert (again.requests, again.new, again.counts) == (0, 0, {"confirmed": 2})
    assert world.entries() == before


def test_a_row_that_is_confirmed_between_the_look_and_the_claim_is_not_sent(
    world: World, rejects: list[dict[str, Any]]
) -> None:
    other = Worker("elsewhere:1:x", "run-other", 300)

    class Overtaken:
        """A ledger on which another worker confirms the payment just after it was looked up."""

        def __init__(self, store: LedgerStore) -> None:
            self.store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self.store, name)

        def look_up(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
            known = self.store.look_up(scope, keys)
            if not keys:
                return known
            entry = known["W0002"]
            replay = Intent(entry.key, entry.fingerprint, entry.idempotency_key, replay=True)
            self.store.claim(scope, [replay], other, world.instant)
            answer = Settlement(entry.key, entry.idempotency_key, Event.ACCEPTED, payment_record="pr_other")
            self.store.settle(scope, [answer], world.instant)
            return known

    with world.ledger() as store:
        summary = world.replay(rejects, {"keys": ["W0002"]}, ledger=Overtaken(store)).summary
    assert (summary.requests, summary.counts) == (0, {"confirmed": 1})


def test_payments_that_may_exist_are_not_taken_for_rejects(tmp_path: Path) -> None:
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=(Fault(kind=FaultKind.DROP_BEFORE),)))
    assert world.report([payment(1)]).summary.counts == {"unknown": 1}
    before = world.entries()
    for select in ({"all": True}, {"rows": 1}, {"keys": "W0001"}):
        assert world.replay([payment(1)], select).summary.requests == 0
    assert world.entries() == before


def test_a_stored_refusal_is_followed_by_one_send_under_the_next_key(
    world: World, refused_refunds: list[dict[str, Any]]
) -> None:
    guarantee(world)
    first = entry_of(world, "R0001").idempotency_key
    network = Recorder(world)
    summary = world.replay(refused_refunds, {"keys": ["R0001"]}, mapping=REFUNDS, network=network).summary
    assert network.keys == [first, f"{first}.2"]
    assert (summary.counts, summary.new, summary.requests) == ({"confirmed": 1}, 1, 2)
    assert refunds_of(world) == [100, 0]
    assert world.replay(refused_refunds, {"keys": ["R0001"]}, mapping=REFUNDS).summary.requests == 0


def test_a_refusal_that_stands_is_asked_for_twice_at_most(world: World, refused_refunds: list[dict[str, Any]]) -> None:
    network = Recorder(world)
    summary = world.replay(refused_refunds, {"all": True}, mapping=REFUNDS, network=network).summary
    assert (summary.counts, summary.requests, len(set(network.keys))) == ({"rejected": 2}, 4, 4)
    assert refunds_of(world) == [0, 0]
    # A report does not replay: what is refused stays refused.
    assert world.report(refused_refunds, mapping=REFUNDS).summary.requests == 0
    guarantee(world)
    assert world.replay(refused_refunds, {"all": True}, mapping=REFUNDS).summary.counts == {"confirmed": 2}
    assert refunds_of(world) == [100, 100]


def test_a_refusal_that_the_api_forgot_is_asked_for_under_its_own_key(
    world: World, refused_refunds: list[dict[str, Any]]
) -> None:
    guarantee(world)
    world.later(hours=25)
    network = Recorder(world)
    known = {entry.idempotency_key for entry in world.entries().values() if entry.scope.source == "refunds"}
    assert world.replay(refused_refunds, {"all": True}, mapping=REFUNDS, network=network).summary.counts == {
        "confirmed": 2
    }
    assert set(network.keys) == known


def test_a_lost_answer_of_a_later_key_is_resent_under_that_key(
    world: World, refused_refunds: list[dict[str, Any]]
) -> None:
    guarantee(world)
    world.sandbox.faults.add(Fault(kind=FaultKind.DROP_AFTER, skip=1, endpoint="report_refund"))
    lost = world.replay(refused_refunds[:1], {"all": True}, mapping=REFUNDS).summary
    assert lost.counts == {"unknown": 1}
    network = Recorder(world)
    again = world.report(refused_refunds[:1], mapping=REFUNDS, network=network).summary
    assert again.counts == {"confirmed": 1}
    assert [key.endswith(".2") for key in network.keys] == [True]
    assert refunds_of(world) == [100, 0]


def test_many_stored_refusals_do_not_look_like_a_wrong_api_version(world: World) -> None:
    ids = world.report(payments(7)).record_ids
    rows = [refund(record, number, **{"amount.value": 10_000_000}) for number, record in enumerate(ids, 1)]
    for row in rows:
        world.report([row], mapping=REFUNDS)
    guarantee(world)
    mended = [row | {"amount.value": 100} for row in rows]
    assert world.replay(mended, {"all": True}, mapping=REFUNDS).summary.counts == {"confirmed": 7}


def test_a_row_our_checks_refuse_is_named_with_its_reason_and_once_it_is_mended_it_is_sent(world: World) -> None:
    rows = [payment(1), payment(2, **{"amount_requested.value": 12.5}), payment(3)]
    world.report(rows)
    still = world.replay(rows, {"codes": ["float_amount"]}).summary
    assert (still.counts, still.requests) == ({"rejected": 1}, 0)
    assert still.first_rejects[0]["row_number"] == 2
    assert world.replay(payments(3), {"all": True}).summary.rows == 0
    assert world.replay(payments(3), {"rows": 2}).summary.counts == {"confirmed": 1}
    assert set(world.committed().values()) == {1}


def test_what_is_named_and_not_there_is_said(world: World, rejects: list[dict[str, Any]]) -> None:
    summary = world.replay(rejects, {"keys": ["W0002", "nobody"]}).summary
    assert (summary.missing, summary.exit_code) == (["nobody"], 1)
    assert world.replay(rejects, {"rows": [7, 4, 99]}).summary.missing == ["row 7", "row 99"]


def test_a_dry_replay_says_what_would_be_sent_and_changes_nothing(world: World, rejects: list[dict[str, Any]]) -> None:
    before = world.entries()
    dry = world.replay(rejects, {"all": True}, options=RunOptions(dry_run=True)).summary
    assert (dry.counts, dry.requests, dry.left_alone, world.entries()) == ({"new": 2}, 0, 2, before)


def test_a_canary_sends_no_more_than_it_may(world: World, refused_refunds: list[dict[str, Any]]) -> None:
    guarantee(world)
    one = FAST.model_copy(update={"canary": 1, "concurrency": 1})
    summary = world.replay(refused_refunds, {"all": True}, mapping=REFUNDS, options=one).summary
    assert (summary.status, summary.requests) == ("stopped", 1)
    assert world.replay(refused_refunds, {"all": True}, mapping=REFUNDS).summary.counts == {"confirmed": 2}
    assert refunds_of(world) == [100, 100]


@pytest.mark.parametrize(
    ("select", "said"),
    [
        (None, "give a mapping"),
        ({}, "say which rejects"),
        ({"all": True, "keys": ["a"]}, "say which rejects"),
        ({"rows": [0]}, "greater than or equal to 1"),
        ({"rows": ["second"]}, "valid integer"),
        ({"code": "x"}, "code"),
        ({"keys": [f"k{number}" for number in range(MAX_NAMED + 1)]}, "at most"),
    ],
)
def test_a_selection_that_cannot_work_is_explained(
    world: World, rejects: list[dict[str, Any]], select: Any, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        world.replay(rejects, select)


def test_a_selection_that_is_made_is_taken_as_it_is(world: World, rejects: list[dict[str, Any]]) -> None:
    assert world.replay(rejects, RejectSelection(rows=frozenset({2}))).summary.rows == 1
