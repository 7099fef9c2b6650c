"""Trouble: where each kind acts, what it leaves behind, and when it is used up."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.exchange import Delivery
from airflow_provider_payrecords.sandbox.faults import Fault, FaultBoard, FaultKind, FaultMix
from tests.sandbox.samples import PAYMENT, REPORT, Api, Clock, make_sandbox

NO_EFFECT = ["unavailable", "rate_limit", "drop_before", "key_in_use", "lock", "error_before"]
EFFECT = ["error_after", "drop_after", "truncated", "slow"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate_limit", 429, "rate_limit"),
        ("key_in_use", 409, "idempotency_key_in_use"),
        ("lock", 429, "lock_timeout"),
        ("error_before", 500, None),
        ("error_after", 500, None),
    ],
)
def test_fault_answers_with_its_error_once(api: Api, kind: str, status: int, code: str | None) -> None:
    api.sandbox.faults.add(kind)
    answer = api.post(REPORT, PAYMENT, "k")
    assert answer.blame == (status, code, None)
    assert api.post(REPORT, PAYMENT, "other").status == 200


@pytest.mark.parametrize("kind", NO_EFFECT)
def test_fault_before_the_effect_leaves_nothing_and_the_key_free(api: Api, kind: str) -> None:
    api.sandbox.faults.add(kind)
    api.post(REPORT, PAYMENT, "k")
    assert len(api.sandbox.journal) == 0
    answer = api.post(REPORT, PAYMENT, "k")
    assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)


@pytest.mark.parametrize("kind", EFFECT)
def test_fault_after_the_effect_leaves_one_record_however_often_the_key_is_sent(api: Api, kind: str) -> None:
    api.sandbox.faults.add(Fault(kind=FaultKind(kind), times=2))
    for _ in range(4):
        api.post(REPORT, PAYMENT, "k").reply.done()
    assert len(api.sandbox.journal) == len(api.sandbox.records()) == 1


def test_every_kind_is_tested_here() -> None:
    assert sorted(NO_EFFECT + EFFECT) == sorted(FaultKind)


def test_unavailable_is_html_from_in_front_of_the_api(api: Api) -> None:
    api.sandbox.faults.add("unavailable")
    reply = api.post(REPORT, PAYMENT).reply
    assert (reply.status, reply.headers["content-type"]) == (503, "text/html")
    assert b"<html>" in reply.content
    assert "request-id" not in reply.headers


def test_rate_limit_has_a_reason_and_a_lock_has_none(api: Api) -> None:
    api.sandbox.faults.add(Fault(kind=FaultKind.RATE_LIMIT, reason="global-concurrency"), "lock")
    limited, locked = api.post(REPORT, PAYMENT), api.post(REPORT, PAYMENT)
    assert limited.headers["stripe-rate-limited-reason"] == "global-concurrency"
    assert "stripe-rate-limited-reason" not in locked.headers
    assert locked.headers["stripe-should-retry"] == "true"


def test_500_after_the_effect_is_kept_and_given_again(api: Api) -> None:
    api.sandbox.faults.add("error_after")
    assert [api.post(REPORT, PAYMENT, "k").status for _ in range(3)] == [500, 500, 500]
    assert len(api.sandbox.records()) == 1


def test_500_after_the_effect_can_be_left_unkept(api: Api) -> None:
    api.sandbox.faults.add(Fault(kind=FaultKind.ERROR_AFTER, saved=False))
    assert [api.post(REPORT, PAYMENT, "k").status for _ in range(2)] == [500, 200]
    assert len(api.sandbox.records()) == 2


def test_500_before_the_effect_can_be_kept(api: Api) -> None:
    api.sandbox.faults.add(Fault(kind=FaultKind.ERROR_BEFORE, saved=True))
    assert [api.post(REPORT, PAYMENT, "k").status for _ in range(2)] == [500, 500]
    assert len(api.sandbox.records()) == 0


def test_lost_and_cut_answers_are_marked_for_whoever_carries_them(api: Api) -> None:
    api.sandbox.faults.add("drop_before", "drop_after", "truncated")
    replies = [api.post(REPORT, PAYMENT, f"k{n}").reply for n in range(4)]
    assert [one.delivery for one in replies] == [Delivery.NONE, Delivery.NONE, Delivery.PART, Delivery.WHOLE]
    assert replies[2].content.startswith(replies[2].part)
    assert 0 < len(replies[2].part) < len(replies[2].content)


def test_key_is_in_use_until_a_slow_answer_is_out(api: Api) -> None:
    api.sandbox.faults.add(Fault(kind=FaultKind.SLOW, seconds=7))
    slow = api.post(REPORT, PAYMENT, "k")
    assert slow.reply.delay_seconds == 7
    assert api.post(REPORT, PAYMENT, "k").blame == (409, "idempotency_key_in_use", None)
    slow.reply.done()
    assert api.post(REPORT, PAYMENT, "k").body == slow.body


def test_slow_read_holds_no_key(api: Api) -> None:
    api.sandbox.faults.add("slow")
    answer = api.get("/v1/payment_records")
    answer.reply.done()
    assert (answer.status, answer.reply.delay_seconds) == (200, 1.0)


def test_refused_request_leaves_the_fault_for_the_next(api: Api) -> None:
    api.sandbox.faults.add("error_before")
    assert api.post(REPORT, {"foo": "1"}).status == 400
    assert [api.post(REPORT, PAYMENT).status for _ in range(2)] == [500, 200]


def test_replay_is_not_hit_by_a_500_but_can_be_lost(api: Api) -> None:
    first = api.report("k")
    api.sandbox.faults.add("error_after")
    assert api.post(REPORT, PAYMENT, "k").body == first
    api.sandbox.faults.clear()
    api.sandbox.faults.add("drop_after")
    assert api.post(REPORT, PAYMENT, "k").reply.delivery is Delivery.NONE


def test_faults_come_in_order_for_their_endpoint(api: Api) -> None:
    api.sandbox.faults.add(
        Fault(kind=FaultKind.LOCK, endpoint="list_payment_records"),
        Fault(kind=FaultKind.ERROR_BEFORE, endpoint="report_payment", skip=1, times=2),
    )
    assert [api.post(REPORT, PAYMENT).status for _ in range(4)] == [200, 500, 500, 200]
    assert [api.get("/v1/payment_records").status for _ in range(2)] == [429, 200]
    assert api.sandbox.faults.script == ()


def test_faults_of_the_configuration_are_in_force_from_the_start() -> None:
    api = Api(make_sandbox(faults=(Fault(kind=FaultKind.LOCK),), fault_mix=FaultMix(rates={FaultKind.LOCK: 1.0})))
    assert [api.post(REPORT, PAYMENT).status for _ in range(3)] == [429, 429, 429]
    api.sandbox.faults.clear()
    assert api.post(REPORT, PAYMENT).status == 200


def drawn(mix: FaultMix, count: int) -> list[FaultKind | None]:
    board = FaultBoard(mix=mix)
    faults = [board.draw("report_payment") for _ in range(count)]
    return [None if one is None else one.kind for one in faults]


def test_mix_is_the_same_for_the_same_seed() -> None:
    rates = {FaultKind.LOCK: 0.2, FaultKind.DROP_AFTER: 0.1}
    assert drawn(FaultMix(rates=rates, seed=1), 200) == drawn(FaultMix(rates=rates, seed=1), 200)
    assert drawn(FaultMix(rates=rates, seed=1), 200) != drawn(FaultMix(rates=rates, seed=2), 200)


def test_mix_comes_near_its_rates() -> None:
    counts = Counter(drawn(FaultMix(rates={FaultKind.LOCK: 0.2, FaultKind.DROP_AFTER: 0.1}), 10_000))
    assert abs(counts[FaultKind.LOCK] - 2000) < 200
    assert abs(counts[FaultKind.DROP_AFTER] - 1000) < 150


def test_mix_spares_other_endpoints() -> None:
    board = FaultBoard(mix=FaultMix(rates={FaultKind.LOCK: 1.0}, endpoint="report_refund"))
    assert board.draw("report_payment") is None
    assert board.draw("report_refund") is not None


@pytest.mark.parametrize("rates", [{"lock": 0.6, "slow": 0.6}, {"lock": -0.1}, {"unheard_of": 0.1}])
def test_rates_that_are_no_shares_are_refused(rates: dict[FaultKind, float]) -> None:
    with pytest.raises(ValidationError):
        FaultMix(rates=rates)


def test_endpoint_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="known are"):
        Fault(kind=FaultKind.LOCK, endpoint="report_payments")


def test_payments_survive_a_mix_of_everything_exactly_once(clock: Clock) -> None:
    mix = FaultMix(rates=dict.fromkeys(FaultKind, 0.07), seed=7)
    api = Api(make_sandbox(clock, fault_mix=mix))
    for number in range(200):
        params = {**PAYMENT, "metadata": {"payrecords_key": str(number)}}
        for _ in range(50):
            answer = api.post(REPORT, params, f"k{number}")
            answer.reply.done()
            kept_failure = answer.status == 500 and "idempotent-replayed" in answer.headers
            if kept_failure or (answer.status == 200 and answer.reply.delivery is Delivery.WHOLE):
                break
    assert api.sandbox.journal.times() == Counter(str(number) for number in range(200))


def test_reset_leaves_faults_in_force(sandbox: Sandbox) -> None:
    sandbox.faults.add("lock")
    sandbox.reset()
    assert len(sandbox.faults.script) == 1
