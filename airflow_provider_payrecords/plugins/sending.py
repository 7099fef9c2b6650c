"""
Sends what was composed on the page, once.

With a test key it is one request as it is, and the answer as it came: the idempotency key is made of the content, so a
second click or a reload gets the same record again. With a live key a report goes through the ledger, after a person
typed what it is about.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import Any

from airflow_provider_payrecords.bulk import CommandReport, report_command
from airflow_provider_payrecords.compose.exchange import exchange
from airflow_provider_payrecords.core.errors import LedgerError, NotSentError, PayRecordsError
from airflow_provider_payrecords.core.wire import read_answer
from airflow_provider_payrecords.links.dashboard import record_url
from airflow_provider_payrecords.operators.options import make_options
from airflow_provider_payrecords.plugins.drafts import Draft, Ready
from airflow_provider_payrecords.plugins.problems import ProblemError, nothing_was_sent, problem_of

_log = logging.getLogger(__name__)


class Sending(Draft):
    """
    A form that is to be sent.

    Attributes:
        confirmation: What the person typed, for a live key.
    """

    confirmation: str | None = None


def send(ready: Ready, confirmation: str | None, person: str) -> dict[str, Any]:
    """
    Send *ready*, and return what came of it.

    Raises:
        ProblemError: It is live, and was not confirmed.
        PayRecordsError: No answer was read, or the ledger keeps it back or cannot be used.
    """
    if ready.confirmation is not None and confirmation != ready.confirmation:
        said = [{"field": "confirmation", "code": "invalid_value", "message": f"Type {ready.confirmation}."}]
        raise ProblemError(
            422, "This was not confirmed", f"It records {ready.confirmation} for real.", "Type it to confirm.", said
        )
    _log.info("%s sends %s, key %s, %s", person, ready.command.endpoint, ready.key or "-", ready.settings.mode)
    answer = _through_the_ledger(ready) if ready.is_live_report else _as_it_is(ready)
    record = answer["payment_record"]
    return {**answer, "mode": ready.settings.mode, "record_url": _url(ready, record) if record else None}


def _as_it_is(ready: Ready) -> dict[str, Any]:
    try:
        made = exchange(ready.request, ready.settings)
    except NotSentError as error:
        raise nothing_was_sent(error) from None
    told = {**made.as_json(ready.settings), "through_ledger": False, "new": None, "problem": None}
    try:
        answer = read_answer(ready.command, made.response)
    except PayRecordsError as error:
        return {**told, "payment_record": None, "problem": problem_of(error).as_json()}
    return {**told, "payment_record": _record_in(answer)}


def _through_the_ledger(ready: Ready) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        opened = ready.hook.ledger()
    except LedgerError as error:
        raise nothing_was_sent(error) from None
    with closing(opened) as ledger:
        report = report_command(
            ready.command,
            settings=ready.settings,
            ledger=ledger,
            source=ready.source,
            key=ready.key,
            options=make_options(),
        )
    return {
        **_told(report),
        "headers": {},
        "milliseconds": round((time.monotonic() - begun) * 1000),
        "replayed": False,
        "through_ledger": True,
        "problem": None,
    }


def _told(report: CommandReport) -> dict[str, Any]:
    return {
        "status": 200 if report.new else None,
        "body": report.answer.model_dump(mode="json", exclude_unset=True) if report.answer else None,
        "request_id": report.request_id,
        "payment_record": report.payment_record,
        "new": report.new,
    }


def _record_in(answer: Any) -> str | None:
    kind = getattr(answer, "object", None)
    if kind == "payment_record":
        return str(answer.id)
    return getattr(answer, "payment_record", None) if kind == "payment_attempt_record" else None


def _url(ready: Ready, record: str) -> str:
    settings = ready.settings
    return record_url(record, api_base=settings.api_base, mode=settings.mode, stripe_account=settings.stripe_account)
