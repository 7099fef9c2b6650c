"""
What a person has composed on the page: the call, the exact request it becomes, and what there is to say about it.

Sends nothing. ``sending.py`` sends what this has made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_payrecords.bulk import default_key
from airflow_provider_payrecords.compose.entries import Composed, Problem, read_entries
from airflow_provider_payrecords.compose.http import api_request, compose
from airflow_provider_payrecords.core.commands import COMMANDS, Command
from airflow_provider_payrecords.core.errors import CommandError, PayRecordsError
from airflow_provider_payrecords.core.identity import DEFAULT_SOURCE
from airflow_provider_payrecords.core.money import from_minor_units
from airflow_provider_payrecords.core.wire import ApiRequest
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.operators.options import make_options
from airflow_provider_payrecords.plugins.connections import hook_of
from airflow_provider_payrecords.plugins.problems import ProblemError
from airflow_provider_payrecords.plugins.snippets import Call, snippets_of
from airflow_provider_payrecords.settings import Settings


class Draft(BaseModel):
    """
    A form as it is filled in.

    Attributes:
        values: Entries by dotted path, as ``read_entries`` takes them.
        connection: Id of the connection.
        key: Row key, or None for what the call itself names the payment by.
        source: Namespace of the key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str
    values: dict[str, Any]
    connection: str = Field(max_length=250)
    key: str | None = None
    source: str = DEFAULT_SOURCE


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that can be sent."""

    command: Command
    hook: PaymentRecordsHook
    settings: Settings
    source: str
    key: str
    request: ApiRequest

    @property
    def is_live_report(self) -> bool:
        """Whether it records something real."""
        return self.settings.mode == "live" and self.command.method == "POST"

    @property
    def confirmation(self) -> str | None:
        """What a person types before it is sent, or None."""
        if not self.is_live_report:
            return None
        money = self.command.money()
        if money is not None:
            return f"{from_minor_units(money.value, money.currency):f} {money.currency.upper()}"
        return str(getattr(self.command, self.command.path_parameter or "", "") or self.command.endpoint)


def command_type(endpoint: str) -> type[Command]:
    """
    Return the command of *endpoint*.

    Raises:
        ProblemError: There is none of that name.
    """
    if endpoint not in COMMANDS:
        raise ProblemError(404, "There is no such call", f"Known are {', '.join(COMMANDS)}.", "Choose one of them.")
    return COMMANDS[endpoint]


def make_ready(draft: Draft) -> Ready:
    """
    Return what *draft* sends.

    Raises:
        ProblemError: The connection or the call does not exist, or a field is wrong.
        PayRecordsError: The connection cannot be used.
    """
    _, ready, problems = _look(draft, hook_of(draft.connection))
    if ready is None:
        text = "; ".join(f"{one['field']}: {one['message']}" for one in problems)
        raise ProblemError(422, "This cannot be sent", text, "Correct the marked fields. Nothing was sent.", problems)
    return ready


def look_at(draft: Draft) -> dict[str, Any]:
    """
    Return everything the page shows beside the form.

    Raises:
        ProblemError: The call does not exist.
    """
    try:
        hook = hook_of(draft.connection)
        settings = hook.settings
    except (ProblemError, PayRecordsError) as error:
        composed = read_entries(command_type(draft.endpoint), draft.values)
        said = error.detail if isinstance(error, ProblemError) else error.message
        problems = [*composed.problems, {"field": "connection", "code": "invalid_value", "message": said}]
        return {**_NOTHING, "problems": problems, "shown": composed.shown}
    composed, ready, problems = _look(draft, hook)
    told: dict[str, Any] = {
        **_NOTHING,
        "problems": problems,
        "shown": composed.shown,
        "mode": settings.mode,
        "suggested_key": _suggested_key(composed.command),
    }
    if ready is None:
        return told
    http = compose(ready.request, settings)
    return {
        **told,
        "key": ready.key or None,
        "request": asdict(http),
        "http": http.as_text(),
        "curl": http.curl,
        "copy": snippets_of(Call(ready.command, draft.connection, settings, draft.source, draft.key, _zones(draft))),
        "confirmation": ready.confirmation,
    }


_NOTHING: dict[str, Any] = dict.fromkeys(
    ("key", "suggested_key", "mode", "request", "http", "curl", "copy", "confirmation")
)


def _look(draft: Draft, hook: PaymentRecordsHook) -> tuple[Composed, Ready | None, list[Problem]]:
    composed = read_entries(command_type(draft.endpoint), draft.values)
    if composed.command is None:
        return composed, None, composed.problems
    try:
        return composed, _ready(composed.command, hook, draft), []
    except CommandError as error:
        return composed, None, error.problems


def _ready(command: Command, hook: PaymentRecordsHook, draft: Draft) -> Ready:
    settings = hook.settings
    key = "" if command.method == "GET" else default_key(command) if draft.key is None else draft.key
    stamped = make_options().stamp_metadata
    request = api_request(command, settings, draft.source, key, stamped=stamped)
    return Ready(command, hook, settings, draft.source, key, request)


def _suggested_key(command: Command | None) -> str | None:
    """Return a key for a call on a record that nothing in it names: the record and the call."""
    record = getattr(command, "payment_record", None)
    if command is None or command.method == "GET" or record is None:
        return None
    return f"{record}:{command.endpoint}"


def _zones(draft: Draft) -> dict[str, str]:
    entries = ((path, entry.get("zone")) for path, entry in draft.values.items() if isinstance(entry, dict))
    return {path: zone for path, zone in entries if zone}
