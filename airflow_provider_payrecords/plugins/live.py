"""A payment's record as the API has it now. Asks once, shortly, and only reads; customers' data is left out."""

from __future__ import annotations

from typing import Any

from airflow_provider_payrecords.bulk.find import same_money
from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import (
    ListPaymentAttemptRecords,
    RetrievePaymentAttemptRecord,
    RetrievePaymentRecord,
)
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import CommandError, InvalidRequestError, PayRecordsError
from airflow_provider_payrecords.core.identity import KEY_STAMP, SOURCE_STAMP
from airflow_provider_payrecords.core.models import PaymentAttemptRecord, PaymentRecord
from airflow_provider_payrecords.links.dashboard import record_url
from airflow_provider_payrecords.plugins.problems import ProblemError, problem_of
from airflow_provider_payrecords.settings import Settings

QUICK = {"max_retries": 0, "connect_timeout_seconds": 5.0, "read_timeout_seconds": 10.0}
MAX_ATTEMPTS = 100
_BUCKETS = ("requested", "authorized", "guaranteed", "failed", "canceled", "refunded")


def fetch(settings: Settings, entry: Entry) -> dict[str, Any]:
    """
    Return the record of *entry* and its attempts.

    Raises:
        ProblemError: The entry has no record, or the API did not give it.
    """
    if entry.payment_record is None:
        raise ProblemError(
            409,
            "No record is known",
            f"The ledger has no record id of {entry.key!r}.",
            "Once the payment is confirmed, its record is here.",
        )
    with PayRecordsClient(settings.model_copy(update=QUICK)) as client:
        record = retrieve(client, entry.payment_record)
        try:
            page = client.send(ListPaymentAttemptRecords(payment_record=record.id, limit=MAX_ATTEMPTS))
            attempts, problem = [shown_attempt(one) for one in page.data], None
        except PayRecordsError as error:
            attempts, problem = [], not_fetched(error).as_json()
    return {
        "record": shown_record(record, settings),
        "attempts": attempts,
        "attempts_problem": problem,
        "differs": differences(entry, record),
    }


def retrieve(client: PayRecordsClient, named: str) -> PaymentRecord:
    """
    Return the record of this id, or the one that the attempt of this id belongs to.

    Raises:
        ProblemError: There is none, or the API did not say.
    """
    try:
        if named.startswith("par_"):
            attempt = client.send(RetrievePaymentAttemptRecord(payment_attempt_record=named))
            named = attempt.payment_record or ""
        record: PaymentRecord = client.send(RetrievePaymentRecord(payment_record=named))
    except (CommandError, ValueError) as error:
        raise ProblemError(
            422, "This is no id of a record", "A record's id begins with pr_, an attempt's with par_.", "Check it."
        ) from error
    except InvalidRequestError as error:
        raise ProblemError(
            404,
            "The API has no such record",
            f"{client.settings.api_base} has no {named!r} in this account and mode.",
            "Choose the connection of the account and mode that has it.",
        ) from error
    except PayRecordsError as error:
        raise not_fetched(error) from error
    return record


def not_fetched(error: PayRecordsError) -> ProblemError:
    """Return what a page says when the API could not be asked: nothing was changed, and the ledger's part stands."""
    problem = problem_of(error)
    return ProblemError(
        problem.status,
        problem.title,
        problem.detail,
        "Only what the API would say is missing; what the ledger knows is shown. Check the connection, then try again.",
    )


def stamps(record: PaymentRecord) -> tuple[str, str] | None:
    """Return source and key that the record's metadata names, or None."""
    metadata = record.metadata or {}
    source, key = metadata.get(SOURCE_STAMP), metadata.get(KEY_STAMP)
    return (source, key) if source and key else None


def differences(entry: Entry, record: PaymentRecord) -> list[str]:
    """Return in words what the record of a reported payment has other than the ledger."""
    if entry.scope.endpoint != "report_payment":
        return []
    said = []
    if not same_money(entry, record):
        said.append("Amount or currency differ from what was sent.")
    if (found := stamps(record)) is not None and found != (entry.scope.source, entry.key):
        said.append("Its metadata names another payment.")
    return said


def shown_record(record: PaymentRecord, settings: Settings) -> dict[str, Any]:
    """Return a record as a page shows it."""
    url = record_url(record.id, api_base=settings.api_base, mode=settings.mode, stripe_account=settings.stripe_account)
    return {
        **_shown(record),
        "livemode": record.livemode,
        "metadata": record.metadata or {},
        "reported_by": record.reported_by,
        "latest_payment_attempt_record": record.latest_payment_attempt_record,
        "url": url,
    }


def shown_attempt(attempt: PaymentAttemptRecord) -> dict[str, Any]:
    """Return an attempt as a page shows it."""
    return _shown(attempt)


def _shown(thing: PaymentRecord | PaymentAttemptRecord) -> dict[str, Any]:
    buckets = {name: getattr(thing, f"amount_{name}") for name in _BUCKETS}
    return {
        "id": thing.id,
        "state": thing.state.value,
        "created": thing.created,
        "amounts": {
            name: {"amount_minor": money.value, "currency": money.currency}
            for name, money in buckets.items()
            if money is not None and (money.value or name == "requested")
        },
        "reference": _custom(thing.processor_details).get("payment_reference"),
        "method": _custom(thing.payment_method_details).get("display_name"),
    }


def _custom(details: dict[str, Any] | None) -> dict[str, Any]:
    custom = (details or {}).get("custom")
    return custom if isinstance(custom, dict) else {}
