"""
The engine of a run: claims in batches, sends through a window of workers, settles in batches.

No request leaves before its claim is committed, and no row is called confirmed before its settlement is. A batch that
was claimed and not sent is released when the run stops; after a crash its claims lapse and it is sent again under the
same idempotency key.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from airflow_provider_payrecords.bulk.chronicle import Reasons
from airflow_provider_payrecords.bulk.find import find_records, may_be_found
from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.bulk.lines import STATES, line_of, problem_line
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.prepare import Prepared
from airflow_provider_payrecords.bulk.results import Line, Results
from airflow_provider_payrecords.bulk.stopping import Stopping
from airflow_provider_payrecords.bulk.summary import CONFIRMED, REJECTED, Tally
from airflow_provider_payrecords.bulk.watched import watched
from airflow_provider_payrecords.core.entry import CONTENT_CHANGED, SENDING, Action, Entry, is_spent
from airflow_provider_payrecords.core.errors import (
    ExtractError,
    LedgerError,
    NotSentError,
    PayRecordsError,
    ResultsError,
    StoppedError,
)
from airflow_provider_payrecords.core.flows import Called, call, settlement_of
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.models import Receipt
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.extract import RowProblem
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.pace import uniform_jitter

SETTLE_ROWS = 100
TICK_SECONDS = 0.1
GRACE_SECONDS = 2.0
"""How long requests on their way may still be answered once somebody asked to stop. Airflow kills after five."""
HELD_WAIT_SECONDS = 30.0
MAX_SET_ASIDE = 10_000
"""Rows that are looked at once more at the end; beyond it they are left to the next run."""

Item = tuple[int, Prepared | RowProblem]
"""A row's position in the extract, from 0 without gaps, and the row."""


@dataclass(frozen=True, slots=True)
class Outside:
    """
    What the engine asks of the world besides API and ledger.

    Attributes:
        clock: Monotonic seconds.
        jitter: Endless; numbers uniform in [0.5, 1].
    """

    should_stop: Callable[[], bool] = lambda: False
    on_tick: Callable[[], None] = lambda: None
    pause: Callable[[float], Awaitable[None]] = anyio.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Iterator[float] = field(default_factory=uniform_jitter)


