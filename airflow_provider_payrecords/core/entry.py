"""
What the ledger remembers of one payment, and the two rules that change it.

``consider``: may this row be sent? ``settle``: an outcome is known. Both are pure, so every store applies the same
rules and only fetches and saves. What a person says is no outcome: ``absence.py``, ``replay.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from airflow_provider_payrecords.core.lifecycle import REPLAY_WINDOW, Event, State, step
from airflow_provider_payrecords.core.succession import is_same_content, next_key

CONTENT_CHANGED = "content_changed"
"""``error_code`` of an entry under review because its row no longer has the content that was sent."""
KEY_EXPIRED = "idempotency_key_expired"
"""``error_code`` of an entry under review because its idempotency key is too old to be sent again."""
STORED_FAILURE = "stored_server_error"
"""``error_code`` of an entry under review because its idempotency key replays a failure for ever."""
SECOND_RECORD = "second_record"
"""``error_code`` of an entry under review because the API made two records for it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """
    Where row keys live: two scopes never share an entry.

    Attributes:
        account: ``acct_…``, or the account name the user gave, or the API host with the connection id.
        mode: ``test`` or ``live``.
        endpoint: Name of the command, such as ``report_payment``.
        source: The user's namespace of keys, such as ``adyen-eu``.
    """

    account: str
    mode: str
    endpoint: str
    source: str


class Intent(NamedTuple):
    """
    What a worker wants to send.

    Attributes:
        key: The row's key, unique in its scope.
        fingerprint: Hash of the content, the same for the same content on any machine.
        idempotency_key: What the request would carry for the first time. The entry of a claim says which one it does.
        amount_minor: Money in minor units of ``currency``, or None where the command names no amount.
        currency: Lowercase ISO 4217, or None.
        replay: Send it again although the API refused this very content before.
    """

    key: str
    fingerprint: str
    idempotency_key: str
    amount_minor: int | None = None
    currency: str | None = None
    replay: bool = False


class Entry(NamedTuple):
    """
    One payment in the ledger. Instants are aware UTC.

    Attributes:
        claimed_at: First claim under the present ``idempotency_key``: the replay window runs from here.
        lease_until: Until when ``owner`` may be sending, never past the replay window. Set while claimed, else None.
        owner: ``host:pid:token`` of the worker that claimed it last.
        may_exist: An earlier send under this key may have taken effect, so "not sent" now proves nothing.
        payment_record: ``pr_…`` once confirmed.
        payment_attempt_record: ``par_…`` of its latest attempt at that time.
        run_id: The run that changed the entry last.
    """

    scope: Scope
    key: str
    state: State
    fingerprint: str
    idempotency_key: str
    created_at: datetime
    updated_at: datetime
    claimed_at: datetime | None = None
    lease_until: datetime | None = None
    owner: str | None = None
    may_exist: bool = False
    payment_record: str | None = None
    payment_attempt_record: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    run_id: str | None = None
    error_code: str | None = None
    error_param: str | None = None
    error_status: int | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """
    Who claims.

    Attributes:
        owner: ``host:pid:token``, unique per process and run.
        run_id: The run the claim is made for.
        lease_seconds: How long the claim keeps other workers away.
    """

    owner: str
    run_id: str
    lease_seconds: float


class Settlement(NamedTuple):
    """
    The outcome of one claimed send.

    Attributes:
        idempotency_key: The key that was sent. An outcome for another key than the entry's is ignored.
        owner: The worker that sent it. None for a person or a look at the API's own records.
        event: ``ACCEPTED``, ``REFUSED``, ``NOT_SENT``, ``LOST``, ``KEY_CLASH``, ``FOUND``, or a person's ``CHOSEN``,
            ``ABSENT`` or ``REPLAY``.
        run_id: What a person decided it in. None keeps the run of the claim.
    """

    key: str
    idempotency_key: str
    event: Event
    payment_record: str | None = None
    payment_attempt_record: str | None = None
    error_code: str | None = None
    error_param: str | None = None
    error_status: int | None = None
    request_id: str | None = None
    owner: str | None = None
    run_id: str | None = None


class Action(str, Enum):
    """What to do with a row, given its entry."""

    SEND = "send"  # new, or nothing of it can have happened
    RESEND = "resend"  # may have happened: same idempotency key again
    DONE = "done"  # confirmed with this content
    REJECTED = "rejected"  # refused with this content; only a replay sends it again
    HELD = "held"  # another worker's lease is running
    REVIEW = "review"  # a person must look


SENDING = frozenset({Action.SEND, Action.RESEND})


class Decision(NamedTuple):
    """The action for a row and its entry after the decision. ``changed``: the entry must be saved."""

    action: Action
    entry: Entry
    changed: bool


