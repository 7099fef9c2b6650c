"""How far a run is: a bar on a terminal, a line every few seconds anywhere else. Always on the standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_payrecords.cli import console

if TYPE_CHECKING:
    from rich.console import Console

    from airflow_provider_payrecords.bulk import Progress

LINE_EVERY_SECONDS = 5.0
_TROUBLE = ("rejected", "review", "unknown", "held")

Show = Callable[["Progress"], None]


@contextmanager
def shown() -> Iterator[Show]:
    """Yield what a run calls with its progress."""
    from rich.console import Console

    screen = Console(file=sys.stderr)
    if not screen.is_terminal or screen.is_dumb_terminal:
        yield Lines()
        return
    with _bar(screen) as show:
        yield show


@contextmanager
def _bar(screen: Console) -> Iterator[Show]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[trouble]}"),
    )
    with Bar(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("Reporting", total=None, pace="", trouble="")

        def show(progress: Progress) -> None:
            speed = bar.tasks[0].speed
            pace = f"{speed:.1f} rows/s" if speed else ""
            done, total = progress.rows_done, progress.total_rows
            bar.update(task, completed=done, total=total, pace=pace, trouble=trouble_in(progress.counts))

        yield show


class Lines:
    """Prints a line at most every ``LINE_EVERY_SECONDS``; a run that is over sooner prints none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, put: Callable[[str], None] = console.note) -> None:
        self._clock = clock
        self._put = put
        self._started = self._next_at = clock()
        self._next_at += LINE_EVERY_SECONDS

    def __call__(self, progress: Progress) -> None:
        """Print *progress* if it is time."""
        now = self._clock()
        if now < self._next_at:
            return
        self._next_at = now + LINE_EVERY_SECONDS
        self._put(line_of(progress, now - self._started))


def line_of(progress: Progress, elapsed_seconds: float) -> str:
    """Return *progress* as one line: rows, rate, remaining time where it is known, and trouble."""
    rate = progress.rows_done / elapsed_seconds
    done = (
        f"{progress.rows_done} of {progress.total_rows} rows" if progress.total_rows else f"{progress.rows_done} rows"
    )
    parts = [done, f"{rate:.1f} rows/s"]
    if progress.total_rows and rate:
        parts.append(f"{_duration((progress.total_rows - progress.rows_done) / rate)} left")
    trouble = trouble_in(progress.counts)
    return ", ".join([*parts, trouble] if trouble else parts)


def trouble_in(counts: dict[str, int]) -> str:
    """Return the counts that a person may want to stop for."""
    return ", ".join(f"{counts[state]} {state}" for state in _TROUBLE if counts.get(state))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
