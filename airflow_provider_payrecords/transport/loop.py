"""The event loop of a whole run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_in_own_loop(main: Coroutine[Any, Any, T]) -> T:
    """
    Run *main* in an event loop that is made for it: uvloop's where that is installed, else asyncio's.

    No other loop, and no policy of the process, is touched.
    """
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