def consider(entry: Entry | None, intent: Intent, scope: Scope, worker: Worker, now: datetime) -> Decision:
    """
    Decide what to do with a row, and what its entry becomes.

    Args:
        entry: The entry as stored, or None for a row the ledger has not seen.
        intent: The row as it is now.
        now: Aware UTC.

    Returns:
        For ``SEND`` and ``RESEND`` the entry is claimed for *worker*: save it before anything is sent.
    """
    if entry is None:
        entry = Entry(
            scope=scope,
            key=intent.key,
            state=State.PLANNED,
            fingerprint=intent.fingerprint,
            idempotency_key=intent.idempotency_key,
            created_at=now,
            updated_at=now,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
        )
        return _claim(entry, worker, now, Action.SEND)
    stored, entry = entry, lapse_if_over(entry, worker.owner, now)
    match entry.state:
        case State.PLANNED:
            return _claim(_renew(entry, intent, now), worker, now, Action.SEND)
        case State.CLAIMED:
            return Decision(Action.HELD, entry, changed=entry is not stored)
        case State.UNKNOWN:
            return _consider_unknown(entry, intent, worker, now)
        case State.CONFIRMED:
            if entry.fingerprint == intent.fingerprint:
                return Decision(Action.DONE, entry, changed=False)
            return _review(entry, Event.ROW_CHANGED, CONTENT_CHANGED, worker, now)
        case State.REJECTED:
            same = entry.fingerprint == intent.fingerprint
            if same and not intent.replay:
                return Decision(Action.REJECTED, entry, changed=False)
            planned = entry._replace(state=step(entry.state, Event.REPLAY if same else Event.ROW_CHANGED))
            return _claim(_renew(planned, intent, now), worker, now, Action.SEND)
        case State.REVIEW:  # pragma: no branch  # every state has its case, so nothing falls through
            return _consider_review(entry, intent, worker, now)


def lapse(entry: Entry, now: datetime) -> Entry:
    """Return a claimed *entry* as unknown: its worker is gone, and what it sent may have taken effect."""
    return entry._replace(
        state=step(entry.state, Event.LEASE_EXPIRED),
        owner=None,
        lease_until=None,
        may_exist=True,
        updated_at=now,
    )


def lapse_if_over(entry: Entry, owner: str, now: datetime) -> Entry:
    """Return *entry* as *owner* finds it: a claim whose lease is over, or which is its own of before, as unknown."""
    running = entry.owner != owner and entry.lease_until is not None and entry.lease_until > now
    return entry if entry.state is not State.CLAIMED or running else lapse(entry, now)


def settle(entry: Entry, settlement: Settlement, now: datetime) -> Entry:
    """
    Return *entry* after an outcome. The same object comes back if the outcome changes nothing.

    An outcome for another idempotency key is ignored, and so is one that proves less than the entry already holds:
    a confirmed entry stays confirmed whatever a late worker says.
    """
    if _is_second_record(entry, settlement):
        return _second_record(entry, settlement, now)
    if settlement.idempotency_key != entry.idempotency_key or _is_of_another_worker(entry, settlement):
        return entry
    event = _proven_event(entry, settlement)
    if event is None:
        return entry
    state = step(entry.state, event)
    accepted = state is State.CONFIRMED
    return entry._replace(
        state=state,
        # The key gives the same refusal again and again, and so has made no record: the next send takes the next one.
        idempotency_key=next_key(entry.idempotency_key) if event is Event.REFUSED_BEFORE else entry.idempotency_key,
        owner=None,
        lease_until=None,
        may_exist=state in (State.UNKNOWN, State.REVIEW),
        payment_record=settlement.payment_record if accepted else None,
        payment_attempt_record=settlement.payment_attempt_record if accepted else None,
        error_code=None if accepted else settlement.error_code,
        error_param=None if accepted else settlement.error_param,
        error_status=None if accepted else settlement.error_status,
        request_id=settlement.request_id,
        run_id=settlement.run_id or entry.run_id,
        updated_at=now,
    )


def is_spent(entry: Entry, idempotency_key: str) -> bool:
    """Say whether the API refused *entry* under *idempotency_key* before, so that its next send takes another one."""
    return entry.state is State.REJECTED and entry.idempotency_key != idempotency_key


def _is_second_record(entry: Entry, settlement: Settlement) -> bool:
    if settlement.event not in _VERDICTS or settlement.payment_record is None:
        return False
    is_other_key = settlement.idempotency_key != entry.idempotency_key
    if is_other_key and settlement.event is Event.ACCEPTED:
        return True  # of the same record as well: two refunds of it are two
    return settlement.payment_record != entry.payment_record and (is_other_key or entry.payment_record is not None)


