"""``payrecords plan`` and ``payrecords report``: one extract, looked at or reported."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

from airflow_provider_payrecords.cli import inputs
from airflow_provider_payrecords.cli.interruption import Interruption
from airflow_provider_payrecords.cli.options import (
    ApiOptions,
    ExtractOptions,
    OutputOptions,
    PaceOptions,
    PlanOptions,
    takes_groups,
)

if TYPE_CHECKING:
    from airflow_provider_payrecords.bulk import RunOptions, RunSummary
    from airflow_provider_payrecords.bulk.choice import Choice
    from airflow_provider_payrecords.settings import Settings


@takes_groups
def plan(extract: ExtractOptions, api: ApiOptions, mode: PlanOptions, output: OutputOptions) -> None:
    """
    Say what report would do with every row, by the ledger. Nothing is sent, nothing is changed.

    The key tells account and mode; without one, say --mode, and --account where you use it.
    """
    settings = inputs.make_settings_to_look(api, mode.mode)
    finish(_planned(extract, settings, output, inputs.make_run_options(PaceOptions())), output)


@takes_groups
def report(extract: ExtractOptions, api: ApiOptions, pace: PaceOptions, output: OutputOptions) -> None:
    """
    Report every payment of an extract, each exactly once.

    Safe to run again after anything: rows that the ledger knows as confirmed are not sent. Ctrl-C stops it cleanly.
    """
    settings = inputs.make_settings(api)
    options = inputs.make_run_options(pace)
    if options.dry_run:
        finish(_planned(extract, settings, output, options), output)
    inputs.refuse_live(settings, allowed=pace.allow_live)
    finish(reported(extract, settings, output, options), output)


def _planned(extract: ExtractOptions, settings: Settings, output: OutputOptions, options: RunOptions) -> RunSummary:
    from airflow_provider_payrecords.bulk import plan_extract

    source, mapping = inputs.make_extract(extract)
    with closing(inputs.open_ledger_to_look(output.ledger)) as ledger:
        return plan_extract(
            source,
            mapping,
            settings=settings,
            ledger=ledger,
            options=options,
            results=output.results,
            ledger_name=inputs.shown_ledger(output.ledger),
        )


def reported(
    extract: ExtractOptions,
    settings: Settings,
    output: OutputOptions,
    options: RunOptions,
    choice: Choice | None = None,
) -> RunSummary:
    """Report *extract*, or the rejects of it that *choice* takes, with progress and until Ctrl-C."""
    from airflow_provider_payrecords.bulk import report_extract
    from airflow_provider_payrecords.cli import progress

    with Interruption() as interruption:
        source, mapping = inputs.make_extract(extract)
        open_ledger = inputs.open_ledger if choice is None else inputs.open_known_ledger
        with closing(open_ledger(output.ledger)) as ledger, progress.shown() as show:
            return report_extract(
                source,
                mapping,
                settings=settings,
                ledger=ledger,
                options=options,
                results=output.results,
                ledger_name=inputs.shown_ledger(output.ledger),
                choice=choice,
                should_stop=interruption,
                on_progress=show,
                started_by={"command": f"payrecords {'report' if choice is None else 'replay'}"},
            ).summary


def finish(summary: RunSummary, output: OutputOptions) -> NoReturn:
    """Print *summary* and end with its exit code."""
    from airflow_provider_payrecords.cli import outcome

    outcome.finish(summary, outcome.show_summary, as_json=output.json)
