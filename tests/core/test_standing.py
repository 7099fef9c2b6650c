"""Where a record stands towards the states that somebody waits for."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.core.standing import STANDINGS, Standing, parse_states, standing

PENDING, FAILED, CANCELED, GUARANTEED, PARTIALLY_REFUNDED, REFUNDED = RecordState
NEXT = {
    PENDING: {FAILED, CANCELED, GUARANTEED},
    FAILED: {PENDING, FAILED, CANCELED, GUARANTEED},
    CANCELED: {PENDING, FAILED, CANCELED, GUARANTEED},
    GUARANTEED: {PARTIALLY_REFUNDED, REFUNDED},
    PARTIALLY_REFUNDED: {PARTIALLY_REFUNDED, REFUNDED},
    REFUNDED: set(),
}
"""What a report may make of a record: a call on the attempt, a new attempt (failed and canceled only), a refund."""
COUNTS_AS = {GUARANTEED: {GUARANTEED, PARTIALLY_REFUNDED}, PARTIALLY_REFUNDED: {PARTIALLY_REFUNDED, REFUNDED}}


def reachable(start: RecordState, *, new_attempts: bool) -> set[RecordState]:
    """Return every state that legal reports can bring a record in *start* to, *start* included."""
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        ways = NEXT[state] if new_attempts or state not in (FAILED, CANCELED) else set()
        todo += ways - found
        found |= ways
    return found


@pytest.mark.parametrize("wanted", STANDINGS)
@pytest.mark.parametrize("present", RecordState)
def test_table_agrees_with_what_the_api_lets_happen(wanted: RecordState, present: RecordState) -> None:
    good = COUNTS_AS.get(wanted, {wanted})
    if present in good:
        expected = Standing.REACHED
    elif good & reachable(present, new_attempts=False):
        expected = Standing.COMING
    elif good & reachable(present, new_attempts=True):
        expected = Standing.CLOSED
    else:
        expected = Standing.NEVER
    assert standing([wanted], present) is expected


def test_every_state_but_pending_can_be_waited_for() -> None:
    assert set(STANDINGS) == set(RecordState) - {PENDING}
    assert all(set(row) == set(RecordState) for row in STANDINGS.values())


@pytest.mark.parametrize(
    ("wanted", "present", "expected"),
    [
        ((GUARANTEED, FAILED), FAILED, Standing.REACHED),
        ((FAILED, GUARANTEED), PENDING, Standing.COMING),
        ((FAILED, REFUNDED), GUARANTEED, Standing.COMING),
        ((GUARANTEED, REFUNDED), CANCELED, Standing.CLOSED),
        ((FAILED, CANCELED), REFUNDED, Standing.NEVER),
    ],
)
def test_best_of_several_states_counts(wanted: Any, present: RecordState, expected: Standing) -> None:
    assert standing(wanted, present) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("guaranteed", (GUARANTEED,)),
        (RecordState.REFUNDED, (REFUNDED,)),
        (["failed", "guaranteed", "failed"], (FAILED, GUARANTEED)),
        (("canceled",), (CANCELED,)),
    ],
)
def test_states_are_one_name_or_several(value: Any, expected: tuple[RecordState, ...]) -> None:
    assert parse_states(value) == expected


@pytest.mark.parametrize("value", ["pending", "Guaranteed", "", [], None, 3, [3], ["guaranteed", "paid"], "['failed']"])
def test_anything_else_is_refused_with_the_names_that_are_known(value: Any) -> None:
    with pytest.raises(CommandError, match="guaranteed, failed, canceled, partially_refunded, refunded") as caught:
        parse_states(value)
    assert caught.value.problems[0]["field"] == "state"
