"""``payrecords replay``: named rejects of an extract, sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from airflow_provider_payrecords.cli import inputs
from airflow_provider_payrecords.cli.options import (
    ApiOptions,
    ExtractOptions,
    OutputOptions,
    PaceOptions,
    takes_groups,
)
from airflow_provider_payrecords.cli.report import finish, reported
from airflow_provider_payrecords.core.errors import UsageError

REJECTS_PANEL = "Which rejects"


@dataclass(frozen=True)
class RejectOptions:
    """Which rejects; several of one option are alternatives, and different options must all hold."""

    code: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Rejects with this error code.", rich_help_panel=REJECTS_PANEL),
    ] = None
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="Rejects for which this field was blamed.", rich_help_panel=REJECTS_PANEL),
    ] = None
    row: Annotated[
        list[str] | None,
        typer.Option(metavar="N|N-M", help="Rows by their number in the extract.", rich_help_panel=REJECTS_PANEL),
    ] = None
    payment: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Payments by their row key.", rich_help_panel=REJECTS_PANEL),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Every reject of the extract.", rich_help_panel=REJECTS_PANEL)] = (
        False
    )


@takes_groups
def replay(
    extract: ExtractOptions, rejects: RejectOptions, api: ApiOptions, pace: PaceOptions, output: OutputOptions
) -> None:
    """
    Send named rejects of an extract again; all other rows are left alone.

    For payments that the API refused for a reason that is gone. A row that was corrected is sent by report as well.
    """
    from airflow_provider_payrecords.bulk.choice import Choice, make_selection

    choice = Choice(make_selection(_selection(rejects)))
    settings = inputs.make_settings(api)
    if not pace.dry_run:
        inputs.refuse_live(settings, allowed=pace.allow_live)
    finish(reported(extract, settings, output, inputs.make_run_options(pace), choice), output)


def _selection(options: RejectOptions) -> dict[str, Any]:
    given: dict[str, list[Any] | None] = {
        "codes": options.code,
        "params": options.param,
        "rows": options.row and [number for text in options.row for number in _numbers(text)],
        "keys": options.payment,
    }
    found = {name: value for name, value in given.items() if value}
    if bool(found) == options.all:
        raise UsageError("Say which rejects: --code, --param, --row or --payment; or --all, and none of these.")
    return {"all": True} if options.all else found


def _numbers(text: str) -> Iterator[int]:
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and (last.isdecimal() if dash else True)):
        raise UsageError(f"--row takes a number such as 7, or a span such as 7-12, not {text}.")
    begin, end = int(first), int(last or first)
    if not 1 <= begin <= end or end - begin > 10_000:
        raise UsageError(f"--row {text} is no span of rows: they are counted from 1, and at most 10000 can be named.")
    return iter(range(begin, end + 1))
