"""The API of the page that composes and tests one request."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from airflow_provider_payrecords.compose.fields import reference_of, summary_of
from airflow_provider_payrecords.compose.form import form_of, label_of
from airflow_provider_payrecords.core.commands import COMMANDS, Command
from airflow_provider_payrecords.plugins.access import CurrentUser, Right, check, needs
from airflow_provider_payrecords.plugins.drafts import Draft, command_type, look_at, make_ready
from airflow_provider_payrecords.plugins.sending import Sending, send

request_router = APIRouter()
_READ = [needs(Right.READ)]


@request_router.get("/endpoints", dependencies=_READ)
def endpoints() -> list[dict[str, Any]]:
    """Return every call of the API."""
    return [_head(command) for command in COMMANDS.values()]


@request_router.get("/endpoints/{name}", dependencies=_READ)
def endpoint(name: str) -> dict[str, Any]:
    """Return one call and its form."""
    command = command_type(name)
    return {**_head(command), "groups": [asdict(group) for group in form_of(command)]}


@request_router.post("/compose", dependencies=_READ)
def compose(draft: Draft) -> dict[str, Any]:
    """Return what the form makes: problems, or the exact request and code that makes it. Sends nothing."""
    return look_at(draft)


@request_router.post("/send", dependencies=[needs(Right.SEND_TEST)])
def send_request(sending: Sending, user: CurrentUser) -> dict[str, Any]:
    """Send what the form makes, once."""
    ready = make_ready(sending)
    check(user, Right.SEND_LIVE if ready.settings.mode == "live" else Right.SEND_TEST, sending.connection)
    return send(ready, sending.confirmation, user.get_name())


def _head(command: type[Command]) -> dict[str, Any]:
    return {
        "name": command.endpoint,
        "label": label_of(command.endpoint),
        "method": command.method,
        "path": command.path,
        "about": summary_of(command),
        "reference": reference_of(command),
    }
