"""The app behind the pages: its routes, its static files, and what holds for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_payrecords._airflow import get_user
from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.core.money import CURRENCIES, decimals
from airflow_provider_payrecords.plugins import problems
from airflow_provider_payrecords.plugins.access import CurrentUser, Right, needs, refuse_foreign_requests, rights_of
from airflow_provider_payrecords.plugins.connections import list_connections
from airflow_provider_payrecords.plugins.request_api import request_router
from airflow_provider_payrecords.plugins.runs_api import runs_router

STATIC = Path(__file__).parent / "static"
_HEADERS = {
    b"cache-control": b"no-cache, private",  # static files are asked for again, and answered with 304
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
}

common_router = APIRouter()


@common_router.get("/me")
def me(user: CurrentUser) -> dict[str, Any]:
    """Return what this person may do, and the decimals of each currency."""
    return {"name": user.get_name(), "may": rights_of(user), "currencies": {one: decimals(one) for one in CURRENCIES}}


@common_router.get("/connections", dependencies=[needs(Right.READ)])
def connections() -> list[dict[str, Any]]:
    """Return the connections a person may choose. Never a key."""
    return [one.as_json() for one in list_connections()]


def create_app() -> FastAPI:
    """Return the app. Every route of it needs a login, the static files too; the API's need a right besides."""
    app = FastAPI(
        title="Payment Records",
        dependencies=[Depends(get_user), Depends(refuse_foreign_requests)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for router in (common_router, request_router, runs_router):
        app.include_router(router, prefix="/api")
    _serve_static_files(app)
    app.add_exception_handler(problems.ProblemError, problems.answer_problem)
    app.add_exception_handler(PayRecordsError, problems.answer_error)
    app.add_exception_handler(RequestValidationError, problems.answer_unreadable)
    app.add_exception_handler(HTTPException, problems.answer_http)
    app.add_middleware(_Headers)
    return app


def _serve_static_files(app: FastAPI) -> None:
    files = StaticFiles(directory=STATIC)

    # A mounted StaticFiles would pass by the app's dependencies.
    @app.get("/static/{path:path}")
    async def static(path: str, request: Request) -> Response:
        return await files.get_response(path, request.scope)


class _Headers:
    """Adds headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        await self._app(scope, receive, with_headers)
