"""The API of the page of runs: what ran, what each run did, and what is open. Reads the ledger and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.export import csv_chunks
from airflow_provider_payrecords.ledger.store import NOTABLE, BrowsableStore, Run, RunReason, Selection
from airflow_provider_payrecords.plugins.access import Right, needs
from airflow_provider_payrecords.plugins.actions_api import actions_router
from airflow_provider_payrecords.plugins.ledgers import ledger_of
from airflow_provider_payrecords.plugins.payments_api import payments_router
from airflow_provider_payrecords.plugins.problems import ProblemError
from airflow_provider_payrecords.plugins.shown import shown_entry, shown_progress, shown_reason, shown_run
from airflow_provider_payrecords.transport.clock import utc_now

RUNS_A_PAGE = 25
ENTRIES_A_PAGE = 50
MAX_REASONS = 100
MAX_TEXT = 1_000

Connection = Annotated[str, Query(max_length=250)]
Text = Annotated[str | None, Query(max_length=MAX_TEXT)]
After = Annotated[str | None, Query(max_length=8_000)]
Notable = Annotated[list[State] | None, Query()]

runs_router = APIRouter()
_reading = APIRouter(dependencies=[needs(Right.READ)])


@_reading.get("/runs")
def runs(connection: Connection, before: Text = None) -> dict[str, Any]:
    """Return a page of the latest runs of the connection's ledger."""
    with ledger_of(connection) as ledger:
        found = ledger.store.runs(RUNS_A_PAGE + 1, before)
        shown = [_shown(ledger.store, run) for run in found[:RUNS_A_PAGE]]
        after = found[RUNS_A_PAGE - 1].run_id if len(found) > RUNS_A_PAGE else None
        return {"ledger": ledger.store.name, "runs": shown, "before": after}


@_reading.get("/runs/{run_id}")
def run(run_id: str, connection: Connection) -> dict[str, Any]:
    """Return one run."""
    with ledger_of(connection) as ledger:
        return _shown(ledger.store, _run(ledger.store, run_id))


@_reading.get("/runs/{run_id}/progress")
def progress(run_id: str, connection: Connection) -> dict[str, Any]:
    """Return how far a run was, over time."""
    with ledger_of(connection) as ledger:
        return shown_progress(ledger.store.progress(_run(ledger.store, run_id).run_id))


@_reading.get("/runs/{run_id}/reasons")
def reasons(run_id: str, connection: Connection) -> list[dict[str, Any]]:
    """Return why rows of a run are not confirmed."""
    with ledger_of(connection) as ledger:
        known = _run(ledger.store, run_id)
        found = ledger.store.reasons(known.run_id)
        return [shown_reason(one, _replay(ledger.store, known, one)) for one in found[:MAX_REASONS]]


@_reading.get("/runs/{run_id}/entries")
def run_entries(
    run_id: str, connection: Connection, state: Notable = None, code: Text = None, after: After = None
) -> dict[str, Any]:
    """Return a page of the payments that this run changed last and that are not confirmed."""
    with ledger_of(connection) as ledger:
        chosen = Selection(run_id=_run(ledger.store, run_id).run_id, states=_states(state), error_code=code)
        return _page(ledger.store, chosen, after)


@_reading.get("/runs/{run_id}/export.csv")
def export(run_id: str, connection: Connection, confirmed: bool = False) -> StreamingResponse:
    """
    Return the payments that this run changed last, as CSV.

    Args:
        confirmed: Those that are confirmed as well. Finding them reads the whole ledger.
    """
    with ledger_of(connection) as ledger:
        known = _run(ledger.store, run_id)

    def lines() -> Iterator[str]:
        with ledger_of(connection) as ledger:
            yield from csv_chunks(_all(ledger.store, Selection(run_id=known.run_id), confirmed=confirmed))

    headers = {"content-disposition": f'attachment; filename="{_file_name(known.run_id)}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


@_reading.get("/open")
def open_entries(
    connection: Connection,
    state: Notable = None,
    source: Text = None,
    endpoint: Text = None,
    code: Text = None,
    after: After = None,
) -> dict[str, Any]:
    """Return a page of the payments in one of the given states; unknown and review if none is given."""
    chosen = frozenset(state or (State.REVIEW, State.UNKNOWN))
    with ledger_of(connection) as ledger:
        return _page(ledger.store, Selection(states=chosen, source=source, endpoint=endpoint, error_code=code), after)


def _run(store: BrowsableStore, run_id: str) -> Run:
    found = store.run(run_id)
    if found is None:
        raise ProblemError(
            404,
            "There is no such run",
            f"This ledger has no run {run_id!r}.",
            "Go back to the list of runs, or choose the connection whose ledger has it.",
        )
    return found


def _replay(store: BrowsableStore, run: Run, reason: RunReason) -> str | None:
    """Return whose rejects of *reason* the ledger has: the run's, its source's, or nobody's: our checks made them."""
    if reason.state != State.REJECTED.value or reason.code is None:
        return None
    scope = run.scope
    of_source = Selection(
        account=scope.account,
        mode=scope.mode,
        endpoint=scope.endpoint,
        source=scope.source,
        states=frozenset({State.REJECTED}),
        error_code=reason.code,
    )
    if store.page(replace(of_source, run_id=run.run_id), limit=1).entries:
        return "run"
    return "source" if store.page(of_source, limit=1).entries else None


def _shown(store: BrowsableStore, run: Run) -> dict[str, Any]:
    heard = store.last_progress(run.run_id) if run.finished_at is None else None
    return shown_run(run, heard, utc_now())


def _page(store: BrowsableStore, chosen: Selection, after: str | None) -> dict[str, Any]:
    page = store.page(chosen, ENTRIES_A_PAGE, after)
    return {"entries": [shown_entry(entry) for entry in page.entries], "after": page.after}


def _states(given: list[State] | None) -> frozenset[State]:
    return frozenset(given) if given else NOTABLE


def _all(store: BrowsableStore, chosen: Selection, *, confirmed: bool) -> Iterator[Entry]:
    if confirmed:
        yield from store.entries(chosen)
        return
    page = store.page(chosen, 1_000)
    yield from page.entries
    while page.after is not None:
        page = store.page(chosen, 1_000, page.after)
        yield from page.entries


def _file_name(run_id: str) -> str:
    return "".join(one for one in run_id if one.isascii() and (one.isalnum() or one in "-_"))


for _router in (_reading, payments_router, actions_router):
    runs_router.include_router(_router)
