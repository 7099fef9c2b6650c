"""A run's summary as people read it: counts, money, first rejects, where everything is, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.core.money import from_minor_units

if TYPE_CHECKING:
    from airflow_provider_payrecords.bulk import Reconciliation, RunSummary

SummaryT = TypeVar("SummaryT", "RunSummary", "Reconciliation")
_PLANNED = {
    "new": "would be sent",
    "unknown": "may exist; would be sent again under the same key",
    "confirmed": "has its record; is not sent again",
    "rejected": "is not sent before it is corrected",
    "held": "another worker is sending it",
    "review": "changed or too old; a person must look",
}
_REPORTED = {
    "confirmed": "has its Payment Record",
    "rejected": "refused; was not recorded",
    "unknown": "no answer was read; run again",
    "held": "another worker is sending it; run again",
    "planned": "not sent; run again",
    "review": "a person must look",
}


def finish(summary: SummaryT, show: Callable[[SummaryT], None], *, as_json: bool) -> NoReturn:
    """Print *summary*, as JSON or by *show*, and end with its exit code."""
    with console.reader_may_leave():
        if as_json:
            console.say_json(summary.to_dict())
        else:
            show(summary)
    raise typer.Exit(summary.exit_code)


def show_summary(summary: RunSummary) -> None:
    """Print all of *summary*."""
    console.say(_headline(summary))
    console.say(f"{summary.endpoint}, source {summary.source}, account {summary.account}, {summary.mode} mode\n")
    _show_counts(summary)
    _show_rejects(summary)
    for name, place in _places(summary):
        console.say(f"{name:<9} {place}")
    console.say()
    for step in next_steps(summary):
        console.say(f"Next: {step}")


def major(amount_minor: int, currency: str) -> str:
    """Return an amount in major units with all its decimals, such as ``1,234.50``."""
    return f"{from_minor_units(amount_minor, currency):,f}"


def next_steps(summary: RunSummary) -> list[str]:
    """Return what the person in front of *summary* should do, most urgent first."""
    counts = summary.counts
    steps = []
    if summary.fatal:
        steps.append("mend what stopped it, then run the same command again. Nothing is sent twice.")
    elif summary.exit_code == 3:
        steps.append("run the same command again. What is confirmed is not sent twice.")
    if counts.get("rejected"):
        steps.append(
            "correct the rejected rows where the extract comes from, and run again: a changed row is sent. If the "
            "reason lay elsewhere and is gone, payrecords replay sends them as they are."
        )
    if counts.get("review"):
        steps.append("look at the rows in review; payrecords review says why each is there.")
    if summary.missing:
        steps.append(f"check what was asked for: the extract has no {', '.join(summary.missing)}.")
    if summary.dry_run and (counts.get("new") or counts.get("unknown")):
        steps.append("payrecords report with the same options sends them.")
    return steps


def _headline(summary: RunSummary) -> str:
    if summary.dry_run:
        return f"Plan of {summary.extract}: {summary.rows} rows. Nothing was sent, nothing was changed."
    if summary.status == "stopped":
        return f"Stopped after {summary.rows} rows of {summary.extract}: {summary.stop_reason}"
    confirmed = summary.counts.get("confirmed", 0)
    before = confirmed - summary.new
    told = f"{summary.new} confirmed now, {before} confirmed before and not sent again"
    if summary.left_alone:
        told += f", {summary.left_alone} other rows left alone"
    return f"Finished {summary.extract}: {summary.rows} rows, {told}; {summary.requests} requests."


def _show_counts(summary: RunSummary) -> None:
    meanings = _PLANNED if summary.dry_run else _REPORTED
    states = [state for state in (*meanings, *(set(summary.counts) - set(meanings))) if summary.counts.get(state)]
    rows = [(state, f"{summary.counts[state]:,}", meanings.get(state, "")) for state in states]
    console.table("Rows", ("state", "rows", "meaning"), rows, numbers=("rows",))
    with_money = [state for state in states if any(state in sums for sums in summary.money.values())]
    amounts = [
        (code.upper(), *(major(sums[state], code) if state in sums else "" for state in with_money))
        for code, sums in sorted(summary.money.items())
    ]
    console.table("Money", ("currency", *with_money), amounts, numbers=with_money)


def _show_rejects(summary: RunSummary) -> None:
    columns = ("row", "key", "field", "code", "message")
    rows = [tuple(_without_field(one).values()) for one in summary.first_rejects]
    more = summary.counts.get("rejected", 0) - len(rows)
    title = f"Rejects, the first {len(rows)} (another {more} in the results)" if more > 0 else "Rejects"
    console.listing(title, columns, rows, numbers=("row",))


def _without_field(reject: Mapping[str, Any]) -> dict[str, Any]:
    """Return *reject* in the order of the columns, its message without the field, which stands beside it."""
    message = str(reject["message"] or "").removeprefix(f"{reject['field']}: ")
    return {**{name: reject[name] for name in ("row_number", "key", "field", "code")}, "message": message}


def _places(summary: RunSummary) -> Iterable[tuple[str, str]]:
    places = (
        ("run", None if summary.dry_run else summary.run_id),
        ("results", summary.results_path),
        ("rejects", summary.rejects_path),
        ("ledger", summary.ledger),
    )
    return ((name, place) for name, place in places if place)
