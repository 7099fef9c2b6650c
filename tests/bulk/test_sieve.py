"""Rows that are confirmed as they are: told apart early, and told the same as a claim tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.bulk import plan_extract
from airflow_provider_payrecords.bulk.prepare import prepare, prepare_row
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.shape import Draft, command_of
from airflow_provider_payrecords.extract import ExtractMapping, Row, make_extract
from tests.bulk.world import MAPPING, World, payment, payments

SCOPE = Scope("acct_1", "test", "report_payment", "wires")


def read(rows: list[dict[str, Any]], mapping: ExtractMapping = MAPPING) -> list[Row]:
    with make_extract(rows).open(mapping) as opened:
        return [row for batch in opened.batches(100) for row in batch if isinstance(row, Row)]


@pytest.mark.parametrize("stamped", [True, False])
def test_a_row_from_a_draft_is_prepared_as_its_command_is(stamped: bool) -> None:
    rows = read([payment(number, description=f"é {number}%") for number in range(1, 5)])
    assert [isinstance(row.content, Draft) for row in rows] == [False, True, True, True]
    for order, row in enumerate(rows):
        one = prepare_row(row, SCOPE, stamped=stamped, replay=True, order=order)
        assert one._replace(content=command_of(one.content)) == prepare(
            row.command, SCOPE, row.key, stamped=stamped, replay=True, order=order, row_number=row.number
        )


def test_a_row_whose_metadata_is_full_is_refused_from_a_draft_too() -> None:
    full = {f"metadata.m{number}": "x" for number in range(49)}
    for row in read([payment(1, **full), payment(2, **full)]):
        with pytest.raises(CommandError, match="50 entries"):
            prepare_row(row, SCOPE, stamped=True)


def test_confirmed_rows_are_not_claimed_and_leave_the_ledger_as_it_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.report(payments(30))
    before = world.entries()
    world.later(hours=48)
    results = tmp_path / "second.jsonl"
    summary = world.report(payments(31), results=results).summary
    assert (summary.counts, summary.new, summary.requests) == ({"confirmed": 31}, 1, 1)
    assert summary.money == {"eur": {"confirmed": sum(range(1, 32)) * 100}}
    after = world.entries()
    assert {key: after[key] for key in before} == before
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [line["row_number"] for line in lines] == list(range(1, 32))
    for line in lines:
        entry = after[line["key"]]
        told = {name: line[name] for name in ("source", "payment_record", "idempotency_key", "request_id")}
        assert told == {
            "source": "wires",
            "payment_record": entry.payment_record,
            "idempotency_key": entry.idempotency_key,
            "request_id": entry.request_id,
        }


def test_a_mapping_that_changed_is_explained_row_by_row_and_nothing_is_sent(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.report(payments(5))
    changed = [payment(number, **{"metadata.batch": "b"}) for number in range(1, 6)]
    results = tmp_path / "plan.jsonl"
    with world.ledger() as store:
        plan = plan_extract(make_extract(changed), MAPPING, settings=world.settings(), ledger=store, results=results)
    assert plan.counts == {"review": 5}
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert {(line["state"], line["error_code"]) for line in lines} == {("review", "content_changed")}
    assert all("content differs from what was sent under this key" in line["error_message"] for line in lines)
    assert {entry.state for entry in world.entries().values()} == {State.CONFIRMED}
    summary = world.report(changed).summary
    assert (summary.counts, summary.requests, summary.exit_code) == ({"review": 5}, 0, 1)
    assert set(world.committed().values()) == {1}
    assert world.report(payments(5)).summary.counts == {"confirmed": 5}  # the old mapping again: all is well
