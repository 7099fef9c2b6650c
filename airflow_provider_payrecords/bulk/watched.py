"""Work with a task that looks on beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


async def watched(work: Coroutine[Any, Any, ResultT], watch: Coroutine[Any, Any, None]) -> ResultT:
    """
    Return what *work* returns while *watch* looks on. What *watch* raises ends the work, and is raised here.

    A signal handler, such as that of Airflow's ``execution_timeout``, raises wherever the program happens to be, and a
    task keeps to itself what is raised in it until somebody asks.
    """
    working, watching = asyncio.create_task(work), asyncio.create_task(watch)
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        return await working
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
