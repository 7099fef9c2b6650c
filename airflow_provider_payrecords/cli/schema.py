"""``payrecords schema``: the API reference, field by field, from the commands themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.cli.options import JsonFlag
from airflow_provider_payrecords.core.errors import UsageError

if TYPE_CHECKING:
    from airflow_provider_payrecords.compose.fields import FieldInfo
    from airflow_provider_payrecords.core.commands import Command

_COLUMNS = ("field", "type", "required", "values, limits, meaning")


def schema(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="Name of a call; without it all are listed.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """
    Show the fields of an API call: type, whether it is required, limits and values.

    Without ENDPOINT, list the twelve calls.
    """
    if endpoint is None:
        _list_all(as_json=json)
    else:
        _show_one(find_command(endpoint), as_json=json)


def find_command(endpoint: str) -> type[Command]:
    """
    Return the command of *endpoint*; dashes are taken for underscores.

    Raises:
        UsageError: There is none of that name.
    """
    from airflow_provider_payrecords.core.commands import COMMANDS

    command = COMMANDS.get(endpoint.replace("-", "_").lower())
    if command is None:
        raise UsageError(f"There is no call {endpoint!r}. Known are {', '.join(COMMANDS)}.")
    return command


def _list_all(*, as_json: bool) -> None:
    from airflow_provider_payrecords.core.commands import COMMANDS

    if as_json:
        console.say_json({"endpoints": [_head(command) for command in COMMANDS.values()]})
        return
    rows = [(name, command.method, command.path, _head(command)["about"]) for name, command in COMMANDS.items()]
    console.table("Calls of the Payment Records API", ("endpoint", "method", "path", "about"), rows)


def _show_one(command: type[Command], *, as_json: bool) -> None:
    from airflow_provider_payrecords.compose.fields import fields_of

    fields = fields_of(command)
    if as_json:
        console.say_json({**_head(command), "fields": [asdict(field) for field in fields]})
        return
    console.say(f"{command.method} {command.path}")
    console.say(f"{_head(command)['about']}\n")
    console.table("Fields", _COLUMNS, [_row(field) for field in fields])
    console.say(f"Answer: {_head(command)['answer']}")


def _row(field: FieldInfo) -> tuple[str, ...]:
    about = " | ".join(field.choices) or " ".join(text for text in (field.note, field.limits) if text)
    return (field.path, field.type, field.required, about)


def _head(command: type[Command]) -> dict[str, Any]:
    from airflow_provider_payrecords.compose.fields import summary_of

    return {
        "endpoint": command.endpoint,
        "method": command.method,
        "path": command.path,
        "about": summary_of(command),
        "answer": command.answer.__name__,
        "path_parameter": command.path_parameter,
    }
