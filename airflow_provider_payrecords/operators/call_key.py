"""
The row key of a call on an existing record where the user names none: which call this is, on retry, clear and rerun.

A call on a record acts on its latest attempt, and the record moves on: after a new attempt the same call means another
thing. So the key names the attempt that was the latest *when the call was first made*, and the ledger is asked which
one that was. The rules, in order, over the record's attempts:

1. What this very task instance (DAG, run, task, map index) may have done is what it does: a retry or a clear finds its
   own entry. If its content changed since, the entry goes to review and nothing is sent.
2. The same content after the latest attempt is the same call, whoever makes it.
3. The same content after an older attempt is the same call if the latest attempt could not take it anyway. If it could,
   nobody but the user knows whether the call is meant again: an error asks for ``key=``.
4. Anything else is a new call, named after the latest attempt.

So no second effect comes from a retry, a clear or a rerun, and no new call is taken for an old one in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from airflow_provider_payrecords.core.commands import (
    Command,
    ReportPaymentAttempt,
    ReportPaymentAttemptInformational,
)
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.identity import fingerprint
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.models import PaymentAttemptRecord, RecordState

_NO_EFFECT = frozenset({State.PLANNED, State.REJECTED})
_CLOSED = frozenset({RecordState.FAILED, RecordState.CANCELED})


def attempt_key(payment_record: str, attempt: str) -> str:
    """Return the key of a call made when *attempt* was the latest of *payment_record*."""
    return f"{payment_record}:{attempt}"


def choose_key(
    command: Command, record: str, attempts: Sequence[PaymentAttemptRecord], known: Mapping[str, Entry], caller: str
) -> str:
    """
    Return the key of *command* by the rules above.

    Args:
        attempts: All attempts of *record*, newest first, at least one.
        known: Ledger entries by ``attempt_key``.
        caller: Name of the task instance, as in ``Entry.run_id``.

    Raises:
        CommandError: Only the user can tell whether this call is a new one.
    """
    keys = [attempt_key(record, attempt.id) for attempt in attempts]
    done = {key: known[key] for key in keys if key in known and known[key].state not in _NO_EFFECT}
    own = [key for key, entry in done.items() if entry.run_id == caller]
    same = [key for key, entry in done.items() if entry.fingerprint == fingerprint(command)]
    if own or not same:
        return own[0] if own else keys[0]
    if same[0] != keys[0] and _may_take(command, attempts[0].state):
        raise CommandError(
            f"{command.endpoint} with this content was reported after an earlier attempt of {record}, and the record "
            "has a new attempt since. If the call is meant for the new one, say so with key=. If not, nothing is left "
            "to do: mark the task as done.",
            problems=[{"field": "key", "code": "ambiguous_call", "message": "Name this call with key=."}],
        )
    return same[0]


def amendment_key(command: ReportPaymentAttemptInformational, caller: str) -> str:
    """
    Return the key of an amendment: the record, the content and the task instance.

    Amending moves no money and is legal any number of times, back and forth too. So the same task instance makes the
    same amendment once, and another run makes it again.
    """
    content = f"{fingerprint(command)}\n{caller}".encode()
    return f"{command.payment_record}:{hashlib.sha256(content).hexdigest()[:24]}"


def _may_take(command: Command, state: RecordState) -> bool:
    if isinstance(command, ReportPaymentAttempt):
        return state in _CLOSED
    return state is RecordState.PENDING
