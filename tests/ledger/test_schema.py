"""Rows and entries are the same thing twice."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from typing import get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.export import ENTRY_FIELDS
from airflow_provider_payrecords.ledger.schema import (
    ENTRIES,
    HISTORY,
    RUN_PROGRESS,
    RUN_REASONS,
    RUNS,
    entry_from_row,
    entry_values,
    run_from_row,
    run_values,
    to_text,
)
from airflow_provider_payrecords.ledger.store import Run, RunProgress, RunReason
from tests.ledger.samples import NOW, SCOPE, later

instants = st.datetimes(timezones=st.just(timezone.utc))
optional_text = st.none() | st.text()
entries = st.builds(
    Entry,
    scope=st.builds(Scope),
    created_at=instants,
    updated_at=instants,
    claimed_at=st.none() | instants,
    lease_until=st.none() | instants,
    owner=optional_text,
    amount_minor=st.none() | st.integers(),
    error_status=st.none() | st.integers(),
)


def test_the_columns_are_exactly_the_attributes_of_an_entry() -> None:
    assert tuple(ENTRIES.columns.keys()) == ENTRY_FIELDS


def test_the_columns_of_a_run_are_its_attributes() -> None:
    names = [field.name for field in fields(Run)]
    names[1:2] = [field.name for field in fields(Scope)]
    assert RUNS.columns.keys() == names


def test_the_columns_of_progress_and_of_reasons_are_their_attributes() -> None:
    assert RUN_PROGRESS.columns.keys() == [field.name for field in fields(RunProgress)]
    assert RUN_REASONS.columns.keys() == [field.name for field in fields(RunReason)]


def test_history_has_the_columns_of_entries_and_no_place_for_anything_else() -> None:
    assert [(one.name, str(one.type)) for one in HISTORY.columns] == [
        (one.name, str(one.type)) for one in ENTRIES.columns
    ]


@given(entries)
def test_an_entry_comes_back_from_its_row(entry: Entry) -> None:
    assert entry_from_row(entry_values(entry)) == entry


def test_values_stand_in_the_order_of_the_columns() -> None:
    entry = Entry(SCOPE, "key", State.UNKNOWN, "fingerprint", "idempotency_key", NOW, NOW)
    texts = [name for name, hint in get_type_hints(Entry).items() if hint == str | None]
    row = entry_values(entry._replace(**{name: name for name in texts}))
    named = dict(zip(ENTRIES.columns.keys(), row, strict=True))
    assert all(named[name] == name for name in (*texts, "key", "fingerprint", "idempotency_key"))
    assert len(texts) >= 8


def test_a_run_comes_back_from_its_row() -> None:
    running = Run("r1", SCOPE, "x.csv", NOW)
    finished = replace(
        running, finished_at=later(seconds=0.25), summary={"rows": 1, "name": "é"}, started_by={"dag_id": "é"}
    )
    assert [run_from_row(run_values(run)) for run in (running, finished)] == [running, finished]


@given(instants, instants)
def test_instants_sort_as_text_as_they_do_as_instants(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


def test_an_instant_of_another_zone_is_stored_in_utc() -> None:
    assert to_text(NOW.astimezone(timezone(timedelta(hours=-7)))) == "2026-03-01T09:30:00.000000+00:00"
