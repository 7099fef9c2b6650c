"""
Virtual time, and one event loop for each simulated process.

Nothing here waits. The timeline runs what is due next, and jumps over the time in which nothing is. What two processes
do at the same instant is run in an order that chance decides, as an operating system would.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import threading
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any


class EndlessError(AssertionError):
    """A simulated process does not come to an end."""


class Timeline:
    """
    The one true time, in seconds, and all who live in it.

    Args:
        random: Decides between those that are due at the same instant.
    """

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self._random = random
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.loops: list[VirtualLoop] = []

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Let *action* happen at *when*, or now if that is past."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), self._count, action))

    def run_until(self, is_over: Callable[[], bool], max_steps: int, max_seconds: float) -> None:
        """
        Let time pass until *is_over*.

        Raises:
            EndlessError: It does not end within these bounds, or nothing is left that could end it.
        """
        last = self.now + max_seconds
        for _ in range(max_steps):
            if is_over():
                return
            if not self._step():
                raise EndlessError("everybody waits, and nothing will ever happen")
            if self.now > last:
                raise EndlessError(f"it goes on for more than {max_seconds:.0f} seconds")
        raise EndlessError(f"it goes on for more than {max_steps} steps")

    def _step(self) -> bool:
        due = self._events[0][0] if self._events else None
        ready: list[VirtualLoop] = []
        for loop in self.loops:
            when = loop.due()
            if when is None:
                continue
            if due is None or when < due:
                due, ready = when, [loop]
            elif when == due:
                ready.append(loop)
        if due is None:
            return False
        self.now = max(self.now, due)
        if ready:
            (ready[0] if len(ready) == 1 else self._random.choice(ready)).step()
        else:
            heapq.heappop(self._events)[2]()
        return True


class VirtualLoop(asyncio.BaseEventLoop):
    """
    The event loop of one process. asyncio's own, but for time, which the timeline gives, and sockets, which it lacks.

    A process can be frozen, as when its machine sleeps: nothing of it runs, and its clocks go on or stand still.
    """

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._selector = self
        self._thread_id = threading.get_ident()
        self._clock_resolution = 1e-6  # more than what adding up seconds of a week rounds off
        self._timeline = timeline
        self._awake_at = 0.0
        self._slept = 0.0
        self.failures: list[BaseException] = []
        self.set_exception_handler(self._remember)
        timeline.loops.append(self)

    def instant(self) -> float:
        """Return the true time at which this process is. It runs ahead while a call blocks it."""
        return max(self._timeline.now, self._awake_at)

    def time(self) -> float:
        """Return this process's monotonic seconds."""
        return self.instant() - self._slept

    def freeze(self, seconds: float, *, clock_stands: bool = False) -> None:
        """Let nothing of this process run for *seconds*."""
        self._awake_at = self.instant() + seconds
        if clock_stands:
            self._slept += seconds

    def due(self) -> float | None:
        """Return when this process wants to run next, or None."""
        if self._ready:
            return self.instant()
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(self._scheduled)._scheduled = False
        if not self._scheduled:
            return None
        return max(self._scheduled[0]._when + self._slept, self.instant())

    def step(self) -> None:
        """Run once what is ready, as ``run_forever`` does over and over."""
        before = asyncio._get_running_loop()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        asyncio._set_running_loop(self)
        try:
            self._run_once()
        finally:
            asyncio._set_running_loop(before)
            sys.set_asyncgen_hooks(*hooks)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin *work*."""
        return self.create_task(work)

    def end(self) -> None:
        """Take no more part."""
        self._timeline.loops.remove(self)
        self._thread_id = None
        self.close()

    def select(self, _timeout: float | None) -> list[Any]:
        """Return no events: there are no sockets."""
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """Do nothing: there are none."""

    def _write_to_self(self) -> None:
        """Do nothing: nobody sleeps in ``select``."""

    def _remember(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context.get("exception") or RuntimeError(context["message"]))