class Engine:
    """One run. Use once."""

    def __init__(
        self,
        access: LedgerAccess,
        transport: AsyncTransport,
        policy: RetryPolicy,
        options: RunOptions,
        results: Results,
        tally: Tally,
        outside: Outside,
        reasons: Reasons,
    ) -> None:
        self._access = access
        self._transport = transport
        self._policy = policy
        self._options = options
        self._results = results
        self._tally = tally
        self._outside = outside
        self._reasons = reasons
        self._queue: asyncio.Queue[tuple[Prepared, datetime | None] | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._front = asyncio.Lock()
        self._called: list[tuple[Prepared, Called]] = []
        self._held: list[Prepared] = []
        self._open: list[tuple[Prepared, Entry, PayRecordsError | None]] = []
        self._spent: list[tuple[Prepared, Entry, PayRecordsError | None]] | None = []
        self._sends_left = options.canary
        self._asked_to_stop_at: float | None = None
        self._broken: ExtractError | None = None
        self._failure: PayRecordsError | None = None
        self.stopping = Stopping(options, tally)

    async def run(self, batches: Iterable[Sequence[Item]]) -> None:
        """
        Report every row of *batches*.

        Raises:
            ExtractError: The extract broke; what was read of it is reported.
            LedgerError: The ledger failed. What was sent and not settled is sent again under its key next time.
            ResultsError: The results cannot be written. Everything sent is settled.
        """
        await watched(self._report(batches), self._tick())
        if self._failure is not None:
            raise self._failure

    async def _report(self, batches: Iterable[Sequence[Item]]) -> None:
        self._access.release_the_dead()
        await self._round(batches)
        await self._send_spent_again()
        waited = 0.0
        while self._held and self.stopping.reason is None and waited < HELD_WAIT_SECONDS:
            await self._outside.pause(1.0)
            waited += 1.0
            await self._look_again()
        self._close_held()
        await self._close_open()

    async def _send_spent_again(self) -> None:
        """Send once more, under their next keys, the replayed rows whose refusal the API had stored."""
        spent, self._spent = self._spent or [], None
        if self.stopping.reason is None and spent:
            await self._round([[(row.order, row) for row, _, _ in spent]])
            return
        for row, entry, error in spent:
            self._conclude(row, entry, error)

    async def _look_again(self) -> None:
        if self.stopping.reason is not None:
            return
        self._access.release_the_dead()
        held, self._held = self._held, []
        await self._round([[(row.order, row) for row in held]])

    async def _round(self, batches: Iterable[Sequence[Item]]) -> None:
        tasks = [asyncio.create_task(self._work()) for _ in range(self._options.concurrency)]
        tasks.append(asyncio.create_task(self._feed(batches)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._settle()
        if self._broken is not None:
            self._fail(self._broken)
        if self._options.canary is not None and self._sends_left == 0:
            self.stopping.after_canary(self._options.canary)

    async def _feed(self, batches: Iterable[Sequence[Item]]) -> None:
        try:
            for batch in batches:
                await asyncio.sleep(0)  # a batch may be empty, and thousands of them follow each other
                for part in self._parts(batch):
                    self._take(part)
                    await self._wait_for_room()
                if self.stopping.reason is not None or self._sends_left == 0:
                    break
        except ExtractError as error:
            self._broken = error  # what was read of it before is sent first
        except PayRecordsError as error:
            self._fail(error)
        for _ in range(self._options.concurrency):
            self._queue.put_nowait(None)

    async def _wait_for_room(self) -> None:
        await asyncio.sleep(0)
        while self._queue.qsize() > self._spare and self.stopping.reason is None:
            self._room.clear()
            await self._room.wait()

    def _parts(self, batch: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """
        Cut a batch so that a stop is noticed in between, and so that no more is claimed than may be sent.

        A canary says how many that are; else it is what leaves in a fourth of a lease at the present pace.
        """
        done = 0
        while done < len(batch) and self.stopping.reason is None and self._sends_left != 0:
            size = self._ahead if self._sends_left is None else min(self._ahead, self._sends_left)
            yield batch[done : done + size]
            done += size

    @property
    def _ahead(self) -> int:
        return max(1, int(self._transport.pacer.rate(self._access.scope.endpoint) * self._options.lease_seconds / 4))

    @property
    def _spare(self) -> int:
        """How many claimed rows are left when more are to be claimed."""
        return min(self._options.concurrency, self._ahead)

    def _take(self, items: Sequence[Item]) -> None:
        rows = []
        for order, item in items:
            if isinstance(item, Prepared):
                rows.append(item)
                continue
            self._reject(order, item)
            if self.stopping.reason is not None:
                return
        decisions = self._access.claim([row.intent for row in rows])
        for row, decision in zip(rows, decisions, strict=True):
            if decision.action in SENDING:
                self._queue.put_nowait((row.claimed_as(decision.entry), decision.entry.lease_until))
                self._sends_left = None if self._sends_left is None else self._sends_left - 1
            elif decision.action is Action.HELD and len(self._held) < MAX_SET_ASIDE:
                self._held.append(row)
            else:
                self._conclude(row, decision.entry, None)

    async def _work(self) -> None:
        while (claimed := await self._next()) is not None:
            row, until = claimed
            if self.stopping.reason is None:
                flow = call(row.content, row.request, self._policy, self._outside.jitter, until, Receipt)
                called = await self._transport.run(flow, in_turn=True)
                self.stopping.after_call(called.error)
            else:
                called = Called(None, NotSentError("Not sent: the run stopped before. Run again."), None, False, 0)
            self._called.append((row, called))
            # A ledger that failed is asked once more at the end, and not for every row: each time may take long.
            if len(self._called) >= SETTLE_ROWS and self._failure is None:
                self._settle()

    async def _next(self) -> tuple[Prepared, datetime | None] | None:
        """
        Return the next row when its request may leave, or None after the last.

        The workers stand in line for it, so that as many of them are busy as rate and latency ask for.
        """
        async with self._front:
            claimed = await self._queue.get()
            if self._queue.qsize() <= self._options.concurrency:
                self._room.set()  # who waits there asks for itself how much is spare at the present rate
            if claimed is not None and self.stopping.reason is None:
                with suppress(StoppedError):
                    await self._transport.turn(self._access.scope.endpoint)
            return claimed

    async def _tick(self) -> None:
        while True:
            await self._outside.pause(TICK_SECONDS)
            if self._outside.should_stop() and self._asked_to_stop_at is None:
                self._asked_to_stop_at = self._outside.clock()
                self.stopping.stop("Asked to stop. Run again to go on.", at_once=True)
            if self.stopping.reason is not None:
                self._room.set()
            if self.stopping.at_once:
                self._transport.stop()
            asked = self._asked_to_stop_at
            if asked is not None and self._outside.clock() - asked >= GRACE_SECONDS:
                self._transport.give_up()
            if self._failure is None:
                self._settle()
            self._outside.on_tick()

    def _settle(self) -> None:
        called, self._called = self._called, []
        try:
            entries = self._access.settle([settlement_of(row.content, row.intent, one) for row, one in called])
        except LedgerError as error:
            self._called = called + self._called
            self._fail(error)
            return
        for (row, one), entry in zip(called, entries, strict=True):
            self._tally.new += one.error is None and entry.state is State.CONFIRMED
            if self._goes_again(row, entry):
                self._spent.append((row, entry, one.error))  # type: ignore[union-attr]  # asked for just before
                continue
            self._conclude(row, entry, one.error)

    def _goes_again(self, row: Prepared, entry: Entry) -> bool:
        if self._spent is None or len(self._spent) >= MAX_SET_ASIDE or self._options.canary is not None:
            return False
        return row.intent.replay and is_spent(entry, row.intent.idempotency_key)

    def _conclude(self, row: Prepared, entry: Entry, error: PayRecordsError | None) -> None:
        if may_be_found(entry, self._options) and len(self._open) < MAX_SET_ASIDE:
            self._open.append((row, entry, error))
            return
        self._write(row, entry, error)

    def _write(self, row: Prepared, entry: Entry, error: PayRecordsError | None) -> None:
        if entry.state is State.CONFIRMED and entry.fingerprint != row.intent.fingerprint:
            # Another worker's row of this key was confirmed meanwhile; this one's content was not.
            entry = entry._replace(state=State.REVIEW, error_code=CONTENT_CHANGED)
        state = STATES[entry.state]
        self._tally.add(state, row.intent.amount_minor, row.intent.currency)
        self._record(row.order, line_of(row, entry, error))
        if state == REJECTED and error is not None:
            self._tally.new_rejects += 1
            self.stopping.after_reject()

    def _reject(self, order: int, problem: RowProblem) -> None:
        self._tally.add(REJECTED, None, None)
        self._tally.new_rejects += 1
        self._record(order, problem_line(problem, self._access.scope.source))
        self.stopping.after_reject()

    def _record(self, order: int, line: Line) -> None:
        self._reasons.add(line)
        try:
            self._results.write(order, line)
        except ResultsError as error:
            self._fail(error)

    def _fail(self, error: PayRecordsError) -> None:
        """Remember what ends the run, and let what is on its way be settled first."""
        self._failure = self._failure or error
        self.stopping.stop(error.message, error=error)
        self._room.set()

    def _close_held(self) -> None:
        known = self._access.store.look_up(self._access.scope, [row.intent.key for row in self._held])
        for row in self._held:
            self._write(row, known[row.intent.key], None)

    async def _close_open(self) -> None:
        left, self._open = self._open, []
        found = {}
        if left and self.stopping.reason is None:
            rows = [(row.intent, entry) for row, entry, _ in left]
            found = await find_records(rows, self._access, self._transport, self._policy, self._outside.jitter)
        for row, entry, error in left:
            now = found.get(entry.key, entry)
            self._tally.new += STATES[now.state] == CONFIRMED
            self._write(row, now, error)
