"""``payrecords ledger …``: looking after the ledger itself."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timezone
from typing import Annotated

import typer

from airflow_provider_payrecords.cli import console, inputs
from airflow_provider_payrecords.cli.options import JsonFlag, LedgerUrl, example, takes_groups
from airflow_provider_payrecords.cli.status import SelectionOptions, selection_of, show_counts
from airflow_provider_payrecords.core.errors import UsageError

ledger_app = typer.Typer(help="Look after the ledger itself.", no_args_is_help=True)
"""The commands below ``payrecords ledger``."""


@takes_groups
def prune(
    selected: SelectionOptions,
    before: Annotated[
        str,
        typer.Option(metavar="DATE", help="Remove what was settled before: 2026-01-31 (UTC), or a time with a zone."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what was settled less than 90 days ago.")] = False,
    ledger: LedgerUrl = None,
    json: JsonFlag = False,
) -> None:
    """
    Remove confirmed and rejected payments that were settled long ago. What is open always stays.

    Runs that ended before that go as well, but for the latest and those that an open or rejected payment names.

    A removed payment is forgotten: if its row ever comes again, it is reported again, and after 24 hours Stripe makes a
    second record of it. Prune only what no extract can hold any more, and keep a backup or an export.
    """
    from airflow_provider_payrecords.ledger import retention
    from airflow_provider_payrecords.ledger.export import count_record

    until = _instant(before)
    selection = retention.prunable(selection_of(selected), until, datetime.now(timezone.utc), force=force)
    with closing(inputs.open_known_ledger(ledger)) as store:
        counts = store.counts(selection)
        removed = 0 if dry_run else sum(retention.prune(store, selection))
        runs = 0 if dry_run else sum(retention.prune_runs(store, selection))
    if json:
        told = {"ledger": inputs.shown_ledger(ledger), "before": until.isoformat(), "dry_run": dry_run}
        console.say_json(
            {**told, "removed": removed, "runs": runs, "counts": [count_record(count) for count in counts]}
        )
        return
    show_counts(counts)
    if dry_run:
        console.say(f"{retention.total(counts):,} payments settled before {until.isoformat()} would be removed.")
    else:
        console.say(f"{removed:,} payments settled before {until.isoformat()} were removed.")
        console.say(f"{runs:,} runs that ended before it were removed.")


ledger_app.command(epilog=example("payrecords ledger prune --before 2026-01-01 --dry-run"))(prune)


def _instant(text: str) -> datetime:
    """Return the instant that *text* names; a day begins at midnight UTC."""
    try:
        # Python 3.10 knows no "Z".
        instant = datetime.fromisoformat(text.removesuffix("Z") + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise UsageError(f"--before {text!r} is not a date. Write 2026-01-31, or 2026-01-31T12:00:00+01:00.") from None
    return instant.replace(tzinfo=timezone.utc) if len(text) == len("2026-01-31") else instant
