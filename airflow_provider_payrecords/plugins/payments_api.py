"""The API of one payment: found by what a person knows of it, its entry with its history, and its record live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from airflow_provider_payrecords.bulk.review import why_not_absent, why_not_found
from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import ReportPayment
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.plugins import live
from airflow_provider_payrecords.plugins.access import Right, needs
from airflow_provider_payrecords.plugins.connections import list_connections
from airflow_provider_payrecords.plugins.ledgers import Opened, ledger_of
from airflow_provider_payrecords.plugins.places import PaymentQuery
from airflow_provider_payrecords.plugins.problems import ProblemError, problem_of
from airflow_provider_payrecords.plugins.shown import shown_entry, shown_run
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.clock import utc_now

MAX_FOUND = 25
_RECORD_IDS = ("pr_", "par_")

payments_router = APIRouter(dependencies=[needs(Right.READ)])


@payments_router.get("/search")
def search(
    text: Annotated[str, Query(max_length=500)], connection: Annotated[str, Query(max_length=250)]
) -> dict[str, Any]:
    """
    Return the payments whose key is *text* or begins with it, or whose record or attempt has this id.

    A ledger is not searched for record ids: the API is asked for the record, whose metadata names the payment.
    """
    wanted = text.strip()
    if not wanted:
        raise ProblemError(422, "Nothing to search for", "The text is empty.", "Type a key, or the id of a record.")
    with ledger_of(connection) as ledger:
        found = ledger.store.find(wanted, MAX_FOUND + 1)
        more, found = len(found) > MAX_FOUND, found[:MAX_FOUND]
        asked, problem = wanted.startswith(_RECORD_IDS), None
        if asked:
            try:
                found = _without_repeats([*_of_record(ledger, wanted), *found])
            except ProblemError as error:
                problem = error.as_json()
        return {
            "entries": [shown_entry(entry) for entry in found],
            "more": more,
            "asked_api": asked,
            "problem": problem,
        }


@payments_router.get("/payment")
def payment(named: PaymentQuery) -> dict[str, Any]:
    """Return one payment's entry, what it was before, and what a person may decide about it."""
    with ledger_of(named.connection) as ledger:
        entry = ledger.entry(named.scope, named.key)
        run = ledger.store.run(entry.run_id) if entry.run_id else None
        heard = ledger.store.last_progress(run.run_id) if run and run.finished_at is None else None
        now = utc_now()
        return {
            "entry": shown_entry(entry),
            "history": [shown_entry(one) for one in ledger.store.history(named.scope, named.key)],
            "run": run and shown_run(run, heard, now),
            "may": {
                "replay": entry.state is State.REJECTED,
                "not_found_because": why_not_found(entry, now),
                "not_absent_because": why_not_absent(entry, now),
            },
            "connections": connections_of(named.scope),
        }


@payments_router.get("/payment/live")
def payment_live(named: PaymentQuery) -> dict[str, Any]:
    """Return the payment's record and attempts as the API has them now."""
    with ledger_of(named.connection) as ledger:
        entry = ledger.entry(named.scope, named.key)
        settings = settings_for(ledger, named.scope)
    return live.fetch(settings, entry)


def settings_for(ledger: Opened, scope: Scope) -> Settings:
    """
    Return how to reach the API for payments of *scope*.

    Raises:
        ProblemError: The chosen connection is of another account or mode, or cannot be used.
    """
    try:
        settings = ledger.hook.settings
    except PayRecordsError as error:
        raise problem_of(error) from error
    if (settings.account_scope, settings.mode) == (scope.account, scope.mode):
        return settings
    fitting = connections_of(scope)
    raise ProblemError(
        409,
        "This connection is of another account",
        f"The payment belongs to account {scope.account!r} in {scope.mode} mode, and the connection is of "
        f"{settings.account_scope!r} in {settings.mode} mode.",
        f"Choose the connection {' or '.join(fitting)}." if fitting else "Make a connection of that account.",
    )


def connections_of(scope: Scope) -> list[str]:
    """Return the ids of the connections of this account and mode."""
    wanted = (scope.account, scope.mode)
    return [one.id for one in list_connections() if (one.account, one.mode) == wanted]


def _of_record(ledger: Opened, named: str) -> list[Entry]:
    try:
        settings = ledger.hook.settings
    except PayRecordsError as error:
        raise problem_of(error) from error
    with PayRecordsClient(settings.model_copy(update=live.QUICK)) as client:
        record = live.retrieve(client, named)
    found = live.stamps(record)
    if found is None:
        raise ProblemError(
            404,
            "This record names no payment",
            f"The API has {record.id}, but its metadata names no key of ours.",
            "It was reported by something else, or with stamp_metadata off. Search for the payment's key.",
        )
    source, key = found
    scope = Scope(settings.account_scope, settings.mode, ReportPayment.endpoint, source)
    return list(ledger.store.look_up(scope, [key]).values())


def _without_repeats(entries: Sequence[Entry]) -> list[Entry]:
    return list({(entry.scope, entry.key): entry for entry in entries}.values())
