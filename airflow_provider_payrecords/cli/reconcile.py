"""``payrecords reconcile``: extract, ledger and API compared."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_provider_payrecords.cli import console, inputs
from airflow_provider_payrecords.cli.interruption import Interruption
from airflow_provider_payrecords.cli.options import (
    RUN_PANEL,
    ApiOptions,
    ExtractOptions,
    OutputOptions,
    Rate,
    takes_groups,
)

if TYPE_CHECKING:
    from airflow_provider_payrecords.bulk import ReconcileOptions, Reconciliation

_MEANINGS = {
    "agrees": "extract, ledger and Stripe say the same",
    "missing": "in the extract, and no record of it",
    "different": "amount, currency, state or content differ",
    "duplicate": "recorded more than once",
    "extra": "a record of this source, and no row",
    "invalid": "the row breaks a rule; it was not compared",
    "not_checked": "Stripe could not be asked for it",
}


@dataclass(frozen=True)
class CompareOptions:
    """Which records are compared, and how fast they are read."""

    created_after: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="List records made after this, as 2026-11-23T00:00:00+01:00; by default what the ledger says.",
            rich_help_panel=RUN_PANEL,
        ),
    ] = None
    created_before: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="List records made before this.", rich_help_panel=RUN_PANEL),
    ] = None
    without_list: Annotated[
        bool,
        typer.Option(
            "--without-list",
            help="Ask for each record of the ledger, where the account has no list. Extra records are not found.",
            rich_help_panel=RUN_PANEL,
        ),
    ] = False
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="The extract is a part of its source: what the ledger confirmed for other rows is no extra.",
            rich_help_panel=RUN_PANEL,
        ),
    ] = False
    rate: Rate = None


@takes_groups
def reconcile(extract: ExtractOptions, compare: CompareOptions, api: ApiOptions, output: OutputOptions) -> None:
    """
    Compare an extract with the ledger and with what Stripe has: missing, extra and different, per row and in total.

    Reads only. Exit code 0: all agree. 1: there are differences. 3: not everything could be checked.
    """
    from airflow_provider_payrecords.bulk import reconcile_extract
    from airflow_provider_payrecords.cli.outcome import finish

    options, settings = _options(compare), inputs.make_settings(api)
    with Interruption() as interruption:
        source, mapping = inputs.make_extract(extract)
        with closing(inputs.open_known_ledger(output.ledger)) as ledger:
            summary = reconcile_extract(
                source,
                mapping,
                settings=settings,
                ledger=ledger,
                options=options,
                results=output.results,
                ledger_name=inputs.shown_ledger(output.ledger),
                should_stop=interruption,
            )
    finish(summary, _show, as_json=output.json)


def _options(compare: CompareOptions) -> ReconcileOptions:
    from airflow_provider_payrecords.bulk import ReconcileOptions

    given = {
        "rate_limit": compare.rate,
        "created_after": compare.created_after,
        "created_before": compare.created_before,
        "without_list": compare.without_list,
        "partial": compare.partial,
    }
    return inputs.checked(ReconcileOptions, given)


def _show(summary: Reconciliation) -> None:
    from airflow_provider_payrecords.cli.outcome import major

    console.say(_headline(summary))
    console.say(f"{summary.endpoint}, source {summary.source}, account {summary.account}, {summary.mode} mode\n")
    counts = [(kind, f"{summary.counts[kind]:,}", said) for kind, said in _MEANINGS.items() if summary.counts.get(kind)]
    console.table("Findings", ("finding", "count", "meaning"), counts, numbers=("count",))
    sides = ("extract", "ledger", "stripe", "difference")
    money = [(code.upper(), *(major(sums[side], code) for side in sides)) for code, sums in summary.money.items()]
    console.table("Money", ("currency", *sides), money, numbers=sides)
    columns = ("row_number", "key", "finding", "differences", "message")
    findings = [tuple(one[name] if one[name] is not None else "" for name in columns) for one in summary.first_findings]
    console.listing("To look at", ("row", *columns[1:]), findings, numbers=("row",))
    if not summary.extras_checked:
        console.say("Extra records were not looked for: the list of records was not read to its end.")
    for name, place in (("results", summary.results_path), ("ledger", summary.ledger)):
        if place:
            console.say(f"{name:<9} {place}")


def _headline(summary: Reconciliation) -> str:
    if summary.status == "stopped":
        return f"Not finished with {summary.extract}: {summary.stop_reason}"
    said = "all agree" if summary.exit_code == 0 else f"{summary.differences} differences"
    unchecked = summary.counts.get("not_checked", 0)
    said += f", {unchecked} not checked" if unchecked else ""
    return f"Compared {summary.extract}: {summary.rows} rows, {said}; {summary.requests} requests."
