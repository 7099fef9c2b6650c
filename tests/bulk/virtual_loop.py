"""Time that passes only when nobody has anything to do."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from selectors import DefaultSelector, SelectorKey

START = datetime(2026, 11, 23, 3, 0, tzinfo=timezone.utc)


class Leaping(DefaultSelector):
    """Waits for nothing: the time in which nothing happens is over at once."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        self.seconds += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when it has nothing to do."""

    def __init__(self) -> None:
        self.leaping = Leaping()
        super().__init__(self.leaping)

    def time(self) -> float:
        return self.leaping.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time())
