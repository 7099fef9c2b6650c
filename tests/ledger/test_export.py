"""Entries and counts as files people can read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import Event
from airflow_provider_payrecords.ledger.export import ENTRY_FIELDS, count_record, write_entries
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import Selection
from tests.ledger.samples import ANNA, NOW, SCOPE, intent, outcome


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.claim(SCOPE, [intent("k1"), intent('k"2,\né')], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k1")], NOW)
    return ledger


def test_the_fields_begin_with_the_scope_and_the_key() -> None:
    assert ENTRY_FIELDS[:6] == ("account", "mode", "endpoint", "source", "key", "state")
    assert len(set(ENTRY_FIELDS)) == 23


def test_csv_has_a_header_and_one_record_an_entry(ledger: MemoryLedger) -> None:
    stream = io.StringIO()
    assert write_entries(ledger.entries(Selection()), stream, "csv") == 2
    rows = list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))
    assert tuple(rows[0]) == ENTRY_FIELDS
    assert [row["key"] for row in rows] == ['k"2,\né', "k1"]
    assert rows[1] | {"state": "confirmed", "payment_record": "pr_k1_a", "owner": "", "amount_minor": "4950"} == rows[1]


def test_json_lines_keep_numbers_and_nothing(ledger: MemoryLedger, tmp_path: Path) -> None:
    target = tmp_path / "entries.jsonl"
    assert write_entries(ledger.entries(Selection()), target) == 2
    records = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert tuple(records[1]) == ENTRY_FIELDS
    assert (records[1]["amount_minor"], records[1]["owner"], records[1]["may_exist"]) == (4950, None, False)
    assert records[1]["created_at"] == "2026-03-01T09:30:00+00:00"


def test_a_count_is_told_with_its_money(ledger: MemoryLedger) -> None:
    claimed, confirmed = (count_record(count) for count in ledger.counts(Selection()))
    assert tuple(claimed.values()) == ("acct_1", "test", "report_payment", "adyen-eu", "claimed", "eur", 1, 4950)
    assert confirmed["state"] == "confirmed"


def test_nothing_to_write_is_a_header_in_csv_and_an_empty_file_in_json_lines(tmp_path: Path) -> None:
    assert write_entries([], tmp_path / "e.csv") == write_entries([], tmp_path / "e.ndjson") == 0
    assert (tmp_path / "e.csv").read_text() == ",".join(ENTRY_FIELDS) + "\n"
    assert (tmp_path / "e.ndjson").read_text() == ""


@pytest.mark.parametrize("target", [io.StringIO(), "entries.xlsx", "entries"])
def test_a_target_without_known_format_is_refused_before_anything_is_written(target: io.StringIO | str) -> None:
    with pytest.raises(UsageError, match="give csv or jsonl"):
        write_entries([], target)


def test_entries_are_written_as_they_come(ledger: MemoryLedger) -> None:
    stream = io.StringIO()
    lines_before: list[int] = []

    def watched() -> Iterator[Entry]:
        for entry in ledger.entries(Selection()):
            lines_before.append(stream.getvalue().count("\n"))
            yield entry

    write_entries(watched(), stream, "jsonl")
    assert lines_before == [0, 1]
