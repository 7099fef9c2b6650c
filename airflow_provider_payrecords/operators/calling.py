"""What a one-call operator does when it runs: name the call, make it through the ledger, read what Airflow may keep."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_payrecords._airflow import Context
from airflow_provider_payrecords.bulk import CommandReport, default_key, report_command
from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import (
    COMMANDS,
    Command,
    ListPaymentAttemptRecords,
    ReportPaymentAttempt,
    ReportPaymentAttemptCanceled,
    ReportPaymentAttemptFailed,
    ReportPaymentAttemptGuaranteed,
    ReportPaymentAttemptInformational,
    RetrievePaymentRecord,
    build,
)
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import CommandError, PayRecordsError
from airflow_provider_payrecords.core.identity import check_key
from airflow_provider_payrecords.core.models import PaymentRecord
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.operators.call_key import amendment_key, attempt_key, choose_key
from airflow_provider_payrecords.operators.one_call import OneCallOperator
from airflow_provider_payrecords.operators.options import make_options
from airflow_provider_payrecords.operators.values import check_text, compact, merged, with_integers

_log = logging.getLogger(__name__)
_ON_ATTEMPT = (
    ReportPaymentAttempt,
    ReportPaymentAttemptCanceled,
    ReportPaymentAttemptFailed,
    ReportPaymentAttemptGuaranteed,
)


@dataclass(frozen=True, slots=True)
class Made:
    """
    A call that is confirmed.

    Attributes:
        payment_record: ``pr_…``.
        record: JSON-safe part of the record that anybody may see.
        request_id: ``req_…`` of the answer that confirmed it, or None.
        new: This task confirmed it; else it was confirmed before and nothing was sent.
    """

    payment_record: str
    record: dict[str, Any]
    request_id: str | None
    new: bool


def name_of(context: Context) -> str:
    """Return the name of the task instance: the same for every try and after a clear, another for another run."""
    instance = context["ti"]
    name = f"{instance.dag_id}/{instance.task_id}/{instance.run_id}"
    mapped = instance.map_index is not None and instance.map_index >= 0
    return f"{name}[{instance.map_index}]" if mapped else name


def fields_of(operator: OneCallOperator) -> dict[str, Any]:
    """Return the API fields that the parameters of *operator* give."""
    flat = {name: getattr(operator, name) for name in operator.flat}
    return merged(flat, operator.body, getattr(operator, operator.body)) if operator.body else flat


def make_call(
    endpoint: str,
    fields: Mapping[str, Any],
    client: PayRecordsClient,
    ledger: LedgerStore,
    *,
    source: str,
    key: str | None,
    caller: str,
    should_stop: Callable[[], bool],
) -> Made:
    """
    Make the call of *endpoint*, or find in the ledger that it was made.

    Args:
        key: Row key, or None to work out which call this is.
        caller: Name of the task instance.

    Raises:
        PayRecordsError: The errors of ``report_command``.
    """
    command = build(COMMANDS[endpoint], with_integers(fields))
    check_text("source", source)
    if key is None:
        key = _key_of(command, client, ledger, source, caller)
    check_text("key", key)
    check_key(key)
    report = report_command(
        command,
        settings=client.settings,
        ledger=ledger,
        source=source,
        key=key,
        options=make_options(),
        run_id=caller,
        should_stop=should_stop,
    )
    _log.info(
        "%s %s: %s, key %s, request %s",
        endpoint,
        report.payment_record,
        "reported" if report.new else "was reported before, nothing sent",
        report.entry.key,
        report.request_id,
    )
    return Made(report.payment_record, _record(report, client), report.request_id, report.new)


def _key_of(command: Command, client: PayRecordsClient, ledger: LedgerStore, source: str, caller: str) -> str:
    if isinstance(command, ReportPaymentAttemptInformational):
        return amendment_key(command, caller)
    if not isinstance(command, _ON_ATTEMPT):
        return default_key(command)
    record, settings = command.payment_record, client.settings
    attempts = list(client.iterate(ListPaymentAttemptRecords(payment_record=record, limit=100)))
    if not attempts:
        raise CommandError(f"{record} has no attempts, so there is nothing to report on. Check the id.")
    scope = Scope(settings.account_scope, settings.mode, command.endpoint, source)
    known = ledger.look_up(scope, [attempt_key(record, attempt.id) for attempt in attempts])
    return choose_key(command, record, attempts, known, caller)


def _record(report: CommandReport, client: PayRecordsClient) -> dict[str, Any]:
    if isinstance(report.answer, PaymentRecord):
        return compact(report.answer)
    try:
        return compact(client.send(RetrievePaymentRecord(payment_record=report.payment_record)))
    except PayRecordsError as error:
        # The call is confirmed. A key that may attach payments and not read them must not fail for a look.
        _log.warning("%s is reported, but could not be read: %s", report.payment_record, error.message)
        return {"id": report.payment_record}
