"""
Records and attempts as a pure machine.

Nothing here knows HTTP, a clock or chance. Each call reads ``Holdings`` and returns a ``Change``. What is legal is a
table, ``TRANSITIONS``: a pair that is not in it *is* the error.

Source:
    https://docs.stripe.com/payments/payment-records for the transitions and amounts that are published. Choices where
    nothing is: a failed or canceled attempt takes no further report; a new attempt inherits what it does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, Literal

from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.sandbox.details import Details, amended
from airflow_provider_payrecords.sandbox.errors import RefusalError, invalid
from airflow_provider_payrecords.sandbox.objects import Attempt, Change, Holdings, Moment, Record

RefundModel = Literal["move", "keep"]
"""Whether a refund lowers ``amount_guaranteed`` (``move``) or leaves it (``keep``): not published."""


class Step(str, Enum):
    """What a legal call does to the latest attempt."""

    ADD = "add"  # a new attempt becomes the latest
    GUARANTEE = "guarantee"
    FAIL = "fail"
    CANCEL = "cancel"
    REFUND = "refund"
    AMEND = "amend"  # descriptive data only


_S = RecordState

TRANSITIONS: Mapping[tuple[RecordState, str], Step] = {
    (_S.FAILED, "report_payment_attempt"): Step.ADD,
    (_S.CANCELED, "report_payment_attempt"): Step.ADD,
    (_S.PENDING, "report_payment_attempt_guaranteed"): Step.GUARANTEE,
    (_S.PENDING, "report_payment_attempt_failed"): Step.FAIL,
    (_S.PENDING, "report_payment_attempt_canceled"): Step.CANCEL,
    (_S.GUARANTEED, "report_refund"): Step.REFUND,
    (_S.PARTIALLY_REFUNDED, "report_refund"): Step.REFUND,
    **{(state, "report_payment_attempt_informational"): Step.AMEND for state in RecordState},
}
"""State of the latest attempt and call → what the call does."""

_SETTLED = {Step.GUARANTEE: _S.GUARANTEED, Step.FAIL: _S.FAILED, Step.CANCEL: _S.CANCELED}


def buckets(attempt: Attempt, model: RefundModel) -> dict[str, int]:
    """Return the seven amounts of *attempt* in minor units, by the name of their bucket."""
    kept = attempt.value - attempt.refunded if model == "move" else attempt.value
    received = attempt.state in (_S.GUARANTEED, _S.PARTIALLY_REFUNDED, _S.REFUNDED)
    return {
        "amount": attempt.value,
        "amount_authorized": 0,
        "amount_canceled": attempt.value if attempt.state is _S.CANCELED else 0,
        "amount_failed": attempt.value if attempt.state is _S.FAILED else 0,
        "amount_guaranteed": kept if received else 0,
        "amount_refunded": attempt.refunded,
        "amount_requested": attempt.value,
    }


def report_payment(holdings: Holdings, params: Mapping[str, Any], moment: Moment) -> Change:
    """Make a record with its first attempt."""
    newest = holdings.order[-1].created if holdings.order else 0
    created = max(moment.now, newest)
    record_id, attempt_id = moment.new_id("pr"), moment.new_id("par")
    record = Record(record_id, created, len(holdings.order), (attempt_id,))
    attempt = Attempt(
        id=attempt_id,
        record=record_id,
        created=created,
        value=params["amount_requested"]["value"],
        currency=params["amount_requested"]["currency"],
        state=_outcome(params),
        details=amended(Details({}, params.get("processor_details", {"type": "custom"})), params),
    )
    return Change(records=(record,), attempts=(attempt,))


def report_on_record(
    call: str, holdings: Holdings, identifier: str, params: Mapping[str, Any], moment: Moment
) -> Change:
    """
    Do one of the calls on an existing record.

    Raises:
        RefusalError: No such record, the table does not have the pair, or the refund does not fit.
    """
    record = holdings.record(identifier)
    latest = holdings.latest(record)
    step = TRANSITIONS.get((latest.state, call))
    if step is None:
        raise illegal(call, latest.state)
    details = amended(latest.details, params)
    if step is Step.ADD:
        return _added(record, latest, details, params, moment)
    if step is Step.REFUND:
        return _refunded(holdings, latest, details, params)
    return Change(attempts=(replace(latest, details=details, state=_SETTLED.get(step, latest.state)),))


def illegal(call: str, state: RecordState) -> RefusalError:
    """Return the error for a pair the table does not have. The service's own wording is not published."""
    known = state.value.replace("_", " ")
    if call == "report_refund":
        return invalid(f"This payment record has nothing to refund: its latest attempt is {known}.")
    if call == "report_payment_attempt":
        return invalid(
            f"A new attempt can be reported only if every earlier one failed or was canceled; the latest is {known}."
        )
    return invalid(f"The latest attempt of this payment record is already {known}.")


def _outcome(params: Mapping[str, Any]) -> RecordState:
    return RecordState(params.get("outcome", "pending"))


def _added(record: Record, latest: Attempt, details: Details, params: Mapping[str, Any], moment: Moment) -> Change:
    attempt = Attempt(
        id=moment.new_id("par"),
        record=record.id,
        created=max(moment.now, latest.created),
        value=latest.value,
        currency=latest.currency,
        state=_outcome(params),
        details=details,
    )
    return Change(records=(replace(record, attempts=(*record.attempts, attempt.id)),), attempts=(attempt,))


def _refunded(holdings: Holdings, latest: Attempt, details: Details, params: Mapping[str, Any]) -> Change:
    rest = latest.value - latest.refunded
    amount = params.get("amount", {"value": rest, "currency": latest.currency})
    if amount["currency"] != latest.currency:
        raise invalid(f"The currency of a refund must be the payment record's, {latest.currency}.", "amount[currency]")
    if amount["value"] > rest:
        raise invalid(f"The refund is larger than what can still be refunded, {rest}.", "amount[value]")
    reference = params["processor_details"].get("custom", {}).get("refund_reference")
    if reference in holdings.refund_references:
        raise invalid(
            "A refund with this reference was reported before.", "processor_details[custom][refund_reference]"
        )
    refunded = latest.refunded + amount["value"]
    state = _S.REFUNDED if refunded == latest.value else _S.PARTIALLY_REFUNDED
    attempt = replace(latest, details=details, refunded=refunded, state=state)
    return Change(attempts=(attempt,), refund_references=(reference,) if reference else ())
