"""A small world for whole runs: payments, the in-process sandbox, a real SQLite ledger, and a way to end it all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from airflow_provider_payrecords.bulk import (
    ReconcileOptions,
    Reconciliation,
    Report,
    RunOptions,
    reconcile_extract,
    replay_rejects,
    report_extract,
)
from airflow_provider_payrecords.bulk.review import Reviewer
from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from airflow_provider_payrecords.ledger.store import LedgerStore, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from airflow_provider_payrecords.settings import Settings

MAPPING = ExtractMapping.load({"source": "wires"})
FAST = RunOptions(concurrency=2, rate_limit=10_000)
KEY = "sk_test_bulk"
OLD_VERSION = "2026-08-26.dahlia"
"""Knows no canceled payments, and refuses them before they run: such a refusal is not stored."""
CANCELED = {"outcome": "canceled", "canceled.canceled_at": 1_793_610_100}


def payment(number: int, **changes: Any) -> dict[str, Any]:
    """Return payment *number*: a bank wire of as many euro."""
    fields = {
        "amount_requested.value": number * 100,
        "amount_requested.currency": "eur",
        "initiated_at": 1_793_610_000 + number,
        "payment_method_details.type": "custom",
        "payment_method_details.custom.display_name": "Bank wire",
        "processor_details.type": "custom",
        "processor_details.custom.payment_reference": f"W{number:04}",
    }
    return {**fields, **changes}


def payments(count: int) -> list[dict[str, Any]]:
    """Return payments 1 to *count*."""
    return [payment(number) for number in range(1, count + 1)]


@dataclass
class World:
    """One sandbox, one ledger, and a clock that is moved by hand."""

    folder: Path
    instant: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=timezone.utc)
    retries: int = 0
    stripe_version: str = STRIPE_VERSION
    ledger_url: str | None = None
    account: str | None = None
    config: SandboxConfig = field(default_factory=lambda: SandboxConfig(rate_limits=None))
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(self.config, clock=lambda: self.instant.timestamp())

    def settings(self) -> Settings:
        """Return settings that wait for nothing."""
        return Settings(
            api_key=SecretStr(KEY),
            api_base="http://127.0.0.1:1",
            stripe_version=self.stripe_version,
            rate_limit=10_000,
            max_retries=self.retries,
            account=self.account,
        )

    @contextmanager
    def ledger(self) -> Iterator[LedgerStore]:
        """Open the ledger."""
        store = open_ledger(self.ledger_url or self.folder / "ledger.db")
        try:
            yield store
        finally:
            store.close()

    def report(
        self,
        rows: Iterable[dict[str, Any]],
        *,
        options: RunOptions = FAST,
        ledger: LedgerStore | None = None,
        network: httpx.AsyncBaseTransport | None = None,
        mapping: ExtractMapping = MAPPING,
        **more: Any,
    ) -> Report:
        """Report *rows* as a run of its own, as a new process would."""
        with self.ledger() as store:
            return report_extract(
                make_extract(rows),
                mapping,
                settings=self.settings(),
                ledger=ledger or store,
                options=options,
                network=network or SandboxTransport(self.sandbox),
                now=lambda: self.instant,
                max_record_ids=1024,
                **more,
            )

    def replay(
        self, rows: list[dict[str, Any]], select: Any, *, mapping: ExtractMapping = MAPPING, **more: Any
    ) -> Report:
        """Replay rejects of *rows*, as a new process would."""
        with self.ledger() as store:
            return replay_rejects(
                make_extract(rows),
                mapping,
                select=select,
                settings=self.settings(),
                ledger=more.pop("ledger", store),
                options=more.pop("options", FAST),
                network=more.pop("network", None) or SandboxTransport(self.sandbox),
                now=lambda: self.instant,
                max_record_ids=1024,
                **more,
            )

    def reconcile(
        self, rows: list[dict[str, Any]], *, network: httpx.AsyncBaseTransport | None = None, **more: Any
    ) -> Reconciliation:
        """Compare *rows* with ledger and sandbox."""
        options = ReconcileOptions(rate_limit=10_000, **more.pop("options", {}))
        with self.ledger() as store:
            return reconcile_extract(
                make_extract(rows),
                more.pop("mapping", MAPPING),
                settings=self.settings(),
                ledger=store,
                options=options,
                network=network or SandboxTransport(self.sandbox),
                now=lambda: self.instant,
                **more,
            )

    @contextmanager
    def reviewer(self, network: httpx.AsyncBaseTransport | None = None, api_key: str = KEY) -> Iterator[Reviewer]:
        """Open the ledger for a person who reviews it."""
        settings = self.settings().model_copy(update={"api_key": SecretStr(api_key)})
        with self.ledger() as store:
            yield Reviewer(store, settings, network=network or SandboxTransport(self.sandbox), now=lambda: self.instant)

    def later(self, **by: float) -> None:
        """Let time pass: ``minutes=6``."""
        self.instant += timedelta(**by)

    def entries(self) -> dict[str, Entry]:
        """Return the ledger's entries by key."""
        with self.ledger() as store:
            return {entry.key: entry for entry in store.entries(Selection())}

    def committed(self) -> dict[str | None, int]:
        """Return how many records the sandbox made by row key."""
        return dict(self.sandbox.journal.times())


class Crash(BaseException):
    """The process is gone. Not an ``Exception``: nothing may handle it."""


class Doom:
    """Ends the world at effect number *at*, counted from 1; nothing works after it."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.effects = 0

    def strike(self) -> None:
        """Count one effect, or be gone."""
        self.effects += 1
        if self.at is not None and self.effects >= self.at:
            raise Crash(f"at effect {self.effects}")


class DoomedLedger:
    """A ledger whose process may end before and after each of its transactions."""

    def __init__(self, store: LedgerStore, doom: Doom) -> None:
        self._store = store
        self._doom = doom

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name == "waiting_while":
            return method  # writes nothing

        def doomed(*args: Any, **kwargs: Any) -> Any:
            self._doom.strike()
            result = method(*args, **kwargs)
            self._doom.strike()
            return result

        return doomed


class DoomedNetwork(httpx.AsyncBaseTransport):
    """A network whose process may end before a request leaves and before its answer is seen."""

    def __init__(self, network: httpx.AsyncBaseTransport, doom: Doom) -> None:
        self._network = network
        self._doom = doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass *request* on."""
        self._doom.strike()
        response = await self._network.handle_async_request(request)
        self._doom.strike()
        return response
