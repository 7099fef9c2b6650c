"""The event loop of the server and of every contender: the same for all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def in_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* by uvloop where it is installed, as ours does, else by asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
