"""The requests on their way: none takes longer than the bound, and all of them can be given up at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")

_Task = asyncio.Task[Any]
# Python 3.10 does not count who asked a task to end.
_requests_to_end: Callable[[_Task], int] = getattr(asyncio.Task, "cancelling", lambda _: 0)
_take_back: Callable[[_Task], int] = getattr(asyncio.Task, "uncancel", lambda _: 0)


class InFlight:
    """
    Requests in one event loop, each in a task of its own.

    Since all have the same bound, one timer is enough: it watches the request that left first. A timer and a cancel
    scope for each take longer than reading its answer does.
    """

    def __init__(self, bound_seconds: float) -> None:
        self._bound_seconds = bound_seconds
        self._ends: dict[_Task, float] = {}
        self._given_up: set[_Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def bounded(self, exchange: Awaitable[T]) -> T | None:
        """Return what *exchange* returns, or None if it took too long or was given up."""
        task, loop = cast("_Task", asyncio.current_task()), asyncio.get_running_loop()
        asked_before = _requests_to_end(task)
        self._ends[task] = loop.time() + self._bound_seconds
        if self._timer is None:
            self._timer = loop.call_later(self._bound_seconds, self._look, loop)
        try:
            return await exchange
        except asyncio.CancelledError:
            # Somebody else may have asked this task to end as well, and then it does.
            if task not in self._given_up or _take_back(task) > asked_before:
                raise
            return None
        finally:
            del self._ends[task]
            self._given_up.discard(task)

    def give_up(self) -> None:
        """Give up all that are on their way."""
        for task in self._ends:
            self._end(task)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for task, end in self._ends.items():
            if end > now:
                self._timer = loop.call_at(end, self._look, loop)
                return
            self._end(task)

    def _end(self, task: _Task) -> None:
        if task not in self._given_up:
            self._given_up.add(task)
            task.cancel()
