"""A summary fits into XCom whatever the run was, and says by its exit code what to do."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.bulk.summary import MAX_JSON_BYTES, RunSummary
from airflow_provider_payrecords.core.money import CURRENCIES

INSTANT = datetime(2026, 11, 23, tzinfo=timezone.utc)


def summary(**changes: Any) -> RunSummary:
    """Return a summary of a finished run with *changes*."""
    values: dict[str, Any] = {
        "run_id": "run-1",
        "status": "finished",
        "account": "a",
        "mode": "test",
        "endpoint": "report_payment",
        "source": "s",
        "extract": "e.csv",
        "rows": 1,
        "counts": {"confirmed": 1},
        "money": {},
        "first_rejects": [],
        "started_at": INSTANT,
        "finished_at": INSTANT,
    }
    return RunSummary(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "exit_code"),
    [
        ({}, 0),
        ({"counts": {"confirmed": 1, "rejected": 1}}, 1),
        ({"counts": {"review": 1}}, 1),
        ({"counts": {"unknown": 1}}, 3),
        ({"counts": {"held": 1, "rejected": 2}}, 3),
        ({"status": "stopped", "counts": {"confirmed": 1}}, 3),
        ({"dry_run": True, "counts": {"new": 5, "unknown": 1}}, 0),
        ({"dry_run": True, "counts": {"new": 5, "rejected": 1}}, 1),
    ],
)
def test_the_exit_code_says_what_to_do(changes: dict[str, Any], exit_code: int) -> None:
    assert summary(**changes).exit_code == exit_code


REJECT = st.fixed_dictionaries(
    {
        "row_number": st.integers(1, 10**12),
        "key": st.text(max_size=500),
        "code": st.just("invalid_type"),
        "field": st.text(max_size=100),
        "message": st.text(max_size=2000),
    }
)


@given(
    rejects=st.lists(REJECT, max_size=10),
    currencies=st.sets(st.sampled_from(sorted(CURRENCIES))),
    amount=st.integers(0, 10**18),
)
def test_the_json_is_at_most_four_kibibytes(rejects: list[Any], currencies: set[str], amount: int) -> None:
    money = {one: dict.fromkeys(("confirmed", "rejected", "review", "unknown"), amount) for one in currencies}
    text = summary(first_rejects=rejects, money=money).to_json()
    assert len(text.encode()) <= MAX_JSON_BYTES
    assert json.loads(text)["counts"] == {"confirmed": 1}


def test_a_small_summary_is_whole() -> None:
    rejects = [{"row_number": 2, "key": "k", "code": "c", "field": "f", "message": "m"}]
    value = summary(first_rejects=rejects, money={"eur": {"confirmed": 5}}).to_dict()
    assert (value["first_rejects"], value["money"], value["trimmed"]) == (rejects, {"eur": {"confirmed": 5}}, False)


def test_long_texts_and_paths_leave_room_for_the_counts() -> None:
    long = "/folder" * 400
    value = summary(stop_reason=long, extract=long, results_path=long, rejects_path=long, ledger=long)
    assert len(value.to_json().encode()) <= MAX_JSON_BYTES
    assert value.to_dict()["counts"] == {"confirmed": 1}
