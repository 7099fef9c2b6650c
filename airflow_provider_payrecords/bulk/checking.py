"""Whether a record that a person names can be the one of a payment in the ledger."""

from __future__ import annotations

from airflow_provider_payrecords.bulk.find import same_money
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.identity import KEY_STAMP, SOURCE_STAMP
from airflow_provider_payrecords.core.models import PaymentRecord, RecordState

_REFUNDED = frozenset({RecordState.PARTIALLY_REFUNDED, RecordState.REFUNDED})
_STATES = {
    "report_payment_attempt_guaranteed": _REFUNDED | {RecordState.GUARANTEED},
    "report_payment_attempt_failed": frozenset({RecordState.FAILED}),
    "report_payment_attempt_canceled": frozenset({RecordState.CANCELED}),
}


def check_record(entry: Entry, record: PaymentRecord) -> tuple[str, ...]:
    """
    Check *record* against what the ledger knows of *entry*.

    Returns:
        What cannot be checked and so rests on the person's word, in words.

    Raises:
        UsageError: It is the record of something else.
    """
    if record.livemode is not None and record.livemode != (entry.scope.mode == "live"):
        raise _other(entry, record, "it is of the other mode")
    if entry.scope.endpoint == "report_payment":
        return _check_payment(entry, record)
    if entry.scope.endpoint == "report_refund":
        return _check_refund(entry, record)
    states = _STATES.get(entry.scope.endpoint)
    if states is None:
        return (f"that {entry.scope.endpoint} took effect on {record.id}: a record does not show it",)
    if record.state not in states:
        raise _other(entry, record, f"its latest attempt is {record.state.value}")
    return ()


def _check_payment(entry: Entry, record: PaymentRecord) -> tuple[str, ...]:
    if not same_money(entry, record):
        raise _other(entry, record, "its amount or currency is another one")
    metadata = record.metadata or {}
    stamped = metadata.get(KEY_STAMP), metadata.get(SOURCE_STAMP)
    if stamped == (None, None):
        return (f"that {record.id} is this payment: it carries none of our metadata",)
    if stamped != (entry.key, entry.scope.source):
        raise _other(entry, record, "its metadata names another payment")
    return ()


def _check_refund(entry: Entry, record: PaymentRecord) -> tuple[str, ...]:
    refunded = record.amount_refunded
    enough = refunded is not None and refunded.value >= (entry.amount_minor or 1)
    if not enough or (entry.currency is not None and refunded is not None and refunded.currency != entry.currency):
        raise _other(entry, record, "so much was not refunded of it")
    return (f"that this refund is among those of {record.id}: a record shows their sum only",)


def _other(entry: Entry, record: PaymentRecord, why: str) -> UsageError:
    return UsageError(
        f"{record.id} is not the record of {entry.key} ({entry.scope.source}): {why}. Nothing was changed."
    )
