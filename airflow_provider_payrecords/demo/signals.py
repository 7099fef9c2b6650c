"""Ctrl-C, SIGTERM and SIGHUP while processes of the demo run: none of them may leave one behind."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """
    Raises the first signal, outside of ``held``; each after it only says that somebody does not want to wait.

    So an exception comes once at most, never between the start of a process and its being known, and what ends the
    processes is not cut off itself.
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._raised = False
        self._holders = 0

    @property
    def is_urgent(self) -> bool:
        """A second signal came: do not wait."""
        return len(self._came) > 1

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals inside the block, SIGHUP unless it is ignored: ``nohup`` is meant to be heard."""
        self._came, self._raised = [], False
        numbers = [one for one in _NUMBERS if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the block run to its end before a signal is raised."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            self._raise_first()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's signature
        self._came.append(number)
        self._raise_first()

    def _raise_first(self) -> None:
        if self._raised or self._holders or not self._came:
            return
        self._raised = True
        if self._came[0] == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + self._came[0])


SIGNALS = Signals()
"""Those of this process."""
