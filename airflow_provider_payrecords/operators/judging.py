"""What Airflow makes of a comparison: its options, its log, and whether the task may be green."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_payrecords._airflow import AirflowException, AirflowFailException
from airflow_provider_payrecords.bulk import ReconcileOptions, Reconciliation
from airflow_provider_payrecords.connection import read_extras
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.operators.options import make_options

if TYPE_CHECKING:
    from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook

_log = logging.getLogger(__name__)


def make_reconcile_options(given: Any, hook: PaymentRecordsHook) -> ReconcileOptions:
    """
    Return the options of a comparison; the rate is the connection's or ``[payrecords]``'s where none is given.

    Raises:
        UsageError: An option is not known or has a wrong value.
    """
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(f"options: give a mapping such as {{'partial': True}}, not {type(given).__name__}.")
    usual = make_options(None, read_extras(hook.connection).rate_limit)
    values = {"rate_limit": usual.rate_limit, "concurrency": usual.concurrency, **(given or {})}
    try:
        return ReconcileOptions.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems)
        raise UsageError(f"options: {said}.") from None


def log_reconciliation(summary: Reconciliation) -> None:
    """Log how a comparison ended, and its first findings by row number and key."""
    _log.info(
        "Comparison %s: %d rows, %s, %d requests, results in %s",
        summary.status,
        summary.rows,
        summary.counts,
        summary.requests,
        summary.results_path,
    )
    for finding in summary.first_findings:
        _log.warning("Row %(row_number)s (%(key)s) is %(finding)s", finding)


def judge_reconciliation(summary: Reconciliation, *, fail_on_differences: bool) -> None:
    """
    Raise if the task must not be green.

    Raises:
        AirflowFailException: There are differences, or what stopped it would stop it again.
        AirflowException: Not everything could be checked; a retry may.
    """
    if summary.status == "stopped":
        error = AirflowFailException if summary.fatal else AirflowException
        raise error(f"Not everything was compared: {summary.stop_reason}")
    if not summary.is_whole:
        raise AirflowException(f"{summary.counts.get('not_checked', 0)} rows could not be checked: see the results.")
    if summary.differences and fail_on_differences:
        raise AirflowFailException(
            f"{summary.differences} differences between extract, ledger and Stripe: see {summary.results_path}."
        )
