"""The table of transitions, and the amounts that follow from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from airflow_provider_payrecords.core.models import PaymentRecord, RecordState
from airflow_provider_payrecords.sandbox.errors import RefusalError
from airflow_provider_payrecords.sandbox.identifiers import CountedIds
from airflow_provider_payrecords.sandbox.objects import Attempt, Holdings, Moment
from airflow_provider_payrecords.sandbox.state import TRANSITIONS, Step, buckets, report_on_record, report_payment
from tests.sandbox.samples import CALLS, PAYMENT, START, Api, make_sandbox, refund

PAIRS = [(state, call) for state in RecordState for call in CALLS]

AFTER = {
    "report_payment_attempt": RecordState.PENDING,
    "report_payment_attempt_guaranteed": RecordState.GUARANTEED,
    "report_payment_attempt_failed": RecordState.FAILED,
    "report_payment_attempt_canceled": RecordState.CANCELED,
    "report_refund": RecordState.REFUNDED,
}


@pytest.mark.parametrize(("state", "call"), [pair for pair in PAIRS if pair not in TRANSITIONS])
def test_pair_that_is_not_in_the_table_is_refused_and_changes_nothing(api: Api, state: RecordState, call: str) -> None:
    record = api.record_in(state)
    answer = api.act(record["id"], call)
    assert answer.blame == (400, None, None)
    assert answer.error["type"] == "invalid_request_error"
    assert api.get(f"/v1/payment_records/{record['id']}").body == record


@pytest.mark.parametrize(("state", "call"), [pair for pair in PAIRS if pair in TRANSITIONS])
def test_pair_that_is_in_the_table_leads_to_its_state(api: Api, state: RecordState, call: str) -> None:
    record = api.record_in(state)
    answer = api.act(record["id"], call)
    assert answer.status == 200
    assert PaymentRecord(**answer.body).state is AFTER.get(call, state)


def test_table_is_the_published_one() -> None:
    legal = {
        RecordState.PENDING: {"guaranteed", "failed", "canceled"},
        RecordState.FAILED: {"attempt"},
        RecordState.CANCELED: {"attempt"},
        RecordState.GUARANTEED: {"refund"},
        RecordState.PARTIALLY_REFUNDED: {"refund"},
        RecordState.REFUNDED: set(),
    }
    for state, words in legal.items():
        calls = {call.rsplit("_", 1)[-1] for known, call in TRANSITIONS if known is state}
        assert calls == words | {"informational"}


@pytest.mark.parametrize("outcome", ["guaranteed", "failed", "canceled"])
def test_payment_and_attempt_can_begin_with_their_outcome(api: Api, outcome: str) -> None:
    given: dict[str, Any] = {"outcome": outcome, outcome: {f"{outcome}_at": START}}
    assert PaymentRecord(**api.report(**given)).state.value == outcome
    failed = api.record_in(RecordState.FAILED)
    again = api.act(failed["id"], "report_payment_attempt", {"initiated_at": START, **given}).body
    assert PaymentRecord(**again).state.value == outcome
    assert again["latest_payment_attempt_record"] != failed["latest_payment_attempt_record"]


def test_old_attempt_keeps_its_own_amounts(api: Api) -> None:
    failed = api.record_in(RecordState.FAILED)
    again = api.act(failed["id"], "report_payment_attempt").body
    old = api.get(f"/v1/payment_attempt_records/{failed['latest_payment_attempt_record']}").body
    assert (again["amount_failed"]["value"], old["amount_failed"]["value"]) == (0, 4950)


def test_new_attempt_inherits_what_it_does_not_name(api: Api) -> None:
    record = api.report(description="first", metadata={"order": "7"}, outcome="failed", failed={"failed_at": START})
    again = api.act(record["id"], "report_payment_attempt").body
    same = ("description", "metadata", "payment_method_details", "processor_details")
    assert {name: again[name] for name in same} == {name: record[name] for name in same}


def test_new_attempt_replaces_the_payment_method_as_a_whole(api: Api) -> None:
    named = {**PAYMENT["payment_method_details"], "billing_details": {"name": "Zoë"}}
    record = api.report(payment_method_details=named, outcome="failed", failed={"failed_at": START})
    details = {"type": "custom", "custom": {"display_name": "Cash"}}
    params = {"initiated_at": START, "payment_method_details": details}
    again = api.act(record["id"], "report_payment_attempt", params).body["payment_method_details"]
    assert (again["custom"]["display_name"], again["billing_details"]) == ("Cash", None)


def test_refunds_add_up_and_stop_at_the_amount(api: Api) -> None:
    record = api.record_in(RecordState.GUARANTEED)
    part = api.act(record["id"], "report_refund", refund("one", 1000)).body
    assert (part["amount_refunded"]["value"], part["amount_guaranteed"]["value"]) == (1000, 3950)
    more = api.act(record["id"], "report_refund", refund("two", 3951))
    assert more.blame == (400, None, "amount[value]")
    rest = api.act(record["id"], "report_refund", refund("three")).body
    assert (rest["amount_refunded"]["value"], rest["amount_guaranteed"]["value"]) == (4950, 0)


def test_keep_model_leaves_the_guaranteed_amount() -> None:
    api = Api(make_sandbox(refund_model="keep"))
    shown = api.record_in(RecordState.REFUNDED)
    assert (shown["amount_refunded"]["value"], shown["amount_guaranteed"]["value"]) == (4950, 4950)


def test_refund_in_another_currency_is_refused(api: Api) -> None:
    record = api.record_in(RecordState.GUARANTEED)
    assert api.act(record["id"], "report_refund", refund("one", 100, "usd")).blame == (400, None, "amount[currency]")


def test_refund_reference_is_unique_across_all_records(api: Api) -> None:
    one, other = api.record_in(RecordState.GUARANTEED), api.record_in(RecordState.GUARANTEED)
    assert api.act(one["id"], "report_refund", refund("same", 100)).status == 200
    for record in (one, other):
        answer = api.act(record["id"], "report_refund", refund("same", 100))
        assert answer.blame == (400, None, "processor_details[custom][refund_reference]")


def test_created_never_falls_even_if_the_clock_does() -> None:
    holdings, ids = Holdings(), CountedIds()
    for now in (START, START - 60):
        holdings.apply(report_payment(holdings, PAYMENT, Moment(now, ids)))
    assert [record.created for record in holdings.order] == [START, START]


class Payments(RuleBasedStateMachine):
    """Any sequence of calls, legal or not, on any number of payments."""

    records = Bundle("records")

    def __init__(self) -> None:
        super().__init__()
        self.holdings = Holdings()
        self.moment = Moment(START, CountedIds())
        self.references = 0

    @rule(
        target=records,
        value=st.integers(1, 10_000),
        outcome=st.sampled_from([None, "guaranteed", "failed", "canceled"]),
    )
    def report(self, value: int, outcome: str | None) -> str:
        params: dict[str, Any] = {**PAYMENT, "amount_requested": {"currency": "eur", "value": value}}
        change = report_payment(
            self.holdings, params if outcome is None else {**params, "outcome": outcome}, self.moment
        )
        self.holdings.apply(change)
        return change.records[0].id

    @rule(record=records, call=st.sampled_from(sorted(CALLS)), value=st.none() | st.integers(1, 12_000))
    def call(self, record: str, call: str, value: int | None) -> None:
        self.references += 1
        params = refund(f"r{self.references}", value) if call == "report_refund" else CALLS[call]
        before = self.holdings.latest(self.holdings.records[record])
        try:
            change = report_on_record(call, self.holdings, record, params, self.moment)
        except RefusalError:
            step = TRANSITIONS.get((before.state, call))
            assert step is None or (
                step is Step.REFUND and value is not None and value > before.value - before.refunded
            )
            return
        assert (before.state, call) in TRANSITIONS
        self.holdings.apply(change)

    @invariant()
    def amounts_are_sensible(self) -> None:
        for attempt in self.holdings.attempts.values():
            assert_sensible(attempt)

    @invariant()
    def every_attempt_belongs_to_one_record(self) -> None:
        owned = [one for record in self.holdings.order for one in record.attempts]
        assert sorted(owned) == sorted(self.holdings.attempts)

    @invariant()
    def only_the_latest_attempt_can_hold_money(self) -> None:
        for record in self.holdings.order:
            for older in record.attempts[:-1]:
                assert self.holdings.attempts[older].state in (RecordState.FAILED, RecordState.CANCELED)


def assert_sensible(attempt: Attempt) -> None:
    moved = buckets(attempt, "move")
    parts = [moved[f"amount_{name}"] for name in ("guaranteed", "refunded", "failed", "canceled")]
    assert min(parts) >= 0
    assert sum(parts) == (0 if attempt.state is RecordState.PENDING else attempt.value)
    assert moved["amount"] == moved["amount_requested"] == attempt.value
    kept = buckets(attempt, "keep")
    assert kept["amount_guaranteed"] in (0, attempt.value)
    assert {**kept, "amount_guaranteed": 0} == {**moved, "amount_guaranteed": 0}


TestPayments = Payments.TestCase
TestPayments.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
