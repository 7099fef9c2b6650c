"""What an error of ours means for an Airflow task: fail for good, or fail and try again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_payrecords._airflow import AirflowFailException
from airflow_provider_payrecords.core.errors import (
    Disposition,
    ExtractError,
    LedgerUnavailableError,
    PayRecordsError,
    ResultsError,
    ReviewNeededError,
)

_MAY_HEAL = (ExtractError, LedgerUnavailableError, ResultsError)
"""Every row would fail alike, but a database, a bucket or an extract that was not there yet comes back by itself."""


@contextmanager
def failing_for_good() -> Iterator[None]:
    """
    Turn an error that a retry cannot heal into one that Airflow does not retry.

    Any other error passes: the task is retried, and a retry never sends a payment a second time.
    """
    try:
        yield
    except PayRecordsError as error:
        if is_final(error):
            raise AirflowFailException(error.message) from error
        raise


def is_final(error: PayRecordsError) -> bool:
    """Tell whether a person must change something before the same task can succeed."""
    if isinstance(error, _MAY_HEAL):
        return False
    return error.disposition in (Disposition.ABORT, Disposition.REJECT) or isinstance(error, ReviewNeededError)
