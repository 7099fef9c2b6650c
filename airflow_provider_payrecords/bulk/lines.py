"""What the results file says of a row, in words that name the next step."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow_provider_payrecords.bulk.prepare import Prepared
from airflow_provider_payrecords.bulk.results import Line
from airflow_provider_payrecords.bulk.summary import CONFIRMED, HELD, PLANNED, REJECTED, REVIEW, UNKNOWN
from airflow_provider_payrecords.core.entry import (
    CONTENT_CHANGED,
    KEY_EXPIRED,
    SECOND_RECORD,
    STORED_FAILURE,
    Entry,
)
from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.core.lifecycle import REPLAY_WINDOW, State
from airflow_provider_payrecords.core.replay import is_asked_for
from airflow_provider_payrecords.extract import RowProblem
from airflow_provider_payrecords.ledger.store import Confirmed

STATES: dict[State, str] = {
    State.CONFIRMED: CONFIRMED,
    State.REJECTED: REJECTED,
    State.UNKNOWN: UNKNOWN,
    State.REVIEW: REVIEW,
    State.CLAIMED: HELD,
    State.PLANNED: PLANNED,
}

_REASONS = {
    CONTENT_CHANGED: "The row's content differs from what was sent under this key; it is not sent again on its own. "
    "Put the old content back, or report the change with its own call.",
    KEY_EXPIRED: "No answer was read and its idempotency key is too old to be sent again. Look for the payment in the "
    "Dashboard by metadata payrecords_key, then say what you found: payrecords review resolve.",
    SECOND_RECORD: "The API answered with another record than the ledger knows, so this payment may be recorded twice. "
    "Undo one of them, then say which stands: payrecords review resolve.",
    STORED_FAILURE: "The API replays a stored failure for this payment, and no record of it was found. Look for it in "
    "the Dashboard by metadata payrecords_key, then say what you found: payrecords review resolve.",
    "idempotency_error": "The API knows this idempotency key with other parameters. A person must compare, then "
    "say what was found: payrecords review resolve.",
}
_BY_STATE = {
    REJECTED: "Refused by the API in an earlier run with this content. Correct the row: changed content is sent. "
    "Replay it if the reason lay elsewhere and is gone.",
    HELD: "Another worker is sending this payment. Run again when it has finished.",
    UNKNOWN: "No answer was read. Run again: the same idempotency key is sent.",
    REVIEW: "A person must look at this payment before it can go on.",
    PLANNED: "Not sent. Run again.",
}

_ASKED = "Refused before, and to be sent again: the next run that has its row does it."


def line_of(row: Prepared, entry: Entry, error: PayRecordsError | None) -> Line:
    """Return the result of a row that passed our checks."""
    state = STATES[entry.state]
    line = Line(
        row.row_number,
        entry.scope.source,
        entry.key,
        state,
        payment_record=entry.payment_record,
        idempotency_key=entry.idempotency_key,
        request_id=entry.request_id,
    )
    if state == CONFIRMED:
        return line
    param, message = dotted(entry.error_param), explain(state, entry, error)
    return line._replace(error_code=entry.error_code, error_param=param, error_message=message)


def confirmed_line(row_number: int, source: str, entry: Confirmed) -> Line:
    """Return the result of a row that was confirmed before with the content it has."""
    key, record, request_id = entry.key, entry.payment_record, entry.request_id
    return Line(row_number, source, key, CONFIRMED, record, entry.idempotency_key, request_id=request_id)


def problem_line(problem: RowProblem, source: str) -> Line:
    """Return the result of a row that failed our checks: code and field of its first problem, text of all."""
    first = problem.problems[0]
    return Line(
        problem.number,
        source,
        problem.key,
        REJECTED,
        error_code=first.code,
        error_param=first.field,
        error_message="; ".join(f"{one.field}: {one.message}" for one in problem.problems),
    )


def explain(state: str, entry: Entry, error: PayRecordsError | None) -> str:
    """Return why a payment is not confirmed and what to do."""
    reason = _REASONS.get(entry.error_code or "")
    if reason is not None and state == REVIEW:
        return reason
    if state == PLANNED and error is None and is_asked_for(entry):
        return _ASKED
    return error.message if error is not None else _BY_STATE[state]


def next_step(entry: Entry) -> str:
    """Return why *entry* is open and what to do about it, where no run is at hand."""
    if entry.state is State.CLAIMED and entry.lease_until is not None:
        return f"A worker holds it until {_short(entry.lease_until)}. If that worker died, run again after that."
    told = explain(STATES[entry.state], entry, None)
    if entry.state is State.UNKNOWN and entry.claimed_at is not None:
        return f"{told} Do it before {_short(entry.claimed_at + REPLAY_WINDOW)}: after that the key is too old."
    return told


def _short(instant: datetime) -> str:
    return f"{instant.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def dotted(param: str | None) -> str | None:
    """Return the API's ``a[b][c]`` as the dotted path that mappings use."""
    return param.replace("][", ".").replace("[", ".").replace("]", "") if param else param
