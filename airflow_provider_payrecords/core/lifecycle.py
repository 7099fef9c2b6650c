"""
The life of a ledger entry, as one table.

Everything about entry states is here; no other module compares states to decide what may follow. A pair that is not a
key of ``TRANSITIONS`` is an ``IllegalTransitionError``. The diagram in ``docs/ledger.md`` is drawn from the table.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from airflow_provider_payrecords.core.errors import IllegalTransitionError

REPLAY_WINDOW = timedelta(hours=23)
"""
How long after the first claim the same idempotency key is sent again. The API keeps a key for at least 24 hours; one
hour is left for clocks that differ and for a request still on its way.

Source:
    https://docs.stripe.com/api/idempotent_requests
"""

LONGEST_SEND = timedelta(hours=1)
"""After this a request that left can no longer be on its way, nor run at the API."""


class State(str, Enum):
    """Where a payment stands in the ledger."""

    PLANNED = "planned"  # known, nothing of it can have happened at the API
    CLAIMED = "claimed"  # a worker says it is sending it, until its lease ends
    CONFIRMED = "confirmed"  # an answer was read: the Payment Record exists
    REJECTED = "rejected"  # an answer was read: the API refused it
    UNKNOWN = "unknown"  # it may have happened; no answer was read
    REVIEW = "review"  # a person, or a look at the API's own records, must decide


class Event(str, Enum):
    """What happens to an entry."""

    CLAIM = "claim"
    ACCEPTED = "accepted"  # 200 with a record, read in full
    REFUSED = "refused"  # 4xx, read in full
    REFUSED_BEFORE = "refused_before"  # 4xx that the API stored for an earlier send of this key, and gave again
    NOT_SENT = "not_sent"  # the request did not leave, or was turned away before it ran
    LOST = "lost"  # it left and no verdict was read
    KEY_CLASH = "key_clash"  # the API holds other parameters under this idempotency key
    STUCK = "stuck"  # the API answers with the same stored failure for ever under this idempotency key
    LEASE_EXPIRED = "lease_expired"
    KEY_EXPIRED = "key_expired"  # too late to send the same idempotency key again
    REPLAY = "replay"  # somebody asks to send a refused payment once more
    ROW_CHANGED = "row_changed"  # the same row now has other content
    ROW_RESTORED = "row_restored"  # a changed row has its confirmed content again
    FOUND = "found"  # the record was found at the API
    SECOND_RECORD = "second_record"  # the API holds another record for this payment than the ledger knows
    CHOSEN = "chosen"  # a person says which of several records stands
    ABSENT = "absent"  # a person is sure that there is no record


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PLANNED, Event.CLAIM): State.CLAIMED,
    (State.CLAIMED, Event.ACCEPTED): State.CONFIRMED,
    (State.CLAIMED, Event.REFUSED): State.REJECTED,
    (State.CLAIMED, Event.REFUSED_BEFORE): State.REJECTED,
    (State.CLAIMED, Event.NOT_SENT): State.PLANNED,
    (State.CLAIMED, Event.LOST): State.UNKNOWN,
    (State.CLAIMED, Event.KEY_CLASH): State.REVIEW,
    (State.CLAIMED, Event.STUCK): State.REVIEW,
    (State.CLAIMED, Event.LEASE_EXPIRED): State.UNKNOWN,
    (State.UNKNOWN, Event.CLAIM): State.CLAIMED,
    (State.UNKNOWN, Event.ACCEPTED): State.CONFIRMED,
    (State.UNKNOWN, Event.REFUSED): State.REJECTED,
    (State.UNKNOWN, Event.REFUSED_BEFORE): State.REJECTED,
    (State.UNKNOWN, Event.FOUND): State.CONFIRMED,
    (State.UNKNOWN, Event.KEY_EXPIRED): State.REVIEW,
    (State.UNKNOWN, Event.ROW_CHANGED): State.REVIEW,
    (State.REJECTED, Event.ROW_CHANGED): State.PLANNED,
    (State.REJECTED, Event.REPLAY): State.PLANNED,
    (State.CONFIRMED, Event.ROW_CHANGED): State.REVIEW,
    (State.REVIEW, Event.ROW_RESTORED): State.CONFIRMED,
    (State.REVIEW, Event.FOUND): State.CONFIRMED,
    (State.REVIEW, Event.CHOSEN): State.CONFIRMED,
    (State.REVIEW, Event.ABSENT): State.PLANNED,
    # An accepted answer that comes after a refusal, or after "absent", is still the truth.
    (State.REJECTED, Event.FOUND): State.CONFIRMED,
    (State.PLANNED, Event.FOUND): State.CONFIRMED,
    **{(state, Event.SECOND_RECORD): State.REVIEW for state in State},
}


def step(state: State, event: Event) -> State:
    """
    Return the state that follows.

    Raises:
        IllegalTransitionError: The table has no such pair.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(
            f"A ledger entry that is {state.value!r} cannot take the event {event.value!r}.",
            state=state.value,
            event=event.value,
        ) from None
