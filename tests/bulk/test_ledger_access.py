"""How a run reaches its ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_payrecords.bulk.ledger_access import CROWDED, LedgerAccess
from airflow_provider_payrecords.core.entry import Intent, Scope
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.liveness import make_owner
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.transport.clock import utc_now

SCOPE = Scope("acct_1", "test", "report_payment", "bank-eu")
INTENT = Intent("k1", "f", "payrecords-1")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerStore]:
    store = open_ledger(tmp_path / "ledger.db")
    yield store
    store.close()


def access(ledger: LedgerStore, owner: str | None = None) -> LedgerAccess:
    return LedgerAccess(ledger, SCOPE, "run-1", 300, utc_now, owner=owner)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


def test_claims_of_a_live_worker_in_a_sqlite_ledger_are_told_once(
    ledger: LedgerStore, caplog: pytest.LogCaptureFixture
) -> None:
    access(ledger, make_owner("other")).claim([INTENT])
    ours = access(ledger)
    assert [ours.release_the_dead(), ours.release_the_dead()] == [0, 0]
    assert warnings(caplog) == [CROWDED]


def test_our_own_claims_and_those_of_the_dead_are_no_crowd(
    ledger: LedgerStore, caplog: pytest.LogCaptureFixture
) -> None:
    host = make_owner("x").partition(":")[0]
    access(ledger, f"{host}:{10**30}:gone").claim([INTENT])
    ours = access(ledger)
    assert ours.release_the_dead() == 1
    ours.claim([INTENT])
    assert ours.release_the_dead() == 0
    assert ledger.look_up(SCOPE, ["k1"])["k1"].state is State.CLAIMED
    assert warnings(caplog) == []


def test_a_ledger_made_for_several_workers_has_no_crowd(
    empty_postgresql: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    store = open_ledger(empty_postgresql())
    for ledger in (store, MemoryLedger()):
        access(ledger, make_owner("other")).claim([INTENT])
        access(ledger).release_the_dead()
    store.close()
    assert warnings(caplog) == []
