"""``payrecords export``: the ledger's entries for a spreadsheet or another program."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import typer

from airflow_provider_payrecords.cli import console, inputs
from airflow_provider_payrecords.cli.options import LedgerUrl, takes_groups
from airflow_provider_payrecords.cli.status import SelectionOptions, selection_of
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import State


class Format(str, Enum):
    """Form of an export."""

    CSV = "csv"
    JSONL = "jsonl"


@takes_groups
def export(
    selected: SelectionOptions,
    output: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Ends in .csv or .jsonl; without it: the standard output."),
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="By default by the file's name; csv on the standard output.")
    ] = None,
    state: Annotated[
        list[State] | None, typer.Option(help="Only entries in this state; may be given several times.")
    ] = None,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Only entries that this run changed last.")] = None,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="Only entries with this error code.")] = None,
    ledger: LedgerUrl = None,
) -> None:
    """
    Write the ledger's entries as CSV or JSON lines: keys, states, record ids, amounts, errors.

    No customer data is in it, because none is in the ledger.
    """
    from airflow_provider_payrecords.ledger.export import write_entries

    states = frozenset(state) if state else None
    selection = replace(selection_of(selected), states=states, run_id=run, error_code=code)
    kind: Literal["csv", "jsonl"] | None = None
    if format is not None:
        kind = "csv" if format is Format.CSV else "jsonl"
    with closing(inputs.open_known_ledger(ledger)) as store:
        if output is None:
            write_entries(store.entries(selection), sys.stdout, kind or "csv")
            return
        try:
            written = write_entries(store.entries(selection), output, kind)
        except OSError as error:
            raise UsageError(f"{output} cannot be written: {error.strerror}.") from None
    console.note(f"{written} entries are in {output}.")
