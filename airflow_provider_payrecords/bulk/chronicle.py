"""
How a run goes, written to its ledger now and then for whoever looks on.

Nothing depends on it: a ledger that cannot take it is asked again later, and the run goes on. Only counts, codes, names
of fields and row numbers are written, never what is in a row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy

from airflow_provider_payrecords.bulk.results import Line
from airflow_provider_payrecords.bulk.summary import CONFIRMED, Progress, Tally
from airflow_provider_payrecords.core.errors import LedgerError
from airflow_provider_payrecords.ledger.store import LedgerStore, RunProgress, RunReason
from airflow_provider_payrecords.transport.clock import Clock

MAX_REASONS = 100
"""Reasons that are told apart; rows of further ones are counted together by state."""
MAX_FIRST_ROWS = 200
"""Numbers of rows that are kept of each reason."""
OTHER_REASONS = "other_reasons"
MAX_TEXT = 200
"""Characters of a code or a field that are kept."""

_SHORTEST_SECONDS = 1.0
_SHARE = 1 / 100
_LONGEST_AFTER_FAILURE = 60.0

_Place = tuple[str, str | None, str | None]
_log = logging.getLogger(__name__)


def interval(elapsed_seconds: float) -> float:
    """Return after how many seconds more is told: so a run leaves some hundred rows, however long it takes."""
    return max(_SHORTEST_SECONDS, elapsed_seconds * _SHARE)


class Reasons:
    """Why rows of a run are not confirmed, in a bounded number of groups."""

    def __init__(self) -> None:
        self._rows: dict[_Place, list[int]] = {}
        self._counts: dict[_Place, int] = {}
        self._changed: dict[_Place, None] = {}

    def add(self, line: Line) -> None:
        """Count a row by its result, a line of the results file."""
        state = line.state
        if state == CONFIRMED:
            return
        place = (state, _bounded(line.error_code), _bounded(line.error_param))
        if place not in self._counts and len(self._counts) >= MAX_REASONS:
            place = (state, OTHER_REASONS, None)
        self._counts[place] = self._counts.get(place, 0) + 1
        self._changed[place] = None
        rows = self._rows.setdefault(place, [])
        if len(rows) < MAX_FIRST_ROWS:
            rows.append(line.row_number)

    def changed(self, run_id: str) -> list[RunReason]:
        """Return those that grew since they were saved."""
        return [RunReason(run_id, *place, self._counts[place], tuple(self._rows[place])) for place in self._changed]

    def saved(self) -> None:
        """Forget what had changed."""
        self._changed.clear()


class Chronicle:
    """
    Tells the ledger of one run.

    Args:
        now: Tells the time as aware UTC.
        clock: Monotonic seconds.
    """

    def __init__(
        self, ledger: LedgerStore, run_id: str, tally: Tally, reasons: Reasons, now: Clock, clock: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._tally = tally
        self._reasons = reasons
        self._now = now
        self._clock = clock
        self._began = clock()
        self._due = interval(0)
        self._failures = 0

    def tell(self, progress: Progress) -> None:
        """Write *progress* if it is time to."""
        elapsed = self._clock() - self._began
        if elapsed < self._due:
            return
        if self._write(progress, wait=False):
            self._failures = 0
            self._due = elapsed + interval(elapsed)
        else:
            self._failures += 1
            self._due = elapsed + min(2.0**self._failures, _LONGEST_AFTER_FAILURE)

    def end(self, progress: Progress, *, wait: bool) -> None:
        """
        Write how it ended.

        Args:
            wait: Whether to wait for a ledger that is busy or away. Not where it has failed already.
        """
        if not self._write(progress, wait=wait):
            _log.warning("The ledger did not take the last of the run's progress; its payments are not affected.")

    def _write(self, progress: Progress, *, wait: bool) -> bool:
        told = RunProgress(
            self._run_id,
            self._now(),
            dict(progress.counts),
            deepcopy(self._tally.money),
            progress.requests,
            progress.throttled,
            progress.rate,
            progress.total_rows,
        )
        try:
            self._ledger.save_progress(told, self._reasons.changed(self._run_id), wait=wait)
        except LedgerError as error:
            _log.debug("Progress was not written: %s", error.message)
            return False
        self._reasons.saved()
        return True


def _bounded(text: str | None) -> str | None:
    """Return *text* as any database takes it."""
    if text is None:
        return None
    return text[:MAX_TEXT].encode("utf-8", "replace").decode().replace("\0", "?")
