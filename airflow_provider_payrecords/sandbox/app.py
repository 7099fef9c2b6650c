"""
The sandbox as an ASGI application: the API, the pages for a person, the switches under ``/_sandbox``.

Pages and switches answer only to loopback names in the Host header, so that no web page can reach them by rebinding a
name to this machine, and take no changes from another origin. The API needs a key, which a web page cannot send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from airflow_provider_payrecords.sandbox.control import control_routes
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.exchange import Delivery, Incoming, Reply
from airflow_provider_payrecords.sandbox.pages import page_routes
from airflow_provider_payrecords.settings import is_loopback

TRANSPORT = "payrecords_transport"
"""Name in the ASGI state under which the server puts the connection, for answers that must not arrive."""


def make_app(sandbox: Sandbox) -> Starlette:
    """Return the application of *sandbox*."""
    guard = [Middleware(LoopbackOnly)]
    return Starlette(
        routes=[
            Mount("/_sandbox", routes=control_routes(sandbox), middleware=guard),
            *(Route(path, page, methods=["GET"], middleware=guard) for path, page in page_routes(sandbox)),
            Mount("/", app=Api(sandbox)),
        ]
    )


class LoopbackOnly:
    """Refuses requests that name another host than this machine, or come from another site's page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        headers = Headers(scope=scope)
        if _is_ours(f"//{headers.get('host', '')}") and _is_ours(headers.get("origin", "//localhost")):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse("The sandbox's pages answer only to this machine. Use http://127.0.0.1.\n", 403)
        await refusal(scope, receive, send)


def _is_ours(address: str) -> bool:
    try:
        name = urlsplit(address).hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


class Api:
    """Everything that is not a page or a switch."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, late or not at all if a fault says so."""
        request = Request(scope, receive)
        incoming = Incoming(
            method=request.method,
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=request.headers,
            content=await request.body(),
        )
        reply = self._sandbox.handle(incoming)
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        reply.done()
        await _deliver(reply, scope, receive, send)


async def _deliver(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    if reply.delivery is not Delivery.NONE:
        headers = {**reply.headers, "content-length": str(len(reply.content))}
        await send({"type": "http.response.start", "status": reply.status, "headers": list(_raw(headers.items()))})
        whole = reply.delivery is Delivery.WHOLE
        body = reply.content if whole else reply.part
        await send({"type": "http.response.body", "body": body, "more_body": not whole})
    if reply.delivery is not Delivery.WHOLE:
        scope["state"][TRANSPORT].close()
        # Until the server has seen that the connection is gone, it would take a missing answer for a bug of ours.
        await receive()


def _raw(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)
