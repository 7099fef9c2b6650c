"""A simulated process: a loop and clocks of its own, a way to the API, and a death that lets it do nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_provider_payrecords.bulk.results import Line
from airflow_provider_payrecords.bulk.run import Report
from tests.simulation.extract import Payment
from tests.simulation.loop import Timeline, VirtualLoop
from tests.simulation.trace import Trace

EPOCH = datetime(2026, 11, 23, 3, 0, tzinfo=timezone.utc)
"""When every world begins."""


class Crash(BaseException):
    """The process is gone. Not an ``Exception``: nothing may handle it."""


@dataclass(frozen=True)
class Fate:
    """
    What befalls one process. Seconds count from its start.

    Attributes:
        crash_at: The effect, counted from 1, at which it is gone, or None.
        kill_after: When it is killed, whatever it does, or None.
        stop_after: When it is asked to stop, or None.
        freezes: When it stands still, for how long, and whether its monotonic clock stands with it.
        clock_ahead: By how many seconds its clock is wrong.
        clock_steps: When somebody sets its clock, and by how many seconds.
        seen_dead: Others can tell that it is gone once it is.
    """

    crash_at: int | None = None
    kill_after: float | None = None
    stop_after: float | None = None
    freezes: tuple[tuple[float, float, bool], ...] = ()
    clock_ahead: float = 0.0
    clock_steps: tuple[tuple[float, float], ...] = ()
    seen_dead: bool = True


class Process:
    """
    One run of one process.

    Attributes:
        payments: What it is to report.
        claims: Until when it may send which idempotency key, by claims it knows to be committed.
        troubled: Its ledger or its results failed, so that it may end with their error.
        lines: Results it wrote, by row number.
    """

    def __init__(
        self,
        timeline: Timeline,
        trace: Trace,
        name: str,
        fate: Fate,
        payments: list[Payment],
        jumped: Callable[[float], float],
    ) -> None:
        self.name = name
        self.fate = fate
        self.payments = payments
        self.owner = f"host:{name}:run"
        self.loop = VirtualLoop(timeline)
        self.claims: dict[str, datetime] = {}
        self.troubled = False
        self.lines: dict[int, Line] = {}
        self.dead = False
        self._timeline = timeline
        self._trace = trace
        self._born = timeline.now
        self._effects = 0
        self._jumped = jumped
        self._task: asyncio.Task[Any] | None = None

    def start(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Begin *work*, and let fate take its course."""
        self.note("starts")
        self._task = self.loop.create_task(work())
        self._task.add_done_callback(lambda _: self.note("ends: {}", _in_words(self.outcome)))
        if self.fate.kill_after is not None:
            self._timeline.at(self._born + self.fate.kill_after, lambda: self.die("wherever it is"))
        for begin, seconds, clock_stands in self.fate.freezes:
            self._timeline.at(self._born + begin, lambda s=seconds, c=clock_stands: self.freeze(s, clock_stands=c))

    def freeze(self, seconds: float, *, clock_stands: bool = False) -> None:
        """Let it stand still."""
        if not self.over:
            self.note("stands still for {:.0f} seconds", seconds)
            self.loop.freeze(seconds, clock_stands=clock_stands)

    @property
    def over(self) -> bool:
        """Whether it has ended, in one way or another."""
        return self._task is not None and self._task.done()

    @property
    def outcome(self) -> Any:
        """What it returned, or the exception that ended it."""
        assert self._task is not None
        if self._task.cancelled():
            return Crash("cancelled")
        return self._task.exception() or self._task.result()

    def now(self) -> datetime:
        """Return the time by its clock, which may be wrong."""
        age = self.loop.instant() - self._born
        wrong = self.fate.clock_ahead + sum(by for at, by in self.fate.clock_steps if age >= at)
        true = self.loop.instant()
        return EPOCH + timedelta(seconds=true + wrong + self._jumped(true))

    def should_stop(self) -> bool:
        """Say whether it was asked to stop."""
        return self.fate.stop_after is not None and self.loop.instant() - self._born >= self.fate.stop_after

    def effect(self, what: str) -> None:
        """
        Let it have one effect on the world, or be gone.

        Raises:
            Crash: It is dead, or dies here.
        """
        if self.dead:
            raise Crash(what)
        self._effects += 1
        if self._effects == self.fate.crash_at:
            self.die(what)
            raise Crash(what)

    def die(self, where: str) -> None:
        """Be gone: nothing that its code still does has an effect."""
        if self.dead or self.over:
            return
        self.note("DIES {}", where)
        self.dead = True
        if self._task is not None:
            self._task.cancel()

    def note(self, text: str, *values: Any) -> None:
        """Add to the trace what it does."""
        self._trace.note(self.loop.instant(), self.name, text, *values)


def _in_words(outcome: Any) -> str:
    if not isinstance(outcome, Report):
        return repr(outcome)
    summary = outcome.summary
    return f"{summary.status}, {summary.counts}{f', {summary.stop_reason}' if summary.stop_reason else ''}"
