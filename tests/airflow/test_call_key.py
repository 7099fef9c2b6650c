"""Which call a call is, where the user does not say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from airflow_provider_payrecords.core.commands import (
    Command,
    ReportPaymentAttempt,
    ReportPaymentAttemptFailed,
    ReportPaymentAttemptInformational,
)
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.identity import fingerprint
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.models import PaymentAttemptRecord
from airflow_provider_payrecords.operators.call_key import amendment_key, attempt_key, choose_key

NOW = datetime(2026, 5, 4, tzinfo=timezone.utc)
ME, SOMEBODY = "dag/fail/run-1", "dag/fail/run-2"


def fail(at: int = 100) -> ReportPaymentAttemptFailed:
    return ReportPaymentAttemptFailed(payment_record="pr_1", failed_at=at)


def again(at: int = 100) -> ReportPaymentAttempt:
    return ReportPaymentAttempt(payment_record="pr_1", initiated_at=at)


def attempt(name: str, **buckets: int) -> PaymentAttemptRecord:
    money = {bucket: {"value": value, "currency": "eur"} for bucket, value in buckets.items()}
    return PaymentAttemptRecord.model_validate({"id": name, **money})


def pending(name: str) -> PaymentAttemptRecord:
    return attempt(name)


def failed(name: str) -> PaymentAttemptRecord:
    return attempt(name, amount_failed=5)


def guaranteed(name: str) -> PaymentAttemptRecord:
    return attempt(name, amount_guaranteed=5)


def entry(key: str, command: Command, caller: str = ME, state: State = State.CONFIRMED) -> Mapping[str, Entry]:
    scope = Scope("a", "test", command.endpoint, "default")
    made = Entry(
        scope=scope, key=key, state=state, fingerprint=fingerprint(command), idempotency_key="k",
        created_at=NOW, updated_at=NOW, run_id=caller,
    )  # fmt: skip
    return {key: made}


def choose(command: Any, attempts: list[PaymentAttemptRecord], known: Mapping[str, Entry], caller: str = ME) -> str:
    return choose_key(command, "pr_1", attempts, known, caller)


FIRST, SECOND = attempt_key("pr_1", "par_1"), attempt_key("pr_1", "par_2")


def test_first_call_is_named_after_the_latest_attempt() -> None:
    assert choose(fail(), [pending("par_2"), failed("par_1")], {}) == SECOND


def test_repeated_call_on_the_same_attempt_has_the_same_key() -> None:
    assert choose(fail(), [failed("par_1")], entry(FIRST, fail())) == FIRST


def test_repeated_call_is_found_after_the_record_moved_on() -> None:
    assert choose(fail(), [pending("par_2"), failed("par_1")], entry(FIRST, fail())) == FIRST


def test_repeated_new_attempt_is_found_although_it_is_now_the_latest() -> None:
    assert choose(again(), [pending("par_2"), failed("par_1")], entry(FIRST, again())) == FIRST


def test_own_call_with_other_content_stays_the_same_call_and_goes_to_review() -> None:
    assert choose(fail(at=101), [pending("par_2"), failed("par_1")], entry(FIRST, fail(at=100))) == FIRST


def test_other_content_from_another_run_is_a_new_call() -> None:
    assert choose(fail(at=101), [pending("par_2"), failed("par_1")], entry(FIRST, fail(at=100), SOMEBODY)) == SECOND


def test_same_content_on_the_latest_attempt_is_the_same_call_whoever_makes_it() -> None:
    assert choose(fail(), [failed("par_1")], entry(FIRST, fail(), SOMEBODY)) == FIRST


def test_same_content_is_the_same_call_where_the_latest_attempt_could_not_take_it() -> None:
    assert choose(fail(), [guaranteed("par_2"), failed("par_1")], entry(FIRST, fail(), SOMEBODY)) == FIRST
    assert choose(again(), [pending("par_2"), failed("par_1")], entry(FIRST, again(), SOMEBODY)) == FIRST


@pytest.mark.parametrize(
    ("command", "attempts"),
    [(fail(), [pending("par_2"), failed("par_1")]), (again(), [failed("par_2"), failed("par_1")])],
)
def test_same_content_is_asked_about_where_the_latest_attempt_could_take_it(
    command: Command, attempts: list[PaymentAttemptRecord]
) -> None:
    with pytest.raises(CommandError, match="key="):
        choose(command, attempts, entry(FIRST, command, SOMEBODY))


@pytest.mark.parametrize("state", [State.REJECTED, State.PLANNED])
def test_call_without_effect_does_not_stand_for_a_later_one(state: State) -> None:
    assert choose(fail(), [pending("par_2"), failed("par_1")], entry(FIRST, fail(), ME, state)) == SECOND


@pytest.mark.parametrize("state", [State.CLAIMED, State.UNKNOWN, State.REVIEW])
def test_call_that_may_have_had_an_effect_is_taken_up_again(state: State) -> None:
    assert choose(fail(), [pending("par_2"), failed("par_1")], entry(FIRST, fail(), ME, state)) == FIRST


def test_amendment_is_one_per_record_content_and_task_instance() -> None:
    def amend(record: str, text: str) -> ReportPaymentAttemptInformational:
        return ReportPaymentAttemptInformational(payment_record=record, description=text)

    first = amendment_key(amend("pr_1", "a"), ME)
    assert first == amendment_key(amend("pr_1", "a"), ME)
    others = {amendment_key(amend("pr_1", "b"), ME), amendment_key(amend("pr_1", "a"), SOMEBODY)}
    assert len({first, amendment_key(amend("pr_2", "a"), ME)} | others) == 4