def _second_record(entry: Entry, settlement: Settlement, now: datetime) -> Entry:
    return entry._replace(
        state=step(entry.state, Event.SECOND_RECORD),
        owner=None,
        lease_until=None,
        payment_record=entry.payment_record or settlement.payment_record,
        error_code=SECOND_RECORD,
        error_param=None,
        error_status=None,
        request_id=settlement.request_id,
        updated_at=now,
    )


def _is_of_another_worker(entry: Entry, settlement: Settlement) -> bool:
    """Return whether the word of a worker that lost its lease would release the claim of the one that has it."""
    is_late = entry.state is State.CLAIMED and settlement.owner not in (None, entry.owner)
    return is_late and settlement.event not in _VERDICTS


_VERDICTS = {Event.ACCEPTED: Event.FOUND, Event.FOUND: Event.FOUND}
_OF_UNKNOWN = frozenset({Event.ACCEPTED, Event.REFUSED, Event.REFUSED_BEFORE, Event.FOUND})


def _says_nothing_of_an_earlier_send(settlement: Settlement) -> bool:
    """
    Return whether this send may have been turned away before the API looked for its idempotency key.

    A refusal that blames a parameter, of the very bytes sent before, is the endpoint's own: had it taken effect, the
    API would replay that. One that blames none may be about the API version, whatever became of the payment.
    """
    return settlement.event is Event.NOT_SENT or (settlement.event is Event.REFUSED and settlement.error_param is None)


def _proven_event(entry: Entry, settlement: Settlement) -> Event | None:
    event = settlement.event
    if entry.state is State.CLAIMED:
        if entry.may_exist and _says_nothing_of_an_earlier_send(settlement):
            return Event.LOST
        return Event.ACCEPTED if event is Event.FOUND else event
    if entry.state is State.UNKNOWN and event in _OF_UNKNOWN:
        return event
    if entry.state is State.REVIEW and event is Event.CHOSEN:
        return event if entry.error_code == SECOND_RECORD else None
    if entry.state is State.REVIEW and entry.may_exist and entry.payment_record is None:
        return _VERDICTS.get(event)
    if entry.state in (State.REJECTED, State.PLANNED):
        return _VERDICTS.get(event)
    return None


def _renew(entry: Entry, intent: Intent, now: datetime) -> Entry:
    same = is_same_content(entry.idempotency_key, intent.idempotency_key)
    return entry._replace(
        fingerprint=intent.fingerprint,
        idempotency_key=entry.idempotency_key if same else intent.idempotency_key,
        claimed_at=entry.claimed_at if same else None,
        amount_minor=intent.amount_minor,
        currency=intent.currency,
        updated_at=now,
    )


def _claim(entry: Entry, worker: Worker, now: datetime, action: Action) -> Decision:
    first = entry.claimed_at if action is Action.RESEND and entry.claimed_at is not None else now
    claimed = entry._replace(
        state=step(entry.state, Event.CLAIM),
        claimed_at=first,
        # However long the lease: the API forgets the key, and would take a later send for a new payment.
        lease_until=min(now + timedelta(seconds=worker.lease_seconds), first + REPLAY_WINDOW),
        owner=worker.owner,
        run_id=worker.run_id,
        updated_at=now,
    )
    return Decision(action, claimed, changed=True)


def _consider_unknown(entry: Entry, intent: Intent, worker: Worker, now: datetime) -> Decision:
    same = is_same_content(entry.idempotency_key, intent.idempotency_key)
    if entry.fingerprint != intent.fingerprint or not same:
        return _review(entry, Event.ROW_CHANGED, CONTENT_CHANGED, worker, now)
    if entry.claimed_at is None or now - entry.claimed_at >= REPLAY_WINDOW:
        return _review(entry, Event.KEY_EXPIRED, KEY_EXPIRED, worker, now)
    return _claim(entry, worker, now, Action.RESEND)


def _consider_review(entry: Entry, intent: Intent, worker: Worker, now: datetime) -> Decision:
    # Under review for its content, and nothing of it unknown: it was confirmed before.
    was_confirmed = entry.error_code == CONTENT_CHANGED and not entry.may_exist
    if not (was_confirmed and entry.fingerprint == intent.fingerprint):
        return Decision(Action.REVIEW, entry, changed=False)
    confirmed = entry._replace(
        state=step(entry.state, Event.ROW_RESTORED),
        may_exist=False,
        error_code=None,
        run_id=worker.run_id,
        updated_at=now,
    )
    return Decision(Action.DONE, confirmed, changed=True)


def _review(entry: Entry, event: Event, code: str, worker: Worker, now: datetime) -> Decision:
    reviewed = entry._replace(
        state=step(entry.state, event), error_code=code, error_param=None, run_id=worker.run_id, updated_at=now
    )
    return Decision(Action.REVIEW, reviewed, changed=True)
