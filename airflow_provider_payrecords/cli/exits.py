"""What an exit code says, and which error leads to which. Nothing else in the command line decides this."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

from airflow_provider_payrecords.core.errors import (
    CommandError,
    Disposition,
    PayRecordsError,
    ReviewNeededError,
    UsageError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    CONFIRMED = 0  # every row is confirmed, or the command did what it was asked
    REJECTED = 1  # some rows are rejected or in review: a person must look
    USAGE = 2  # the command line, the mapping or the extract is wrong; nothing was sent
    STOPPED = 3  # it ended early: correct the cause if there is one, then run it again
    DEFECT = 70  # an error of this program; EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # Ctrl-C, where nothing was being reported
    READER_GONE = 141  # the other end of a pipe was closed


_BY_TYPE: tuple[tuple[type[PayRecordsError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (CommandError, ExitCode.USAGE),
    (ReviewNeededError, ExitCode.REJECTED),
)
_BY_DISPOSITION = {
    Disposition.REJECT: ExitCode.REJECTED,
    Disposition.RETRY: ExitCode.STOPPED,
    Disposition.ABORT: ExitCode.STOPPED,
    Disposition.UNKNOWN: ExitCode.STOPPED,
}
_KEY = re.compile(r"\b((?:sk|rk|pk)_(?:test|live)_)[^\s\"',;)\]]+")
_NOT_A_FACT = frozenset({"message"})
_NAMES = {"type": "api_type"}


def exit_code_of(error: PayRecordsError) -> ExitCode:
    """Return the exit code for *error*."""
    found = (code for kind, code in _BY_TYPE if isinstance(error, kind))
    return next(found, _BY_DISPOSITION[error.disposition])


def error_as_json(error: PayRecordsError) -> dict[str, Any]:
    """Return *error* as JSON-safe data: its type, what it means, its message and its facts."""
    facts = {
        _NAMES.get(name, name): value
        for name, value in vars(error).items()
        if not name.startswith("_") and name not in _NOT_A_FACT and value not in (None, [], False)
    }
    said = {"type": type(error).__name__, "disposition": error.disposition.value, "message": mask(error.message)}
    return {**said, **facts}


def mask(text: str) -> str:
    """Return *text* with everything that looks like an API key cut down to its prefix."""
    return _KEY.sub(r"\1…", text)
