"""A whole run over one extract: plan it, or report it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from airflow_provider_payrecords.bulk.choice import Choice, chosen
from airflow_provider_payrecords.bulk.chronicle import Chronicle, Reasons
from airflow_provider_payrecords.bulk.engine import Engine, Item, Outside
from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess, new_run_id
from airflow_provider_payrecords.bulk.lines import STATES, line_of
from airflow_provider_payrecords.bulk.machine import Machine
from airflow_provider_payrecords.bulk.namesakes import refuse_namesakes
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.places import Place
from airflow_provider_payrecords.bulk.plan import plan_rows
from airflow_provider_payrecords.bulk.prepare import prepare_row
from airflow_provider_payrecords.bulk.results import Results
from airflow_provider_payrecords.bulk.shared_pace import SharedPace
from airflow_provider_payrecords.bulk.sieve import Placed, sift
from airflow_provider_payrecords.bulk.summary import Progress, RunSummary, Tally
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import (
    CommandError,
    Disposition,
    LedgerError,
    PayRecordsError,
    ResultsError,
    UsageError,
)
from airflow_provider_payrecords.core.partition import make_partition
from airflow_provider_payrecords.extract import Extract, ExtractMapping, OpenExtract, Problem, Row, RowProblem
from airflow_provider_payrecords.ledger.store import Lane, LedgerStore, Run, until_asked_to_stop
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.clock import Clock, utc_now
from airflow_provider_payrecords.transport.loop import run_in_own_loop
from airflow_provider_payrecords.transport.pace import OwnPace, Pacer

FIRST_REJECTS = 10
READ_ROWS = 1000
"""Rows that are read and looked up at once."""
MAX_BATCH_ROWS = 500
"""Rows that are claimed at once."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    What a run leaves behind.

    Attributes:
        record_ids: Ids of the confirmed records in row order, at most as many as were asked for.
    """

    summary: RunSummary
    record_ids: list[str]


def report_extract(
    extract: Extract,
    mapping: ExtractMapping,
    *,
    settings: Settings,
    ledger: LedgerStore,
    options: RunOptions | None = None,
    results: Place | None = None,
    ledger_name: str | None = None,
    max_record_ids: int = 0,
    choice: Choice | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    started_by: Mapping[str, Any] | None = None,
    network: httpx.AsyncBaseTransport | None = None,
    now: Clock = utc_now,
) -> Report:
    """
    Report every payment of *extract*, each exactly once whatever happened before.

    Rows that are confirmed in the ledger are not sent. Rows that break a rule are rejected before anything of them is
    sent, and the others go on. Call it from code without a running event loop.

    Args:
        results: Where one line per row goes: ``.jsonl``, ``.csv`` or ``.parquet``.
        ledger_name: How the ledger is called in the summary; no password in it.
        choice: Which rejects of the extract are replayed, see ``replay_rejects``. None: every row is reported.
        should_stop: Asked ten times a second; once true, the run ends within about two seconds.
        started_by: Where the run was started, JSON-safe, for whoever finds it in the ledger: such as the task instance,
            or ``{"command": …}``.
        network: httpx transport to use in place of the network, such as the in-process sandbox.

    Raises:
        UsageError: Mapping, extract or results cannot work; nothing was sent.
        LedgerError: The ledger failed. Run again: what was sent is sent under the same key and replays.
        ResultsError: The results cannot be written. The ledger holds every outcome.
    """
    options = options or RunOptions()
    machine = Machine(network=network, now=now, started_by=started_by)
    run = ExtractRun(extract, mapping, settings, ledger, options, results, ledger_name, max_record_ids, machine, choice)
    if options.dry_run:
        return run.plan()
    should_stop = should_stop or (lambda: False)
    with until_asked_to_stop(ledger, should_stop):
        return run_in_own_loop(run.report(should_stop, on_progress or (lambda _: None)))


def plan_extract(
    extract: Extract,
    mapping: ExtractMapping,
    *,
    settings: Settings,
    ledger: LedgerStore,
    options: RunOptions | None = None,
    results: Place | None = None,
    ledger_name: str | None = None,
    now: Clock = utc_now,
) -> RunSummary:
    """
    Say what ``report_extract`` would do: nothing is sent, and the ledger does not change.

    Raises:
        UsageError: Mapping, extract or results cannot work.
        LedgerError: The ledger cannot be read.
    """
    dry = (options or RunOptions()).model_copy(update={"dry_run": True})
    machine = Machine(now=now)
    return ExtractRun(extract, mapping, settings, ledger, dry, results, ledger_name, 0, machine).plan().summary


class ExtractRun:
    """One run over one extract, on a machine. Use once."""

    def __init__(
        self,
        extract: Extract,
        mapping: ExtractMapping,
        settings: Settings,
        ledger: LedgerStore,
        options: RunOptions,
        target: Place | None,
        ledger_name: str | None,
        max_record_ids: int,
        machine: Machine,
        choice: Choice | None = None,
    ) -> None:
        self._choice = choice
        self._extract = extract
        self._mapping = mapping
        self._settings = settings.model_copy(update={"rate_limit": options.rate_limit})
        self._ledger = ledger
        self._options = options
        self._target = target
        self._ledger_name = ledger_name
        self._max_record_ids = max_record_ids
        self._machine = machine
        self._now = machine.now
        self._started_at = machine.now()
        self._run_id = new_run_id(self._started_at)
        self._scope = Scope(settings.account_scope, settings.mode, mapping.endpoint, mapping.source)
        self._tally = Tally()
        self._reasons = Reasons()
        self._chronicle = Chronicle(ledger, self._run_id, self._tally, self._reasons, machine.now, machine.clock)

    def plan(self) -> Report:
        """Say what would happen."""
        access = self._access()
        with self._extract.open(self._mapping) as opened, closing(self._open_results()) as results:
            plan_rows(self._taken(opened, access, results), access, results, self._tally)
            return self._close(results, None, requests=0)

    async def report(self, should_stop: Callable[[], bool], on_progress: Callable[[Progress], None]) -> Report:
        """Report every payment."""
        access = self._access()
        with self._extract.open(self._mapping) as opened, closing(self._open_results()) as results:
            transport = self._transport()

            def tick() -> None:
                progress = self._progress(transport, opened.total_rows)
                self._chronicle.tell(progress)
                on_progress(progress)

            outside = Outside(should_stop, tick, clock=self._machine.clock, jitter=self._machine.jitter())
            policy = self._settings.retry_policy
            engine = Engine(access, transport, policy, self._options, results, self._tally, outside, self._reasons)
            self._ledger.start_run(self._begun())
            try:
                await self._drive(engine, self._taken(opened, access, results))
            except PayRecordsError:
                # What failed may fail once more here; the first error is the one to tell.
                self._tell_the_end(engine, self._progress(transport, opened.total_rows))
                with suppress(LedgerError, ResultsError):
                    self._close(results, engine, transport.requests)
                raise
            else:
                progress = self._progress(transport, opened.total_rows)
                on_progress(progress)
                self._tell_the_end(engine, progress)
                return self._close(results, engine, transport.requests)
            finally:
                await transport.close()

    def _begun(self) -> Run:
        started_by = self._machine.started_by
        said = None if started_by is None else dict(started_by)
        return Run(self._run_id, self._scope, self._extract.name, self._started_at, started_by=said)

    def _tell_the_end(self, engine: Engine, progress: Progress) -> None:
        self._chronicle.end(progress, wait=not isinstance(engine.stopping.error, LedgerError))

    async def _drive(self, engine: Engine, batches: Iterator[list[Item]]) -> None:
        try:
            await engine.run(batches)
        except UsageError as error:
            # The extract broke after rows of it were sent: a stopped run, not a wrong command line.
            engine.stopping.stop(error.message, error=error)
        except PayRecordsError as error:
            engine.stopping.stop(error.message, error=error)
            raise

    def _taken(self, opened: OpenExtract, access: LedgerAccess, results: Results) -> Iterator[list[Item]]:
        """Yield what is left to do, in batches to be claimed at once."""
        check = refuse_namesakes(self._ledger, self._scope)
        for items in self._left(opened, access, results):
            check(items)
            yield items

    def _left(self, opened: OpenExtract, access: LedgerAccess, results: Results) -> Iterator[list[Item]]:
        """Return all rows, or those that a replay takes."""
        if self._choice is None:
            return self._items(opened, partial(sift, access=access, results=results, tally=self._tally))

        def answer(order: int, row: Any, entry: Entry) -> None:
            line = line_of(row, entry, None)
            self._tally.add(STATES[entry.state], row.intent.amount_minor, row.intent.currency)
            self._reasons.add(line)
            results.write(order, line)

        look_up = partial(access.store.look_up, access.scope)
        return chosen(self._items(opened, list), self._choice, look_up, answer)

    def _missing(self, *, stopped: bool) -> list[str]:
        """Return what a replay was asked for and the extract does not have, if all of the extract was read."""
        is_part = stopped or self._options.partition is not None
        return self._choice.missing() if self._choice and not is_part else []

    def _items(self, opened: OpenExtract, sieve: Callable[[list[Placed]], list[Placed]]) -> Iterator[list[Item]]:
        """Yield what *sieve* leaves of the rows, in batches to be claimed at once. They may be empty."""
        order = 0
        size = max(self._options.concurrency, min(MAX_BATCH_ROWS, int(2 * self._options.rate_limit)))
        has = make_partition(self._options.partition or "1/1").has
        for batch in opened.batches(READ_ROWS):
            left = sieve([(place, row) for place, row in enumerate(batch, order) if has(row.key)])
            order += len(batch)
            for start in range(0, len(left) or 1, size):
                yield [(place, self._item(row, place)) for place, row in left[start : start + size]]

    def _item(self, row: Row | RowProblem, order: int) -> Any:
        if isinstance(row, RowProblem):
            return row
        try:
            return prepare_row(
                row,
                self._scope,
                stamped=self._options.stamp_metadata,
                replay=self._choice is not None,
                order=order,
            )
        except CommandError as error:
            return RowProblem(row.number, row.key, tuple(Problem(**problem) for problem in error.problems))

    def _access(self) -> LedgerAccess:
        machine, lease_seconds = self._machine, self._options.lease_seconds
        return LedgerAccess(
            self._ledger,
            self._scope,
            self._run_id,
            lease_seconds,
            machine.now,
            owner=machine.owner,
            is_dead=machine.is_dead,
        )

    def _transport(self) -> AsyncTransport:
        machine, connections = self._machine, self._options.concurrency
        return AsyncTransport(
            self._settings,
            connections=connections,
            network=machine.network,
            pacer=self._pacer(),
            clock=machine.clock,
            now=machine.now,
        )

    def _pacer(self) -> Pacer:
        own = OwnPace(self._settings.rate_limit, self._machine.clock)
        if not self._options.shares_rate:
            return own

        def book(endpoint: str, seconds: float) -> float:
            return self._ledger.book(Lane(self._scope.account, self._scope.mode, endpoint), seconds, self._now())

        return SharedPace(own, book, self._machine.clock)

    def _open_results(self) -> Results:
        return self._machine.open_results(self._target)

    def _progress(self, transport: AsyncTransport, total_rows: int | None) -> Progress:
        return Progress(
            rows_done=self._tally.rows_done,
            total_rows=total_rows,
            counts=dict(self._tally.counts),
            requests=transport.requests,
            rate=transport.pacer.rate(self._scope.endpoint),
            throttled=transport.throttled,
        )

    def _close(self, results: Results, engine: Engine | None, requests: int) -> Report:
        stopping = engine.stopping if engine else None
        results.finish(whole=not (stopping and stopping.reason))
        error = stopping.error if stopping else None
        finished_at = self._now()
        summary = RunSummary(
            run_id=self._run_id,
            status="stopped" if stopping and stopping.reason else "finished",
            stop_reason=stopping.reason if stopping else None,
            fatal=error is not None and error.disposition is Disposition.ABORT,
            by_rule=bool(stopping and stopping.by_rule),
            by_canary=bool(stopping and stopping.by_canary),
            dry_run=self._options.dry_run,
            account=self._scope.account,
            mode=self._scope.mode,
            endpoint=self._scope.endpoint,
            source=self._scope.source,
            extract=self._extract.name,
            rows=self._tally.rows_done,
            counts=self._tally.counts,
            new=self._tally.new,
            requests=requests,
            left_alone=self._choice.left_alone if self._choice else 0,
            missing=self._missing(stopped=bool(stopping and stopping.reason)),
            money=self._tally.money,
            first_rejects=results.first_rejects(FIRST_REJECTS),
            results_path=results.path,
            rejects_path=results.rejects_path,
            ledger=self._ledger_name,
            started_at=self._started_at,
            finished_at=finished_at,
        )
        if not self._options.dry_run:
            self._ledger.finish_run(self._run_id, finished_at, summary.to_dict())
        return Report(summary, results.record_ids(self._max_record_ids) if self._max_record_ids else [])
