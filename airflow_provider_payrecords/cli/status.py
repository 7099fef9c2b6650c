"""``payrecords status``: what the ledger holds, what ran lately, and what a person has to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airflow_provider_payrecords.cli import console, inputs
from airflow_provider_payrecords.cli.options import JsonFlag, LedgerUrl, Mode, takes_groups

if TYPE_CHECKING:
    from airflow_provider_payrecords.core.entry import Entry
    from airflow_provider_payrecords.ledger.store import Count, LedgerStore, Run, Selection

MAX_RUNS = 10
MAX_OPEN = 20


@dataclass(frozen=True)
class SelectionOptions:
    """Which entries of the ledger."""

    account: Annotated[str | None, typer.Option(metavar="NAME", help="Only this account.")] = None
    mode: Annotated[Mode | None, typer.Option(help="Only test or only live payments.")] = None
    endpoint: Annotated[str | None, typer.Option(metavar="NAME", help="Only this call.")] = None
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only keys of this namespace.")] = None


@takes_groups
def status(selected: SelectionOptions, ledger: LedgerUrl = None, json: JsonFlag = False) -> None:
    """
    Show what the ledger holds: payments and money by state, the latest runs, and what waits for a person.

    Asks nobody but the ledger, so no key is needed.
    """
    store = inputs.open_known_ledger(ledger)
    try:
        found = look(store, selection_of(selected))
    finally:
        store.close()
    if json:
        console.say_json({"ledger": inputs.shown_ledger(ledger), **found.as_json()})
    else:
        _show(found, inputs.shown_ledger(ledger))


@dataclass(frozen=True, slots=True)
class Look:
    """
    What was found in a ledger.

    Attributes:
        open_entries: The first entries that are not settled, or that a person must decide.
    """

    counts: list[Count]
    runs: list[Run]
    open_entries: list[Entry]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-safe data."""
        from airflow_provider_payrecords.ledger.export import count_record, entry_record

        return {
            "counts": [count_record(count) for count in self.counts],
            "runs": [_run_record(run) for run in self.runs],
            "open": [{**entry_record(entry), "next_step": next_step(entry)} for entry in self.open_entries],
        }


def selection_of(options: SelectionOptions) -> Selection:
    """Return the ledger's own form of *options*."""
    from airflow_provider_payrecords.ledger.store import Selection

    mode = options.mode and options.mode.value
    return Selection(account=options.account, mode=mode, endpoint=options.endpoint, source=options.source)


def look(store: LedgerStore, selection: Selection) -> Look:
    """Read counts, the latest runs and the first open entries."""
    from airflow_provider_payrecords.core.lifecycle import State

    still_open = frozenset({State.REVIEW, State.UNKNOWN, State.CLAIMED, State.PLANNED})
    entries = store.entries(replace(selection, states=still_open))
    return Look(store.counts(selection), store.runs(MAX_RUNS), list(islice(entries, MAX_OPEN)))


def next_step(entry: Entry) -> str:
    """Return why *entry* is open and what to do about it."""
    from airflow_provider_payrecords.bulk import lines

    return lines.next_step(entry)


def _show(found: Look, ledger: str) -> None:
    console.say(f"Ledger {ledger}\n")
    if not found.counts:
        console.say("It holds no such payments.\n")
    show_counts(found.counts)
    columns = ("run", "source", "extract", "how", "rows", "confirmed", "rejected", "other")
    console.table("Latest runs", columns, [_run_row(run) for run in found.runs], numbers=columns[-4:])
    rows = [
        (entry.state.value, entry.scope.endpoint, entry.scope.source, entry.key, next_step(entry))
        for entry in found.open_entries
    ]
    title = f"Open (the first {MAX_OPEN})" if len(rows) == MAX_OPEN else "Open"
    console.listing(title, ("state", "call", "source", "key", "next step"), rows)
    if found.counts and not rows:
        console.say("Nothing is open.")


def show_counts(counts: list[Count]) -> None:
    """Show payments and money, a table for each scope."""
    from airflow_provider_payrecords.cli.outcome import major

    for scope, group in groupby(counts, key=lambda count: count.scope):
        rows = [
            (
                count.state.value,
                f"{count.entries:,}",
                (count.currency or "").upper(),
                major(count.amount_minor, count.currency) if count.currency else "",
            )
            for count in group
        ]
        title = f"{scope.endpoint}, source {scope.source}, account {scope.account}, {scope.mode} mode"
        console.table(title, ("state", "payments", "currency", "amount"), rows, numbers=("payments", "amount"))


def _run_row(run: Run) -> tuple[object, ...]:
    summary = run.summary or {}
    counts = dict(summary.get("counts", {}))
    confirmed, rejected = counts.pop("confirmed", 0), counts.pop("rejected", 0)
    return (
        run.run_id,
        run.scope.source,
        run.extract.rpartition("/")[2],
        summary.get("status", "running, or killed"),
        summary.get("rows", ""),
        *((confirmed, rejected, sum(counts.values())) if summary else ("", "", "")),
    )


def _run_record(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "account": run.scope.account,
        "mode": run.scope.mode,
        "endpoint": run.scope.endpoint,
        "source": run.scope.source,
        "extract": run.extract,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "summary": run.summary,
        "started_by": run.started_by,
    }
