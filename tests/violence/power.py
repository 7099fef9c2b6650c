"""What a process may not do: write long files, or write where permissions forbid it, though it is root."""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable

_DROP_CAPABILITY = 24  # PR_CAPBSET_DROP
_IGNORE_PERMISSIONS = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

_libc = ctypes.CDLL(None)


def no_file_beyond(kibibytes: int) -> Callable[[], None]:
    """Return what limits the files a process writes: a full disk that every user has at hand."""
    limit = kibibytes * 1024
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def permissions_hold() -> None:
    """Give up what lets root write anywhere; another user has no such thing. Runs in the child."""
    for capability in _IGNORE_PERMISSIONS:
        _libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0)
