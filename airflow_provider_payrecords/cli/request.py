"""``payrecords request``: compose one call, look at the exact request, and send it if asked to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airflow_provider_payrecords.cli import console, inputs
from airflow_provider_payrecords.cli.options import (
    AllowLive,
    ApiOptions,
    JsonFlag,
    LedgerUrl,
    Mode,
    PlanOptions,
    takes_groups,
)
from airflow_provider_payrecords.cli.schema import find_command

if TYPE_CHECKING:
    from airflow_provider_payrecords.compose.http import HttpRequest
    from airflow_provider_payrecords.core.commands import Command
    from airflow_provider_payrecords.settings import Settings


@takes_groups
def request(
    api: ApiOptions,
    plan: PlanOptions,
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name of the call; schema lists them.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD=VALUE]...",
            help="Fields by dotted path. Amounts are minor units; times are Unix seconds, or ISO 8601 with a zone.",
        ),
    ] = None,
    values_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Take fields from a JSON or YAML file; words win over it."),
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Namespace of the key.")] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Names the payment, where no reference in it does.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it. Without this nothing leaves this machine.")] = False,
    ledger: LedgerUrl = None,
    allow_live: AllowLive = False,
    json: JsonFlag = False,
) -> None:
    """
    Compose one API call, check it, and show the exact HTTP request; send it with --send.

    Reports go through the ledger: one that is confirmed there is not sent again and gives the same id.
    """
    from airflow_provider_payrecords.compose.http import api_request, compose
    from airflow_provider_payrecords.core.commands import build
    from airflow_provider_payrecords.core.identity import DEFAULT_SOURCE

    command_type = find_command(endpoint)
    command = build(command_type, _values(command_type, words or [], values_from))
    settings = _settings(api, plan.mode, send=send)
    source = source or DEFAULT_SOURCE
    key = key or _key_of(command)
    composed = compose(api_request(command, settings, source, key), settings)
    if not json:
        _show(composed)
    answer: dict[str, Any] | None = None
    if send:
        inputs.refuse_live(settings, allowed=allow_live)
        if command.method == "GET":
            answer = _read(command, settings)
        else:
            answer = _report(command, settings, ledger, source, key)
    if json:
        console.say_json({"request": composed.as_json(), "sent": send, "answer": answer})
    else:
        _show_answer(answer)


def _key_of(command: Command) -> str:
    from airflow_provider_payrecords.bulk import default_key
    from airflow_provider_payrecords.core.errors import CommandError, UsageError

    if command.method == "GET":
        return ""
    try:
        return default_key(command)
    except CommandError as error:
        raise UsageError(f"Nothing in {command.endpoint} names the payment. Give it a name with --key.") from error


def _settings(api: ApiOptions, mode: Mode | None, *, send: bool) -> Settings:
    if not send and not api.api_key:
        return inputs.make_settings_to_look(api, mode or Mode.TEST)
    settings = inputs.make_settings(api)
    inputs.check_mode(settings, mode)
    return settings


def _values(command: type[Command], words: list[str], file: Path | None) -> dict[str, Any]:
    from airflow_provider_payrecords.compose.fields import read_words

    return read_words(command, words, {} if file is None else inputs.read_document(file))


def _read(command: Command, settings: Settings) -> dict[str, Any]:
    from airflow_provider_payrecords.client import PayRecordsClient

    with PayRecordsClient(settings) as client:
        found = client.send(command)
    return {"status": 200, "body": found.model_dump(mode="json", exclude_unset=True)}


def _report(command: Command, settings: Settings, ledger: str | None, source: str, key: str) -> dict[str, Any]:
    from airflow_provider_payrecords.bulk import report_command

    store = inputs.open_ledger(ledger)
    try:
        report = report_command(command, settings=settings, ledger=store, source=source, key=key)
    finally:
        store.close()
    return {
        "status": 200 if report.new else None,
        "new": report.new,
        "payment_record": report.payment_record,
        "request_id": report.request_id,
        "body": report.answer and report.answer.model_dump(mode="json", exclude_unset=True),
    }


def _show(request: HttpRequest) -> None:
    console.say(f"{request.method} {request.url}")
    for name, value in request.headers.items():
        console.say(f"{name}: {value}")
    console.say()
    console.table("Form" if request.body else "Query", ("name", "value"), request.form)
    if request.body:
        console.say(f"Body\n  {request.body}\n")
    console.say(f"The same with curl\n  {request.curl}\n")


def _show_answer(answer: dict[str, Any] | None) -> None:
    if answer is None:
        console.say("Not sent. Say --send to send it.")
    elif answer["status"] is None:
        console.say(f"Confirmed before, so nothing was sent: {answer['payment_record']}")
    else:
        named = f", request {answer['request_id']}" if answer.get("request_id") else ""
        console.say(f"Answer: {answer['status']}{named}")
        console.say_json(answer["body"])
