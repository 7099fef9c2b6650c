"""What a run does with good rows, bad rows, known rows and changed rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_provider_payrecords.bulk import RunOptions
from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.core.lifecycle import State
from tests.bulk.world import FAST, World, payment, payments


def lines_of(path: Path) -> list[dict[str, object]]:
    """Read a results file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_good_row_is_committed_once_and_its_id_is_given_in_row_order(world: World) -> None:
    report = world.report(payments(25))
    assert report.summary.counts == {"confirmed": 25}
    assert report.summary.new == report.summary.requests == 25
    assert set(world.committed().values()) == {1}
    by_key = {record["metadata"]["payrecords_key"]: record["id"] for record in world.sandbox.records()}
    assert report.record_ids == [by_key[f"W{number:04}"] for number in range(1, 26)]


def test_a_second_run_sends_nothing_and_gives_the_same_ids(world: World) -> None:
    first = world.report(payments(10))
    second = world.report(payments(10))
    assert second.record_ids == first.record_ids
    assert (second.summary.requests, second.summary.new, second.summary.counts) == (0, 0, {"confirmed": 10})
    assert second.summary.exit_code == 0


def test_a_bad_row_is_rejected_with_number_field_and_reason_and_the_others_go_on(world: World, tmp_path: Path) -> None:
    rows = [payment(1), payment(2, **{"amount_requested.value": 12.5}), payment(3)]
    results = tmp_path / "r.jsonl"
    summary = world.report(rows, results=results).summary
    assert summary.counts == {"confirmed": 2, "rejected": 1}
    assert summary.exit_code == 1
    first, second, third = lines_of(results)
    assert (first["state"], third["state"]) == ("confirmed", "confirmed")
    assert (second["row_number"], second["error_code"], second["error_param"]) == (
        2,
        "float_amount",
        "amount_requested.value",
    )
    assert summary.first_rejects[0]["row_number"] == 2
    assert lines_of(tmp_path / "r.rejects.jsonl") == [second]


def test_what_the_api_refuses_is_rejected_and_not_sent_again_until_it_changes(world: World) -> None:
    world.stripe_version = "2026-08-26.dahlia"  # knows no canceled payments
    rows = [payment(1), payment(2, outcome="canceled", **{"canceled.canceled_at": 1_793_610_100})]
    first = world.report(rows).summary
    assert first.counts == {"confirmed": 1, "rejected": 1}
    again = world.report(rows).summary
    assert (again.requests, again.counts) == (0, {"confirmed": 1, "rejected": 1})
    mended = world.report([payment(1), payment(2)]).summary
    assert (mended.requests, mended.counts) == (1, {"confirmed": 2})


def test_a_confirmed_row_that_changed_goes_to_review_and_is_not_sent(world: World) -> None:
    world.report(payments(3))
    changed = world.report([payment(1), payment(2, **{"amount_requested.value": 999}), payment(3)]).summary
    assert (changed.requests, changed.counts) == (0, {"confirmed": 2, "review": 1})
    assert world.entries()["W0002"].state is State.REVIEW
    restored = world.report(payments(3)).summary
    assert (restored.requests, restored.counts) == (0, {"confirmed": 3})


def test_a_repeated_key_is_sent_once(world: World) -> None:
    summary = world.report([payment(1), payment(2), payment(1), payment(2, description="other")]).summary
    assert summary.counts == {"confirmed": 2, "rejected": 2}
    assert [reject["code"] for reject in summary.first_rejects] == ["duplicate_key"] * 2
    assert set(world.committed().values()) == {1}


def test_counts_and_money_add_up(world: World) -> None:
    rows = [*payments(4), payment(5, **{"amount_requested.currency": "jpy"}), payment(6, outcome="paid")]
    summary = world.report(rows).summary
    assert sum(summary.counts.values()) == summary.rows == 6
    assert summary.money == {"eur": {"confirmed": 1000}, "jpy": {"confirmed": 500}}


def test_a_dry_run_says_what_would_be_sent_and_changes_nothing(world: World) -> None:
    world.report(payments(2))
    before = world.entries()
    dry = world.report([*payments(4), payment(2, description="changed")], options=RunOptions(dry_run=True)).summary
    assert dry.counts == {"confirmed": 2, "new": 2, "rejected": 1}
    assert (dry.dry_run, dry.requests, world.entries()) == (True, 0, before)
    assert sum(world.committed().values()) == 2


def test_the_stamps_name_the_payment_and_can_be_turned_off(world: World) -> None:
    world.report([payment(1)])
    plain = FAST.model_copy(update={"stamp_metadata": False})
    world.report([payment(1), payment(2)], options=plain)
    stamped = [record["metadata"] for record in world.sandbox.records()]
    assert sorted(stamped, key=len) == [{}, {"payrecords_key": "W0001", "payrecords_source": "wires"}]


def test_two_sources_with_one_key_are_two_payments(world: World) -> None:
    world.report([payment(1)])
    from airflow_provider_payrecords.extract import ExtractMapping

    world.report([payment(1)], mapping=ExtractMapping.load({"source": "cheques"}))
    assert len(world.sandbox.records()) == 2


def test_every_row_before_an_extract_breaks_off_is_sent(world: World) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from payments(20)
        raise ExtractError("the bank's server is away")

    summary = world.report(rows()).summary
    assert (summary.counts, summary.stop_reason) == ({"confirmed": 20}, "the bank's server is away")
    assert len(world.committed()) == 20


def test_progress_is_told_to_the_last_row(world: World) -> None:
    seen = []
    world.report(payments(5), on_progress=seen.append)
    assert seen[-1].rows_done == 5
    assert seen[-1].requests == 5
