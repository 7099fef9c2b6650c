"""What only the asynchronous driver does: many flows, one pool, a ledger, and two ways to stop."""

from __future__ import annotations

import functools
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from itertools import repeat
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from airflow_provider_payrecords.core.effects import Flow
from airflow_provider_payrecords.core.entry import Action, Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.entry import consider as consider_row
from airflow_provider_payrecords.core.entry import settle as settle_row
from airflow_provider_payrecords.core.errors import NotSentError, OutcomeUnknownError, ServerError
from airflow_provider_payrecords.core.flows import Called, Reported, call, report
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.network import ProxiedNetwork, open_network
from tests.transport.drivers import COMMAND, Replies, error, network, ok, settings
from tests.transport.peer import Peer, answer, silence

SCOPE = Scope("acct_1", "test", "report_payment", "s")
POLICY = RetryPolicy(max_retries=3)
NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)


class DictLedger:
    """The rules of ``core.entry`` over a dictionary, and a list of what was asked."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.asked: list[str] = []
        self._worker = Worker("host:1:x", "run", 120)
        self._now = NOW

    async def claim_one(self, scope: Scope, intent: Intent) -> Decision:
        self.asked.append(f"claim {intent.key}")
        decision = consider_row(self.entries.get(intent.key), intent, scope, self._worker, self._now)
        self.entries[intent.key] = decision.entry
        return decision

    async def settle_one(self, scope: Scope, settlement: Settlement) -> Entry:
        self.asked.append(f"settle {settlement.key}")
        self.entries[settlement.key] = settle_row(self.entries[settlement.key], settlement, self._now)
        return self.entries[settlement.key]


def a_call() -> Flow[Called]:
    return call(COMMAND, encode(COMMAND, "payrecords-k"), POLICY, repeat(1.0))


def a_report(key: str = "k") -> Flow[Reported]:
    intent = Intent(key, "fp", f"payrecords-{key}")
    return report(COMMAND, encode(COMMAND, intent.idempotency_key), SCOPE, intent, POLICY, repeat(1.0))


def run(act: Callable[[AsyncTransport], Awaitable[Any]], **options: Any) -> Any:
    """Give *act* a driver, close it afterwards, and return what came of it."""

    async def main() -> Any:
        driver = AsyncTransport(options.pop("given", settings()), **{"now": lambda: NOW, **options})
        try:
            with anyio.fail_after(10):
                return await act(driver)
        finally:
            await driver.close()

    return anyio.run(main)


async def no_pause(seconds: float) -> None:
    """Let all waits pass at once."""


async def until_asked(peer: Peer) -> None:
    """Wait until *peer* holds a request."""
    await anyio.to_thread.run_sync(functools.partial(peer.asked.wait, 5))


async def alongside(driver: AsyncTransport, flow: Flow[Any], act: Callable[[], Awaitable[None]]) -> Any:
    """Drive *flow* while *act* happens."""
    results: list[Any] = []

    async def drive() -> None:
        results.append(await driver.run(flow))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drive)
        await act()
    return results[0]


def test_a_payment_goes_through_the_ledger() -> None:
    ledger = DictLedger()
    reported = run(lambda driver: driver.run(a_report()), network=network([ok()]), ledger=ledger)
    assert ledger.asked == ["claim k", "settle k"]
    assert reported.entry.state is State.CONFIRMED
    assert reported.entry.payment_record == "pr_1"


@pytest.mark.parametrize(("seconds", "state"), [(119, State.CONFIRMED), (120, State.PLANNED), (9999, State.PLANNED)])
def test_nothing_leaves_after_its_lease(seconds: int, state: State) -> None:
    seen: list[httpx.Request] = []
    reported = run(
        lambda driver: driver.run(a_report()),
        network=network([ok()], seen),
        ledger=DictLedger(),
        now=lambda: NOW + timedelta(seconds=seconds),
    )
    assert reported.entry.state is state
    assert len(seen) == (state is State.CONFIRMED)


def test_a_confirmed_payment_is_not_sent_again() -> None:
    ledger, seen = DictLedger(), list[httpx.Request]()

    async def twice(driver: AsyncTransport) -> Any:
        await driver.run(a_report())
        return await driver.run(a_report())

    again = run(twice, network=network([ok()], seen), ledger=ledger)
    assert (again.decision.action, again.called, len(seen)) == (Action.DONE, None, 1)


def test_a_flow_that_needs_a_ledger_says_so() -> None:
    with pytest.raises(TypeError, match="give its driver a ledger"):
        run(lambda driver: driver.run(a_report()), network=network([ok()]))


@pytest.mark.parametrize("connections", [1, 3])
def test_one_pool_opens_no_more_connections_than_it_may_and_keeps_them(connections: int) -> None:
    async def many(driver: AsyncTransport) -> int:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(driver.run, a_call())
        return driver.requests

    with Peer(answer()) as peer:
        given = settings(api_base=f"http://127.0.0.1:{peer.port}", rate_limit=10_000)
        assert run(many, given=given, connections=connections) == 20
    assert len(peer.requests) == 20
    assert 1 <= peer.connections <= connections


def test_flows_share_one_pace() -> None:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    async def many(driver: AsyncTransport) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(driver.run, a_call())

    run(many, given=settings(rate_limit=10), network=network([ok() for _ in range(5)]), pause=pause, clock=lambda: 0.0)
    assert sorted(waits) == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_stop_wakes_a_flow_that_waits_to_try_again() -> None:
    ledger = DictLedger()
    waiting = anyio.Event()

    async def pause(seconds: float) -> None:
        waiting.set()
        await anyio.sleep_forever()

    async def act(driver: AsyncTransport) -> Any:
        async def stop() -> None:
            await waiting.wait()
            driver.stop()

        return await alongside(driver, a_report(), stop)

    reported = run(act, network=network([error(500)]), ledger=ledger, pause=pause)
    assert isinstance(reported.called.error, ServerError)
    assert reported.entry.state is State.UNKNOWN
    assert ledger.asked == ["claim k", "settle k"]


def test_a_stop_wakes_a_flow_that_waits_for_its_turn_and_nothing_leaves() -> None:
    ledger, seen = DictLedger(), list[httpx.Request]()
    waiting = anyio.Event()

    async def pause(seconds: float) -> None:
        waiting.set()
        await anyio.sleep_forever()

    async def act(driver: AsyncTransport) -> Any:
        await driver.run(a_call())

        async def stop() -> None:
            await waiting.wait()
            driver.stop()

        return await alongside(driver, a_report(), stop)

    given = settings(rate_limit=0.001)
    reported = run(act, given=given, network=network([ok()], seen), ledger=ledger, pause=pause, clock=lambda: 0.0)
    assert isinstance(reported.called.error, NotSentError)
    assert (reported.entry.state, len(seen)) == (State.PLANNED, 1)


def test_after_a_stop_nothing_is_sent() -> None:
    seen: list[httpx.Request] = []

    async def act(driver: AsyncTransport) -> Any:
        driver.stop()
        return await driver.run(a_report()), driver.requests

    ledger = DictLedger()
    reported, requests = run(act, network=network([ok()], seen), ledger=ledger)
    assert (reported.entry.state, requests, seen) == (State.PLANNED, 0, [])


def test_a_stop_lets_a_request_on_its_way_be_answered() -> None:
    def slow(wire: Any, over: Any) -> bool:
        stopped.wait(5)
        return answer()(wire, over)

    stopped = threading.Event()
    with Peer(slow) as peer:

        async def act(driver: AsyncTransport) -> Any:
            async def stop() -> None:
                await until_asked(peer)
                driver.stop()
                stopped.set()

            return await alongside(driver, a_report(), stop)

        reported = run(act, given=settings(api_base=f"http://127.0.0.1:{peer.port}"), ledger=DictLedger())
    assert reported.entry.state is State.CONFIRMED


@pytest.mark.parametrize("way", [open_network, ProxiedNetwork])
def test_giving_up_leaves_a_request_on_its_way_unknown(
    way: Callable[[Settings, int], httpx.AsyncBaseTransport],
) -> None:
    with Peer(silence) as peer:
        given = settings(api_base=f"http://127.0.0.1:{peer.port}")

        async def act(driver: AsyncTransport) -> Any:
            async def give_up() -> None:
                await until_asked(peer)
                driver.give_up()

            return await alongside(driver, a_report(), give_up)

        reported = run(act, given=given, ledger=DictLedger(), network=way(given, 1))
    assert isinstance(reported.called.error, OutcomeUnknownError)
    assert (reported.called.sends, reported.entry.state) == (1, State.UNKNOWN)


def test_a_flow_that_is_cancelled_leaves_its_claim_behind() -> None:
    ledger = DictLedger()
    with Peer(silence) as peer:

        async def act(driver: AsyncTransport) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(driver.run, a_report())
                await until_asked(peer)
                tasks.cancel_scope.cancel()

        run(act, given=settings(api_base=f"http://127.0.0.1:{peer.port}"), ledger=ledger)
    assert ledger.asked == ["claim k"]
    assert ledger.entries["k"].state is State.CLAIMED


def test_requests_that_left_are_counted() -> None:
    async def act(driver: AsyncTransport) -> int:
        await driver.run(a_call())
        return driver.requests

    replies: Replies = [httpx.ConnectError("no"), error(500), ok()]
    assert run(act, network=network(replies), pause=no_pause) == 3
