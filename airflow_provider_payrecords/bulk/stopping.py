"""When a run ends early: the rules, the count of trouble, and who asked."""

from __future__ import annotations

from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.summary import Tally
from airflow_provider_payrecords.core.errors import (
    ApiError,
    Disposition,
    LeaseEndedError,
    PayRecordsError,
    RateLimitError,
)

MIN_ROWS_FOR_SHARE = 20
"""A share of rejects means nothing before this many rows have a result."""
MAX_REFUSED_ALIKE = 5
"""So many refusals at the very beginning, none of which blames a field, are taken for one common cause."""


class Stopping:
    """
    Decides whether a run goes on.

    Attributes:
        reason: Why the run stops, in words; None while it goes on.
        error: The error behind it that every other row would meet as well, or None.
        at_once: Waits and retries are to be cut short.
        by_rule: A rule of the run stopped it, so that somebody looks before it goes on.
        by_canary: That rule was the canary.
    """

    def __init__(self, options: RunOptions, tally: Tally) -> None:
        self._options = options
        self._tally = tally
        self._failures_in_a_row = 0
        self._refused_alike: int | None = 0
        self.reason: str | None = None
        self.error: PayRecordsError | None = None
        self.at_once = False
        self.by_rule = False
        self.by_canary = False

    def stop(
        self, reason: str, *, at_once: bool = False, by_rule: bool = False, error: PayRecordsError | None = None
    ) -> None:
        """Stop. The first reason stays."""
        self.at_once = self.at_once or at_once
        if self.reason is None:
            self.reason, self.error, self.by_rule = reason, error, by_rule

    def after_canary(self, size: int) -> None:
        """Stop because *size* payments were sent, as was asked."""
        self.by_canary = self.reason is None
        self.stop(f"The canary of {size} payments was sent. Look, then run again.", by_rule=True)

    def after_call(self, error: PayRecordsError | None) -> None:
        """Learn from the outcome of one call."""
        if error is None or error.disposition is Disposition.REJECT:
            self._failures_in_a_row = 0
            if not getattr(error, "replayed", False):  # a stored refusal is of an earlier day, and says nothing of this
                self._after_verdict(error)
            return
        if error.disposition is Disposition.ABORT:
            self.stop(error.message, at_once=True, error=error)
            return
        if isinstance(error, LeaseEndedError):
            return  # says something of this machine, which slept, and nothing of the API
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= max(5, self._options.concurrency):
            what = "throttled" if isinstance(error, RateLimitError) else "not reachable or failing"
            detail = f"status {error.status}" if isinstance(error, ApiError) else error.message
            self.stop(
                f"The API is {what}: {self._failures_in_a_row} payments in a row were given up after all retries "
                f"({detail}). Run again when it is well.",
                at_once=True,
            )

    def _after_verdict(self, error: PayRecordsError | None) -> None:
        """Stop if nothing but the same refusal comes back, and it blames no field: then it is not about the rows."""
        if not isinstance(error, ApiError) or error.param is not None:
            self._refused_alike = None
        elif self._refused_alike is not None:
            self._refused_alike += 1
            if self._refused_alike >= MAX_REFUSED_ALIKE:
                self.stop(
                    f"The first {self._refused_alike} payments were all refused and no field was blamed: "
                    f"{error.message} Check stripe_version and stripe_account before the rows.",
                    by_rule=True,
                    error=error,
                )

    def after_reject(self) -> None:
        """Apply the stop rules after a row was rejected in this run."""
        rejects, limit = self._tally.new_rejects, self._options.stop_after_rejects
        if self._options.on_reject == "stop":
            self.stop("A row was rejected and on_reject is stop. Correct it, then run again.", by_rule=True)
        elif isinstance(limit, int) and rejects >= limit:
            text = f"{rejects} rows were rejected (stop_after_rejects {limit}). Correct them, then run again."
            self.stop(text, by_rule=True)
        elif isinstance(limit, float) and self._tally.rows_done >= MIN_ROWS_FOR_SHARE:
            share = rejects / self._tally.rows_done
            if share >= limit:
                self.stop(f"{share:.0%} of the rows were rejected (stop_after_rejects {limit:.0%}).", by_rule=True)
