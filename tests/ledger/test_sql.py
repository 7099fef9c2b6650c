"""What only the durable ledger can get wrong: locks, disks, permissions, memory, and what it writes."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.entry import Action
from airflow_provider_payrecords.core.errors import LedgerUnavailableError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.dialect import begin_write
from airflow_provider_payrecords.ledger.schema import entry_values
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import RunProgress, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, BERT, NOW, SCOPE, intent, later, outcome

MANY = 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqlLedger]:
    store = open_ledger(path, busy_timeout_seconds=0.05)
    yield store
    store.close()


def test_a_row_is_readable_with_any_sqlite_tool(ledger: SqlLedger, path: Path) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    with sqlite3.connect(path) as plain:
        row = plain.execute("SELECT key, state, claimed_at, lease_until, may_exist FROM entries").fetchone()
    plain.close()
    assert row == ("k1", "claimed", "2026-03-01T09:30:00.000000+00:00", "2026-03-01T09:32:00.000000+00:00", 0)


def test_commits_are_written_ahead_and_flushed(ledger: SqlLedger, path: Path) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    with ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar() == -16_000
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 4_000
    assert path.with_name("ledger.db-wal").exists()


def test_a_ledger_may_be_read_while_another_process_writes(ledger: SqlLedger, path: Path) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert list(ledger.look_up(SCOPE, ["k1"])) == ["k1"]
    assert len(list(ledger.entries(Selection()))) == 1
    other.close()


def test_a_locked_ledger_is_named_with_the_next_step_and_can_be_used_afterwards(ledger: SqlLedger, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailableError, match="let it finish, then run again") as caught:
        ledger.claim(SCOPE, [intent("secret-key")], ANNA, NOW)
    assert str(path) in str(caught.value)
    assert "secret-key" not in str(caught.value)
    other.close()
    assert ledger.claim(SCOPE, [intent()], ANNA, NOW)[0].action is Action.SEND


def test_progress_waits_for_nobody_and_claims_are_as_patient_afterwards(ledger: SqlLedger, path: Path) -> None:
    patient = open_ledger(path, busy_timeout_seconds=3600)
    told = RunProgress("r1", NOW, {}, {}, 0, 0, 20.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailableError, match="locked"):
        patient.save_progress(told, [])
    other.close()
    with patient._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 3_600_000
    patient.save_progress(told, [])
    assert patient.progress("r1") == [told]
    patient.close()


def test_a_full_disk_is_an_error_and_keeps_what_was_settled_before(ledger: SqlLedger) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    with ledger._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LedgerUnavailableError, match="Free some disk space"):
        ledger.claim(SCOPE, [intent(f"k{number}") for number in range(500)], BERT, NOW)
    assert [entry.key for entry in ledger.entries(Selection())] == ["k1"]
    assert ledger.settle(SCOPE, [outcome(Event.ACCEPTED)], NOW)[0].state is State.CONFIRMED


def test_a_ledger_opened_for_reading_shows_entries_and_refuses_claims(ledger: SqlLedger, path: Path) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    reader = open_ledger(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert len(list(reader.entries(Selection()))) == 1
    with pytest.raises(LedgerUnavailableError, match="give this user write access"):
        reader.claim(SCOPE, [intent("k2")], BERT, NOW)
    reader.close()


def test_a_damaged_file_is_reported_without_advising_an_empty_one(ledger: SqlLedger, path: Path) -> None:
    ledger.claim(SCOPE, [intent(f"k{number}") for number in range(200)], ANNA, NOW)
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(LedgerUnavailableError, match="restore it from a backup"):
        open_ledger(path).look_up(SCOPE, ["k1"])


def test_threads_share_one_ledger_and_each_row_is_sent_by_one(ledger: SqlLedger, path: Path) -> None:
    patient = open_ledger(path)
    keys = [f"k{number}" for number in range(40)]
    actions: list[Action] = []

    def claim(name: str) -> None:
        worker = type(ANNA)(f"host:1:{name}", name, lease_seconds=60)
        for key in keys:
            actions.extend(decision.action for decision in patient.claim(SCOPE, [intent(key)], worker, NOW))

    threads = [threading.Thread(target=claim, args=(name,)) for name in ("anna", "bert", "carl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    patient.close()
    assert sorted(actions) == [Action.HELD] * 80 + [Action.SEND] * 40


def test_a_hundred_thousand_entries_stream_through_little_memory(ledger: SqlLedger) -> None:
    [claimed] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    row = entry_values(claimed.entry)
    before, after = row[:4], row[5:]
    with begin_write(ledger._engine) as connection:
        ledger._entries.put(connection, [(*before, f"k{number:06}", *after) for number in range(1, MANY)])
    gc.collect()
    objects = len(gc.get_objects())
    read = 0
    for read, _ in enumerate(ledger.entries(Selection()), start=1):
        if read % 20_000 == 1:
            assert len(gc.get_objects()) - objects < 20_000
    assert read == MANY
    [count] = ledger.counts(Selection())
    assert (count.entries, count.amount_minor) == (MANY, MANY * 4950)


def test_claims_and_outcomes_survive_reopening(ledger: SqlLedger, path: Path) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k1", request_id="req_1")], later(seconds=1))
    before = list(ledger.entries(Selection()))
    ledger.close()
    again = open_ledger(path)
    assert list(again.entries(Selection())) == before
    again.close()
