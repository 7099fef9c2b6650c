"""aiohttp below httpx: ``transport/pool.py``. What its failures prove, and that it sends nothing twice by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import anyio
import httpx
import pytest

from airflow_provider_payrecords.core.errors import NotSentError
from airflow_provider_payrecords.transport.outcome import transport_error
from airflow_provider_payrecords.transport.pool import PooledNetwork, as_httpx
from tests.transport.peer import Part, Peer, answer, cut, reset

BEFORE = {aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError}
"""What is raised while a connection is made, with all that derives from it."""


def every_error(root: type[BaseException] = aiohttp.ClientError) -> set[type[BaseException]]:
    return {root}.union(*(every_error(one) for one in root.__subclasses__()))


@pytest.mark.parametrize("cls", sorted({*every_error(), OSError, ConnectionResetError, TimeoutError}, key=str))
def test_only_a_failure_to_connect_proves_that_nothing_left(cls: type[Exception]) -> None:
    made = cls.__new__(cls)  # many take arguments that say nothing here
    proves = type(transport_error(as_httpx(made))) is NotSentError
    assert proves is issubclass(cls, tuple(BEFORE))


def over(peer: Peer, act: Callable[[PooledNetwork], Awaitable[Any]], connections: int = 1) -> Any:
    async def main() -> Any:
        network = PooledNetwork(httpx.Timeout(5), connections, tls=None)
        try:
            with anyio.fail_after(10):
                return await act(network)
        finally:
            await network.aclose()

    return anyio.run(main)


async def ask(network: PooledNetwork, peer: Peer, method: str = "POST") -> bytes:
    request = httpx.Request(method, f"http://127.0.0.1:{peer.port}/v1/x%2Fy?a[0]=b+c", content=b"a=1")
    response = await network.handle_async_request(request)
    try:
        return b"".join([part async for part in response.aiter_bytes()])
    finally:
        await response.aclose()


@pytest.mark.parametrize("part", [reset(), cut(b"")], ids=["reset", "closed"])
def test_a_kept_connection_that_breaks_is_no_reason_to_post_again(part: Part) -> None:
    async def twice(network: PooledNetwork) -> None:
        await ask(network, peer)
        with pytest.raises(httpx.TransportError) as raised:
            await ask(network, peer)
        assert type(transport_error(raised.value)) is not NotSentError

    with Peer(answer(), part, answer()) as peer:
        over(peer, twice)
    assert len(peer.requests) == 2


def test_a_connection_that_the_server_will_close_is_not_used_again() -> None:
    async def twice(network: PooledNetwork) -> None:
        await ask(network, peer)
        await ask(network, peer)

    with Peer(answer(200, b"{}", "Connection: close")) as peer:
        over(peer, twice)
    assert (len(peer.requests), peer.connections) == (2, 2)


def test_an_address_is_sent_as_it_is_written() -> None:
    with Peer(answer()) as peer:
        over(peer, lambda network: ask(network, peer, "GET"))
    assert peer.requests[0].startswith(b"GET /v1/x%2Fy?a[0]=b+c HTTP/1.1\r\n")


def test_an_answer_that_is_not_read_to_its_end_costs_its_connection_only() -> None:
    async def act(network: PooledNetwork) -> bytes:
        response = await network.handle_async_request(httpx.Request("POST", f"http://127.0.0.1:{peer.port}/"))
        await response.aclose()
        return await ask(network, peer)

    with Peer(answer(200, b"x" * 10_000_000), answer(200, b"y")) as peer:
        assert over(peer, act) == b"y"
    assert peer.connections == 2
