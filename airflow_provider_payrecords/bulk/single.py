"""One call through the ledger: what one-call operators and ``payrecords request --send`` do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from airflow_provider_payrecords.bulk.engine import GRACE_SECONDS, TICK_SECONDS
from airflow_provider_payrecords.bulk.find import find_records, may_be_found
from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess, new_run_id
from airflow_provider_payrecords.bulk.lines import STATES, explain
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.prepare import Prepared, prepare
from airflow_provider_payrecords.bulk.watched import watched
from airflow_provider_payrecords.core.commands import AttachPayment, Command, ReportPayment, ReportRefund
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import (
    CommandError,
    HeldError,
    OutcomeUnknownError,
    PayRecordsError,
    ReviewNeededError,
)
from airflow_provider_payrecords.core.flows import Reported, report
from airflow_provider_payrecords.core.identity import DEFAULT_SOURCE
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.store import LedgerStore, until_asked_to_stop
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.clock import Clock, utc_now
from airflow_provider_payrecords.transport.pace import uniform_jitter


@dataclass(frozen=True, slots=True)
class CommandReport:
    """
    What came of one call.

    Attributes:
        payment_record: ``pr_…``.
        answer: Model of the API's answer, or None if the call was confirmed before and nothing was sent.
        request_id: ``req_…`` of the answer that confirmed it, or None if the server gave none.
        new: This call confirmed it.
        entry: Its ledger entry.
    """

    payment_record: str
    answer: Any
    request_id: str | None
    new: bool
    entry: Entry


def report_command(
    command: Command,
    *,
    settings: Settings,
    ledger: LedgerStore,
    source: str = DEFAULT_SOURCE,
    key: str | None = None,
    options: RunOptions | None = None,
    run_id: str | None = None,
    should_stop: Callable[[], bool] | None = None,
    network: httpx.AsyncBaseTransport | None = None,
    now: Clock = utc_now,
) -> CommandReport:
    """
    Make one call, or take its outcome from the ledger if it was confirmed before.

    A call that the API refused before is made again, under the same key: asking again is what repeating it means.

    Args:
        key: Row key; ``default_key`` of the command when None.
        should_stop: Asked ten times a second; once true, the call is given up within about two seconds.

    Raises:
        CommandError: Nothing names this payment, so ``key`` must be given.
        HeldError: Another worker is making this call.
        ReviewNeededError: A person must look at it first.
        InvalidRequestError: The API refused it.
        OutcomeUnknownError: No answer was read. Call again: the same idempotency key is sent.
        ApiError: Another error of the API; its class says what to do.
    """
    options = options or RunOptions()
    scope = Scope(settings.account_scope, settings.mode, command.endpoint, source)
    row = prepare(
        command, scope, default_key(command) if key is None else key, stamped=options.stamp_metadata, replay=True
    )
    access = LedgerAccess(ledger, scope, run_id or new_run_id(now()), options.lease_seconds, now)
    should_stop = should_stop or (lambda: False)
    with until_asked_to_stop(ledger, should_stop):
        return asyncio.run(_report(row, settings, access, options, should_stop, network))


def default_key(command: Command) -> str:
    """
    Return what names the payment or refund of *command*: the outside processor's reference.

    Raises:
        CommandError: The command holds no such reference; give a key.
    """
    reference = None
    if isinstance(command, ReportPayment) and command.processor_details and command.processor_details.custom:
        reference = command.processor_details.custom.payment_reference
    elif isinstance(command, ReportRefund) and command.processor_details.custom:
        reference = command.processor_details.custom.refund_reference
    elif isinstance(command, AttachPayment):
        reference = f"{command.invoice}:{command.payment_record or command.payment_intent}"
    if reference is None:
        message = "Nothing in this call names the payment. Give key=, a value that is the same whenever it is repeated."
        raise CommandError(message, problems=[{"field": "key", "code": "missing_key", "message": message}])
    return reference


async def _report(
    row: Prepared,
    settings: Settings,
    access: LedgerAccess,
    options: RunOptions,
    should_stop: Callable[[], bool],
    network: httpx.AsyncBaseTransport | None,
) -> CommandReport:
    access.release_the_dead()
    transport = AsyncTransport(settings, connections=1, ledger=access, network=network, now=access.now)
    try:
        sent = _send(row, settings, access, options, should_stop, transport)
        return await watched(sent, _watch(should_stop, transport))
    finally:
        await transport.close()


async def _send(
    row: Prepared,
    settings: Settings,
    access: LedgerAccess,
    options: RunOptions,
    should_stop: Callable[[], bool],
    transport: AsyncTransport,
) -> CommandReport:
    policy, jitter = settings.retry_policy, uniform_jitter()
    flow = report(row.content, row.request, access.scope, row.intent, policy, jitter)
    reported = await transport.run(flow)
    entry = reported.entry
    if may_be_found(entry, options) and not should_stop():
        found = await find_records([(row.intent, entry)], access, transport, policy, jitter)
        entry = found.get(entry.key, entry)
    return _outcome(reported, entry)


async def _watch(should_stop: Callable[[], bool], transport: AsyncTransport) -> None:
    while not should_stop():  # noqa: ASYNC110  # the flag is set by a signal handler, which cannot set an event
        await anyio.sleep(TICK_SECONDS)
    transport.stop()
    await anyio.sleep(GRACE_SECONDS)
    transport.give_up()


def _outcome(reported: Reported, entry: Entry) -> CommandReport:
    called = reported.called
    if entry.state is State.CONFIRMED and entry.payment_record is not None:
        answer = called.answer if called else None
        return CommandReport(entry.payment_record, answer, entry.request_id, called is not None, entry)
    if called is not None and called.error is not None and entry.state is not State.REVIEW:
        raise called.error
    raise _kept_back(entry)


def _kept_back(entry: Entry) -> PayRecordsError:
    about = f"{entry.scope.endpoint} {entry.key} ({entry.scope.source})"
    text = f"{about}: {explain(STATES[entry.state], entry, None)}"
    if entry.state is State.REVIEW:
        return ReviewNeededError(text)
    return HeldError(text) if entry.state is State.CLAIMED else OutcomeUnknownError(text)
