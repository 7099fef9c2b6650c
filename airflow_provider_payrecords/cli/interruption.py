"""Ctrl-C while payments are being sent: the first one stops politely, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Any

from airflow_provider_payrecords.cli.exits import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTICE = (
    b"\nStopping: waiting for the requests on their way. Once more ends at once; nothing is sent twice either way.\n"
)
_SHOW_CURSOR = b"\x1b[?25h"


class Interruption:
    """
    Catches SIGINT and SIGTERM inside a ``with`` block. Calling it says whether one came.

    Attributes:
        asked: A signal came; the run is to end.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Say whether a signal came."""
        return self.asked

    def __enter__(self) -> Interruption:
        self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's signature
        # Straight to the descriptor: a buffered stream may be in the middle of a write.
        if self.asked:
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(ExitCode.INTERRUPTED)
        self.asked = True
        os.write(2, _NOTICE)
