"""
When a person may say that a payment is absent from the API, and what its entry becomes.

It is the only way on for a payment whose answer was lost, whose idempotency key is of no more use, and whose record
nobody finds. It is never concluded: finding nothing proves nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from airflow_provider_payrecords.core.entry import (
    CONTENT_CHANGED,
    KEY_EXPIRED,
    STORED_FAILURE,
    Entry,
    Settlement,
    lapse_if_over,
)
from airflow_provider_payrecords.core.lifecycle import LONGEST_SEND, REPLAY_WINDOW, Event, State, step
from airflow_provider_payrecords.core.succession import next_key

NOBODY = ""


class Objection(str, Enum):
    """Why a payment cannot be said to be absent."""

    NOTHING_OPEN = "nothing_open"  # planned or rejected: nothing of it was recorded, and no word is needed
    RECORD_KNOWN = "record_known"  # confirmed, now or before
    CLAIMED = "claimed"  # a worker is sending it
    SAME_KEY = "same_key"  # a run still settles it, by sending the same key
    ON_ITS_WAY = "on_its_way"  # a request that left may still take effect


def objection_to_absent(entry: Entry, now: datetime) -> Objection | None:
    """Return why *entry* cannot be said to be absent, or None if a person may decide that."""
    state = lapse_if_over(entry, NOBODY, now).state
    if state in (State.PLANNED, State.REJECTED):
        return Objection.NOTHING_OPEN
    if state is State.CLAIMED:
        return Objection.CLAIMED
    if state is State.CONFIRMED or entry.payment_record or (state is State.REVIEW and not entry.may_exist):
        return Objection.RECORD_KNOWN
    if state is State.UNKNOWN and entry.claimed_at is not None and now - entry.claimed_at < REPLAY_WINDOW:
        return Objection.SAME_KEY
    return Objection.ON_ITS_WAY if now < quiet_from(entry) else None


def quiet_from(entry: Entry) -> datetime:
    """Return from when on no request of *entry* can still be on its way or run at the API."""
    if entry.error_code == STORED_FAILURE:
        return entry.updated_at  # the API gave its stored answer, so the request has run to its end
    left = entry.lease_until or entry.updated_at
    # Nothing leaves under a key after its replay window, however late the ledger heard of it.
    return min(left, (entry.claimed_at or left) + REPLAY_WINDOW) + LONGEST_SEND


def settle_absent(entry: Entry, settlement: Settlement, now: datetime) -> Entry:
    """
    Return *entry* after a person said that the payment is absent: planned, so that the next run sends it.

    The same object comes back if there is an objection, or if the person spoke of another idempotency key.

    The next send takes the same key where the API may still know it: should the person be wrong, it gives the record it
    made. A key that is known to give a failure for ever is followed by the next one.
    """
    if settlement.idempotency_key != entry.idempotency_key or objection_to_absent(entry, now) is not None:
        return entry
    entry = lapse_if_over(entry, NOBODY, now)
    if entry.state is State.UNKNOWN:
        entry = entry._replace(state=step(entry.state, Event.KEY_EXPIRED), error_code=KEY_EXPIRED)
    may_be_good = entry.error_code in (KEY_EXPIRED, CONTENT_CHANGED)
    return entry._replace(
        state=step(entry.state, Event.ABSENT),
        idempotency_key=entry.idempotency_key if may_be_good else next_key(entry.idempotency_key),
        may_exist=False,
        error_code=None,
        error_param=None,
        error_status=None,
        run_id=settlement.run_id or entry.run_id,
        updated_at=now,
    )
