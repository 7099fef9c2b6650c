"""
Switches of a running sandbox, under ``/_sandbox``. All take and give JSON.

======  =========================  ====================================================================
GET     ``/_sandbox/state``        how much it holds
POST    ``/_sandbox/reset``        forget objects, saved answers and journal; faults stay
GET     ``/_sandbox/journal``      effects in order; ``?after=<sequence>&limit=<n>``
GET     ``/_sandbox/faults``       trouble to come
POST    ``/_sandbox/faults``       ``{"faults": [{"kind": …}], "mix": {"rates": {…}, "seed": 1}}``, each optional
DELETE  ``/_sandbox/faults``       no more trouble
POST    ``/_sandbox/invoices``     make an invoice: ``{"amount_due": 4950, "currency": "eur"}``
======  =========================  ====================================================================
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox.config import InvoiceSeed
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.faults import Fault, FaultMix
from airflow_provider_payrecords.sandbox.journal import as_json

MAX_JOURNAL_LINES = 10_000

Handler = Callable[[Sandbox, Request], Awaitable[Any]]


class FaultOrder(BaseModel):
    """Body of a POST to ``/_sandbox/faults``: faults to append, and the mix to put in force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: tuple[Fault, ...] = ()
    mix: FaultMix | None = None


class JournalQuestion(BaseModel):
    """Query of ``/_sandbox/journal``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: int = 0
    limit: int = MAX_JOURNAL_LINES


def control_routes(sandbox: Sandbox) -> list[Route]:
    """Return the routes, relative to ``/_sandbox``."""
    return [Route(path, _endpoint(sandbox, handler), methods=[method]) for method, path, handler in _HANDLERS]


def _endpoint(sandbox: Sandbox, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await handler(sandbox, request))
        except (UsageError, ValidationError, json.JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return endpoint


async def _state(sandbox: Sandbox, request: Request) -> Any:  # noqa: ARG001 - all handlers are called alike
    realms = []
    for realm in sandbox.realms():
        _, holdings = sandbox.view(realm)
        counts = {"payment_records": len(holdings.records), "payment_attempt_records": len(holdings.attempts)}
        realms.append({"account": realm.account, "mode": realm.mode, **counts, "invoices": len(holdings.invoices)})
    return {"realms": realms, "journal_lines": len(sandbox.journal)}


async def _reset(sandbox: Sandbox, request: Request) -> Any:
    sandbox.reset()
    return await _state(sandbox, request)


async def _journal(sandbox: Sandbox, request: Request) -> Any:
    asked = JournalQuestion.model_validate(dict(request.query_params))
    lines = sandbox.journal.after(asked.after, asked.limit)
    return {"data": [as_json(line) for line in lines], "has_more": asked.after + len(lines) < len(sandbox.journal)}


async def _faults(sandbox: Sandbox, request: Request) -> Any:  # noqa: ARG001 - all handlers are called alike
    mix = sandbox.faults.mix
    script = [fault.model_dump(mode="json") for fault in sandbox.faults.script]
    return {"faults": script, "mix": mix.model_dump(mode="json") if mix else None}


async def _add_faults(sandbox: Sandbox, request: Request) -> Any:
    order = await _body(FaultOrder, request)
    sandbox.faults.add(*order.faults)
    if order.mix is not None:
        sandbox.faults.set_mix(order.mix)
    return await _faults(sandbox, request)


async def _clear_faults(sandbox: Sandbox, request: Request) -> Any:
    sandbox.faults.clear()
    return await _faults(sandbox, request)


async def _add_invoice(sandbox: Sandbox, request: Request) -> Any:
    return sandbox.add_invoice(await _body(InvoiceSeed, request))


ModelT = TypeVar("ModelT", bound=BaseModel)


async def _body(model: type[ModelT], request: Request) -> ModelT:
    return model.model_validate_json(await request.body())


_HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/state", _state),
    ("POST", "/reset", _reset),
    ("GET", "/journal", _journal),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_faults),
    ("DELETE", "/faults", _clear_faults),
    ("POST", "/invoices", _add_invoice),
)
