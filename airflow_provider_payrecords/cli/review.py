"""``payrecords review``: the payments a person has to look at, a look at the API for them, and the person's word."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_provider_payrecords.cli import console, inputs
from airflow_provider_payrecords.cli.options import (
    LEDGER_PANEL,
    ApiOptions,
    JsonFlag,
    LedgerUrl,
    Mode,
    takes_groups,
)
from airflow_provider_payrecords.cli.status import next_step
from airflow_provider_payrecords.core.errors import UsageError

if TYPE_CHECKING:
    from airflow_provider_payrecords.bulk.review import Resolution
    from airflow_provider_payrecords.core.entry import Entry
    from airflow_provider_payrecords.ledger.store import LedgerStore, Selection

MAX_SHOWN = 1000


@dataclass(frozen=True)
class ReviewOptions:
    """Which entries, and what is done with them."""

    endpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this call.", rich_help_panel=LEDGER_PANEL)
    ] = None
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only keys of this namespace.", rich_help_panel=LEDGER_PANEL)
    ] = None
    mode: Annotated[
        Mode | None, typer.Option(help="Only test or only live payments.", rich_help_panel=LEDGER_PANEL)
    ] = None
    look: Annotated[
        bool, typer.Option("--look", help="Ask the API for the records of all of them; confirm those it has.")
    ] = False
    found: Annotated[
        str | None,
        typer.Option(metavar="ID", help="resolve: this Payment Record is the payment, or the one of two that stands."),
    ] = None
    absent: Annotated[
        bool, typer.Option("--absent", help="resolve: you are sure that there is no record; the next run sends it.")
    ] = False


@takes_groups
def review(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[resolve KEY]", help="Without it: list. resolve KEY: say what became of one payment."),
    ] = None,
    options: ReviewOptions = ReviewOptions(),
    api: ApiOptions = ApiOptions(),  # noqa: B008 - the same
    ledger: LedgerUrl = None,
    json: JsonFlag = False,
) -> None:
    """
    List the payments whose outcome is open, ask the API for them, or say what you found.

    What you say is checked: a record must be there, of this account, money and payment. This command reports nothing.
    """
    key = _key(what, options)
    with closing(inputs.open_known_ledger(ledger)) as store:
        if key is not None:
            _resolve(store, key, options, api, json=json)
        elif options.look:
            _look(store, options, api, json=json)
        else:
            _list(store, _selection(options, api), json=json)


def _key(what: list[str] | None, options: ReviewOptions) -> str | None:
    said = (options.found is not None) + options.absent
    if not what:
        if said:
            raise UsageError("Say which payment: payrecords review resolve KEY --found ID, or --absent.")
        return None
    if len(what) != 2 or what[0] != "resolve":
        raise UsageError("Say payrecords review, or payrecords review resolve KEY.")
    if said != 1 or options.look:
        raise UsageError("Say what became of it: --found ID or --absent, one of the two.")
    return what[1]


def _selection(options: ReviewOptions, api: ApiOptions, key: str | None = None) -> Selection:
    from airflow_provider_payrecords.ledger.store import Selection

    mode = options.mode and options.mode.value
    return Selection(api.account, mode, options.endpoint, options.source, key=key)


def _list(store: LedgerStore, selection: Selection, *, json: bool) -> None:
    from dataclasses import replace

    from airflow_provider_payrecords.bulk.review import OPEN_STATES
    from airflow_provider_payrecords.ledger.export import entry_record

    found = list(islice(store.entries(replace(selection, states=OPEN_STATES)), MAX_SHOWN))
    if json:
        console.say_json({"open": [{**entry_record(one), "next_step": next_step(one)} for one in found]})
        return
    rows = [(one.state.value, one.scope.source, one.key, one.error_code or "", next_step(one)) for one in found]
    console.listing("Open", ("state", "source", "key", "code", "next step"), rows)
    if not rows:
        console.say("Nothing is open.")
    if len(found) == MAX_SHOWN:
        console.say(f"These are the first {MAX_SHOWN}. payrecords export --state review --state unknown has all.")


def _look(store: LedgerStore, options: ReviewOptions, api: ApiOptions, *, json: bool) -> None:
    from airflow_provider_payrecords.bulk.review import Reviewer

    settings = inputs.make_settings(api)
    inputs.check_mode(settings, options.mode)
    report = Reviewer(store, settings).look(_selection(options, api))
    left = report.looked_at - len(report.found)
    if json:
        console.say_json(
            {
                "looked_at": report.looked_at,
                "found": {one.key: one.payment_record for one in report.found},
                "several": report.several,
                "left": left,
                "complete": report.error is None,
                "error": report.error and report.error.message,
            }
        )
    else:
        console.say(f"Looked for {report.looked_at} payments: {len(report.found)} found and confirmed, {left} left.")
        for one in report.found:
            console.say(f"  {one.key}: {one.payment_record}")
        for key in report.several:
            console.say(f"  {key}: more than one record, or one of other money. Compare them in the Dashboard.")
    if report.error is not None:
        console.complain(f"Not all records were read: {report.error.message}")
        raise typer.Exit(3)
    raise typer.Exit(1 if left else 0)


def _resolve(store: LedgerStore, key: str, options: ReviewOptions, api: ApiOptions, *, json: bool) -> None:
    from airflow_provider_payrecords.bulk.review import Reviewer, find_entry

    settings = inputs.make_settings(api)
    inputs.check_mode(settings, options.mode)
    entry = find_entry(store, _selection(options, api, key))
    reviewer = Reviewer(store, settings)
    if options.found is not None:
        resolution = reviewer.resolve_found(entry, options.found)
    else:
        resolution = reviewer.resolve_absent(entry)
    _show(resolution, json=json)


def _show(resolution: Resolution, *, json: bool) -> None:
    from airflow_provider_payrecords.ledger.export import entry_record

    after = resolution.after
    if json:
        console.say_json({"entry": entry_record(after), "unchecked": list(resolution.unchecked)})
        return
    console.say(f"{after.key} is {after.state.value} now{_how(resolution.before, after)}.")
    for one in resolution.unchecked:
        console.note(f"On your word: {one}.")


def _how(before: Entry, after: Entry) -> str:
    if after.payment_record is not None:
        return f", with {after.payment_record}"
    same = after.idempotency_key == before.idempotency_key
    return (
        f": the next run sends it, under {'the same idempotency key' if same else 'the idempotency key that follows'}"
    )
