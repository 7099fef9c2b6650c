"""Requests that are bound in time together: ``transport/in_flight.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from airflow_provider_payrecords.transport.in_flight import InFlight
from tests.bulk.virtual_loop import VirtualLoop

BOUND = 10.0


def run(act: Callable[[InFlight], Awaitable[Any]]) -> Any:
    """Do *act* where seconds cost none."""

    async def main() -> Any:
        flight = InFlight(BOUND)
        try:
            return await act(flight)
        finally:
            flight.close()

    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def now() -> float:
    return round(asyncio.get_running_loop().time(), 6)


async def answered(value: str = "answer", seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    return value


async def begun(flight: InFlight, exchange: Awaitable[Any]) -> asyncio.Task[Any]:
    task = asyncio.ensure_future(flight.bounded(exchange))
    await asyncio.sleep(0)
    return task


def test_an_answer_in_time_is_returned() -> None:
    assert run(lambda flight: flight.bounded(answered())) == "answer"


def test_what_an_exchange_raises_is_raised() -> None:
    async def broken() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        run(lambda flight: flight.bounded(broken()))


def test_each_is_bound_from_when_it_left() -> None:
    async def act(flight: InFlight) -> list[Any]:
        first = await begun(flight, answered(seconds=BOUND + 1))
        await asyncio.sleep(6)
        second = await begun(flight, answered(seconds=BOUND + 1))
        third = await begun(flight, answered("third", BOUND - 1))
        return [(await task, now()) for task in (first, third, second)]

    assert run(act) == [(None, BOUND), ("third", BOUND + 5), (None, BOUND + 6)]


def test_a_task_that_has_its_answer_is_left_alone_when_the_time_is_over() -> None:
    async def act(flight: InFlight) -> str:
        answer = await flight.bounded(answered())
        await asyncio.sleep(2 * BOUND)
        return str(answer)

    assert run(act) == "answer"


def test_one_that_leaves_when_the_timer_has_gone_off_is_bound_as_well() -> None:
    async def act(flight: InFlight) -> float:
        await flight.bounded(answered())
        await asyncio.sleep(2 * BOUND)
        assert await flight.bounded(answered(seconds=2 * BOUND)) is None
        return now()

    assert run(act) == 3 * BOUND


def test_all_are_given_up_at_once_and_no_later_one() -> None:
    async def act(flight: InFlight) -> list[Any]:
        tasks = [await begun(flight, answered(seconds=BOUND)) for _ in range(3)]
        flight.give_up()
        flight.give_up()
        return [*await asyncio.gather(*tasks), await flight.bounded(answered())]

    assert run(act) == [None, None, None, "answer"]


def test_one_that_is_slow_to_end_is_given_up_once() -> None:
    ended = []

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(2 * BOUND)
        finally:
            await asyncio.sleep(3 * BOUND)
            ended.append("in peace")

    async def act(flight: InFlight) -> Any:
        task = await begun(flight, slow_to_end())
        await asyncio.sleep(BOUND + 1)
        assert await flight.bounded(answered(seconds=2 * BOUND)) is None
        return await task

    assert run(act) is None
    assert ended == ["in peace"]


def test_a_task_that_somebody_else_ends_is_ended() -> None:
    async def act(flight: InFlight) -> bool:
        task = await begun(flight, answered(seconds=BOUND))
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run(act)


@pytest.mark.skipif(not hasattr(asyncio.Task, "uncancel"), reason="this Python does not count who asked a task to end")
def test_a_task_that_somebody_else_ends_too_is_ended() -> None:
    async def act(flight: InFlight) -> bool:
        task = await begun(flight, answered(seconds=BOUND))
        flight.give_up()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run(act)


def test_a_scope_around_it_ends_it_too() -> None:
    async def act(flight: InFlight) -> str:
        with anyio.move_on_after(BOUND / 2):
            await flight.bounded(answered(seconds=BOUND))
            return "went on"
        # What ended the scope is over: the task can wait and ask again.
        return str(await flight.bounded(answered(seconds=BOUND / 2)))

    assert run(act) == "answer"


def test_being_given_up_leaves_no_trace_in_the_task() -> None:
    async def act(flight: InFlight) -> Any:
        assert await flight.bounded(answered(seconds=2 * BOUND)) is None
        with anyio.move_on_after(1) as scope:
            await asyncio.sleep(BOUND)
        return scope.cancelled_caught

    assert run(act)
