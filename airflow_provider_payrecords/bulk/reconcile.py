"""Compare an extract with the ledger and with what the API holds. Reads only: nothing is sent, no entry changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from airflow_provider_payrecords.bulk.comparison import Comparison
from airflow_provider_payrecords.bulk.find import CLOCK_MARGIN
from airflow_provider_payrecords.bulk.holdings import Holdings
from airflow_provider_payrecords.bulk.ledger_access import new_run_id
from airflow_provider_payrecords.bulk.places import Place
from airflow_provider_payrecords.bulk.reconciliation import (
    AGREES,
    DUPLICATE,
    EXTRA,
    INVALID,
    Reconciliation,
)
from airflow_provider_payrecords.core.commands import ReportPayment
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import CommandError, Disposition, PayRecordsError, StoppedError, UsageError
from airflow_provider_payrecords.core.identity import check_key
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.extract import Extract, ExtractMapping, Row, RowProblem
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.settings import DEFAULT_RATE_LIMIT, Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.clock import Clock, utc_now
from airflow_provider_payrecords.transport.loop import run_in_own_loop

BATCH_ROWS = 500
FIRST_FINDINGS = 10


class ReconcileOptions(BaseModel):
    """
    How a comparison is made.

    Attributes:
        rate_limit: Requests per second.
        concurrency: Requests under way at once, where records are asked for one by one.
        created_after: Records made after this are listed. By default shortly before the first entry of the rows.
        created_before: Records made before this are listed. By default shortly after the last change of their entries.
        without_list: Ask for each record of the ledger instead of listing; extra records are not looked for.
        partial: The extract is a part of its source: a record that the ledger confirmed for another row is no extra.
        max_lookups: Records asked for one by one at most. Rows beyond it are not checked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_limit: float = Field(default=DEFAULT_RATE_LIMIT, gt=0, le=10_000, allow_inf_nan=False)
    concurrency: int = Field(default=8, ge=1, le=256)
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    without_list: bool = False
    partial: bool = False
    max_lookups: int = Field(default=100_000, ge=0)


def reconcile_extract(
    extract: Extract,
    mapping: ExtractMapping,
    *,
    settings: Settings,
    ledger: LedgerStore,
    options: ReconcileOptions | None = None,
    results: Place | None = None,
    ledger_name: str | None = None,
    should_stop: Callable[[], bool] | None = None,
    network: httpx.AsyncBaseTransport | None = None,
    now: Clock = utc_now,
) -> Reconciliation:
    """
    Compare every row of *extract* with its entry and its record, and look for records that no row has.

    Args:
        results: Where one line per finding goes: ``.csv``, ``.jsonl``, ``.json`` or ``.parquet``. It is replaced.
        should_stop: Asked before each request; once true, the comparison ends.
        network: httpx transport to use in place of the network, such as the in-process sandbox.

    Raises:
        UsageError: Mapping, extract, options or results cannot work, or nothing says when records were made.
        LedgerError: The ledger cannot be read.
        ResultsError: The results cannot be written.
    """
    if mapping.endpoint != ReportPayment.endpoint:
        raise UsageError(f"Only payments are compared; the mapping's endpoint is {mapping.endpoint}.")
    options = options or ReconcileOptions()
    with closing(Comparison(results)) as comparison:
        work = _Reconcile(extract, mapping, settings, ledger, options, comparison, now)
        return run_in_own_loop(work.run(should_stop or (lambda: False), network, ledger_name))


class _Reconcile:
    def __init__(
        self,
        extract: Extract,
        mapping: ExtractMapping,
        settings: Settings,
        ledger: LedgerStore,
        options: ReconcileOptions,
        comparison: Comparison,
        now: Clock,
    ) -> None:
        self._extract = extract
        self._mapping = mapping
        self._settings = settings.model_copy(update={"rate_limit": options.rate_limit})
        self._ledger = ledger
        self._options = options
        self._comparison = comparison
        self._now = now
        self._scope = Scope(settings.account_scope, settings.mode, mapping.endpoint, mapping.source)
        self._started_at = now()
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._rows = 0
        self._counts: Counter[str] = Counter()
        self._money: dict[str, Counter[str]] = defaultdict(Counter)
        self._shown: list[dict[str, Any]] = []

    async def run(
        self, should_stop: Callable[[], bool], network: httpx.AsyncBaseTransport | None, ledger_name: str | None
    ) -> Reconciliation:
        options = self._options
        self._read_extract()
        span = None if options.without_list else self._span()
        transport = AsyncTransport(self._settings, connections=options.concurrency, network=network, now=self._now)
        policy, keep = self._settings.retry_policy, self._comparison.keep_record
        holdings = Holdings(transport, policy, self._scope.source, keep, should_stop)
        try:
            listed = span is not None and await holdings.list_between(*span)
            if holdings.error is None:
                await self._look_up(holdings)
        finally:
            await transport.close()
        self._find(listed=listed)
        self._comparison.finish()
        return self._summary(holdings, span, transport.requests, ledger_name, listed=listed)

    def _read_extract(self) -> None:
        with self._extract.open(self._mapping) as opened:
            for batch in opened.batches(BATCH_ROWS):
                known = self._ledger.look_up(self._scope, [row.key for row in batch if isinstance(row, Row)])
                for row in batch:
                    self._comparison.keep_row({"ordinal": self._rows, **self._line(row, known)})
                    self._rows += 1

    def _line(self, row: Row | RowProblem, known: dict[str, Entry]) -> dict[str, Any]:
        if isinstance(row, RowProblem):
            said = "; ".join(f"{one.field}: {one.message}" for one in row.problems)
            return {"row_number": row.number, "key": row.key, "problem": said}
        try:
            check_key(row.key)
        except CommandError as error:
            return {"row_number": row.number, "key": row.key, "problem": error.message}
        entry = known.get(row.key)
        if entry is not None:
            self._first = min(self._first or entry.created_at, entry.created_at)
            self._last = max(self._last or entry.updated_at, entry.updated_at)
        amount, currency = row.money
        return {
            "row_number": row.number,
            "key": row.key,
            "extract_amount": amount,
            "extract_currency": currency,
            "outcome": row.outcome,
            **_of(entry),
            "same_content": entry and entry.fingerprint == row.fingerprint,
        }

    def _span(self) -> tuple[datetime, datetime]:
        """Return the time in which the records of the rows were made, as the options or the ledger say."""
        first, last = self._options.created_after, self._options.created_before
        if first is None and self._first is None:
            raise UsageError(
                "The ledger knows none of these rows, so nothing says when their records were made. Name the time: "
                "created_after."
            )
        begin = first or (self._first or self._started_at) - CLOCK_MARGIN
        end = last or ((self._last or self._started_at) if first is None else self._started_at) + CLOCK_MARGIN
        if begin >= end:
            raise UsageError("created_after must lie before created_before.")
        return begin, end

    async def _look_up(self, holdings: Holdings) -> None:
        """Ask for each record of the ledger that was not listed: a list may be late, or of another time."""
        ids = iter(self._comparison.unseen(self._options.max_lookups))
        while holdings.error is None and (some := list(islice(ids, self._options.concurrency))):
            await holdings.retrieve(some)

    def _find(self, *, listed: bool) -> None:
        for finding in self._comparison.findings(listed=listed):
            self._count(finding)
            self._write(finding)
        if not listed:
            return
        extras = self._comparison.extras()
        while some := list(islice(extras, BATCH_ROWS)):
            self._find_extras(some)

    def _find_extras(self, extras: list[tuple[str, str, int | None, str | None, str]]) -> None:
        known = self._ledger.look_up(self._scope, list(dict.fromkeys(key for _, key, *_ in extras)))
        for record, key, amount, currency, state in extras:
            entry = known.get(key)
            confirmed = entry is not None and entry.state is State.CONFIRMED and entry.payment_record == record
            if confirmed and self._options.partial:
                continue
            said = "The ledger has it, from another extract." if confirmed else "Neither extract nor ledger has it."
            finding = {
                "finding": EXTRA,
                "key": key,
                **_of(entry),
                "stripe_record": record,
                "stripe_amount": amount,
                "stripe_currency": currency,
                "stripe_state": state,
                "message": said,
            }
            self._count(finding)
            self._write(finding)

    def _count(self, finding: dict[str, Any]) -> None:
        self._counts[finding["finding"]] += 1
        if finding["finding"] == INVALID:
            return
        sums = ("extract", "ledger", "stripe")
        for name in sums:
            amount, currency = finding.get(f"{name}_amount"), finding.get(f"{name}_currency")
            if name == "ledger" and finding.get("ledger_state") != State.CONFIRMED.value:
                continue
            if amount is not None and currency is not None:
                self._money[currency][name] += amount
        if finding["finding"] == DUPLICATE:
            self._money[finding["stripe_currency"]]["stripe"] += finding["other_amount"]

    def _write(self, finding: dict[str, Any]) -> None:
        self._comparison.write({**finding, "source": self._scope.source})
        if finding["finding"] != AGREES and len(self._shown) < FIRST_FINDINGS:
            names = ("row_number", "key", "finding", "differences", "message")
            self._shown.append({name: finding.get(name) for name in names})

    def _summary(
        self,
        holdings: Holdings,
        span: tuple[datetime, datetime] | None,
        requests: int,
        ledger_name: str | None,
        *,
        listed: bool,
    ) -> Reconciliation:
        error = holdings.error
        sums = {currency: _with_difference(money) for currency, money in sorted(self._money.items())}
        return Reconciliation(
            run_id=new_run_id(self._started_at).replace("run-", "reconcile-", 1),
            status="finished" if error is None else "stopped",
            stop_reason=error and error.message,
            fatal=_is_fatal(error),
            account=self._scope.account,
            mode=self._scope.mode,
            endpoint=self._scope.endpoint,
            source=self._scope.source,
            extract=self._extract.name,
            rows=self._rows,
            counts=dict(self._counts),
            money=sums,
            first_findings=self._shown,
            extras_checked=listed,
            without_list=self._options.without_list,
            created_after=span and span[0],
            created_before=span and span[1],
            listed=holdings.listed,
            requests=requests,
            results_path=self._comparison.path,
            ledger=ledger_name,
            started_at=self._started_at,
            finished_at=self._now(),
        )


def _is_fatal(error: PayRecordsError | None) -> bool:
    return error is not None and error.disposition is Disposition.ABORT and not isinstance(error, StoppedError)


def _with_difference(sums: Counter[str]) -> dict[str, int]:
    said = {name: sums[name] for name in ("extract", "ledger", "stripe")}
    return {**said, "difference": said["stripe"] - said["extract"]}


def _of(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"ledger_state": None, "ledger_record": None, "may_exist": False}
    return {
        "ledger_state": entry.state.value,
        "ledger_amount": entry.amount_minor,
        "ledger_currency": entry.currency,
        "ledger_record": entry.payment_record,
        "may_exist": entry.may_exist or entry.state in (State.CLAIMED, State.UNKNOWN, State.REVIEW),
    }
