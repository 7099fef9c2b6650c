"""Extract, ledger and API compared: what agrees, what is missing, extra or different, and what could not be checked."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.bulk import Reconciliation
from airflow_provider_payrecords.bulk.comparison import FIELDS
from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import ReportPaymentAttemptCanceled
from airflow_provider_payrecords.core.errors import ResultsError, UsageError
from airflow_provider_payrecords.extract import ExtractMapping
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.test_replay import GUARANTEED, REFUNDS, refund
from tests.bulk.test_review import made_by_hand, recorded_but_lost, without_list
from tests.bulk.world import FAST, World, payment, payments

OTHER = ExtractMapping.load({"source": "cheques"})


def findings(path: Path) -> dict[str | None, tuple[str, str | None]]:
    """Return finding and differences by key."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert all(tuple(line) == FIELDS for line in lines)
    return {line["key"]: (line["finding"], line["differences"]) for line in lines}


def cancel(world: World, record: str) -> None:
    """Cancel the attempt of *record*."""
    with PayRecordsClient(world.settings(), network=SandboxTransport(world.sandbox)) as client:
        client.send(ReportPaymentAttemptCanceled(payment_record=record, canceled_at=1_793_620_000))


def test_what_was_reported_agrees_and_the_sums_are_equal(world: World) -> None:
    rows = [*payments(250), payment(251, **{"amount_requested.currency": "jpy"})]
    world.report(rows, mapping=OTHER)  # of another source, at the same time: no business of this comparison
    world.report(rows)
    summary = world.reconcile(rows)
    assert (summary.counts, summary.exit_code, summary.listed) == ({"agrees": 251}, 0, 502)
    assert summary.money == {
        "eur": {"extract": 3_137_500, "ledger": 3_137_500, "stripe": 3_137_500, "difference": 0},
        "jpy": {"extract": 25_100, "ledger": 25_100, "stripe": 25_100, "difference": 0},
    }
    assert len(json.dumps(summary.to_dict()).encode()) <= 4096


def test_nothing_is_sent_and_no_entry_changes(world: World) -> None:
    world.report(payments(3))
    before = world.entries()
    summary = world.reconcile([*payments(4), payment(2, description="changed")])
    assert world.entries() == before
    assert len(world.sandbox.records()) == 3
    assert summary.requests == 1


def test_each_kind_of_difference_is_found(world: World, tmp_path: Path) -> None:
    world.report([*payments(6), payment(7, **GUARANTEED)])
    extra_of = world.report([payment(8)]).record_ids[0]
    cancel(world, world.entries()["W0003"].payment_record or "")
    twice = made_by_hand(world, payrecords_key="W0001", payrecords_source="wires")
    rows = [
        payment(1),
        payment(2, **{"amount_requested.value": 201}),
        payment(3, **GUARANTEED),
        payment(4, description="other words"),
        payment(5),
        payment(6, **{"amount_requested.currency": "usd"}),
        payment(7, **GUARANTEED),
        payment(9),
        payment(10, **{"amount_requested.value": 1.5}),
    ]
    results = tmp_path / "found.jsonl"
    summary = world.reconcile(rows, results=results)
    assert findings(results) == {
        "W0001": ("duplicate", None),
        "W0002": ("different", "amount content"),
        "W0003": ("different", "state content"),
        "W0004": ("different", "content"),
        "W0005": ("agrees", None),
        "W0006": ("different", "currency content"),
        "W0007": ("agrees", None),
        "W0008": ("extra", None),
        "W0009": ("missing", None),
        "W0010": ("invalid", None),
    }
    assert (summary.exit_code, summary.differences) == (1, 8)
    assert summary.first_findings[0]["message"] == f"It is recorded by {twice} as well. Undo all but one."
    assert [one["row_number"] for one in summary.first_findings] == [1, 2, 3, 4, 6, 8, 9, None]
    assert summary.money["eur"]["difference"] == 100 - 1 + 800 - 900 + 600
    assert extra_of in results.read_text("utf-8")


def test_a_record_that_was_undone_is_no_duplicate(world: World) -> None:
    world.report(payments(1))
    cancel(world, made_by_hand(world, payrecords_key="W0001", payrecords_source="wires"))
    assert world.reconcile(payments(1)).counts == {"agrees": 1}


def test_what_the_ledger_does_not_know_yet_is_a_difference(tmp_path: Path) -> None:
    world = recorded_but_lost(tmp_path)
    world.sandbox.faults.clear()
    summary = world.reconcile(payments(1))
    assert (summary.counts, summary.exit_code) == ({"different": 1}, 1)
    assert summary.first_findings[0]["differences"] == "ledger"


def test_a_record_that_the_list_does_not_show_is_asked_for_before_it_is_called_missing(world: World) -> None:
    world.report(payments(3))
    narrow = {"created_after": datetime(2020, 1, 1, tzinfo=timezone.utc)}
    narrow["created_before"] = datetime(2020, 1, 2, tzinfo=timezone.utc)
    summary = world.reconcile(payments(3), options=narrow)
    assert (summary.counts, summary.listed, summary.requests) == ({"agrees": 3}, 0, 4)


def test_a_record_that_is_gone_is_missing(world: World) -> None:
    world.report(payments(2))
    world.sandbox.reset()
    summary = world.reconcile(payments(2))
    assert (summary.counts, summary.exit_code) == ({"missing": 2}, 1)
    assert "Stripe does not have" in summary.first_findings[0]["message"]
    assert summary.money["eur"] == {"extract": 300, "ledger": 300, "stripe": 0, "difference": -300}


@pytest.mark.parametrize("status", [403, 404])
def test_without_a_list_it_is_not_finished_and_what_was_checked_one_by_one_only_if_asked_for(
    world: World, status: int
) -> None:
    world.report(payments(3))
    network = without_list(status)(world.sandbox)
    refused = world.reconcile(payments(3), network=network)
    assert (refused.exit_code, refused.status, refused.fatal) == (3, "stopped", True)
    assert (refused.counts, refused.extras_checked) == ({"not_checked": 3}, False)
    asked = world.reconcile([*payments(3), payment(4)], network=network, options={"without_list": True})
    assert (asked.counts, asked.extras_checked, asked.exit_code) == ({"agrees": 3, "missing": 1}, False, 1)
    assert world.reconcile(payments(3), network=network, options={"without_list": True}).exit_code == 0


def test_without_a_list_what_may_be_recorded_is_not_called_missing(tmp_path: Path) -> None:
    world = recorded_but_lost(tmp_path)
    summary = world.reconcile(payments(1), options={"without_list": True})
    assert (summary.counts, summary.exit_code) == ({"not_checked": 1}, 3)


def test_records_beyond_the_bound_are_not_checked(world: World) -> None:
    world.report(payments(5))
    summary = world.reconcile(payments(5), options={"without_list": True, "max_lookups": 2, "concurrency": 2})
    assert (summary.counts, summary.requests, summary.exit_code) == ({"agrees": 2, "not_checked": 3}, 2, 3)


def test_an_outage_in_the_middle_of_the_list_is_said_and_nothing_is_concluded(tmp_path: Path) -> None:
    fault = Fault(kind=FaultKind.UNAVAILABLE, times=99, skip=1, endpoint="list_payment_records")
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=(fault,)))
    world.report(payments(150))
    summary = world.reconcile([*payments(150), payment(151)])
    assert (summary.status, summary.fatal, summary.exit_code) == ("stopped", False, 3)
    assert summary.counts == {"agrees": 100, "not_checked": 50, "missing": 1}
    assert summary.first_findings[0]["message"] == "Its record could not be asked for. Compare again."


def test_a_comparison_that_is_stopped_is_not_finished(world: World) -> None:
    world.report(payments(2))
    summary = world.reconcile(payments(2), should_stop=lambda: True)
    assert (summary.status, summary.fatal, summary.exit_code, summary.requests) == ("stopped", False, 3, 0)


def test_records_of_other_extracts_are_extra_unless_the_extract_is_a_part_of_its_source(world: World) -> None:
    world.report(payments(4))
    whole = world.reconcile(payments(3))
    assert (whole.counts, whole.exit_code) == ({"agrees": 3, "extra": 1}, 1)
    assert "from another extract" in whole.first_findings[0]["message"]
    part = world.reconcile(payments(3), options={"partial": True})
    assert (part.counts, part.exit_code) == ({"agrees": 3}, 0)
    made_by_hand(world, payrecords_key="W0099", payrecords_source="wires")
    assert world.reconcile(payments(3), options={"partial": True}).counts == {"agrees": 3, "extra": 1}


def test_yesterday_s_records_are_not_today_s_extra(world: World) -> None:
    world.report(payments(2))
    world.later(hours=24)
    world.report([payment(3), payment(4)])
    assert world.reconcile([payment(3), payment(4)]).counts == {"agrees": 2}


def test_records_without_our_metadata_are_known_by_the_ledger_s_id(world: World) -> None:
    world.report(payments(2), options=FAST.model_copy(update={"stamp_metadata": False}))
    assert world.reconcile(payments(2)).counts == {"agrees": 2}


def test_money_that_went_on_is_no_difference(world: World) -> None:
    rows = [payment(1), payment(2, **GUARANTEED)]
    ids = world.report(rows).record_ids
    guarantee_first = [{"payment_record": ids[0], "guaranteed_at": 1_793_615_000}]
    life = ExtractMapping.load(
        {"source": "life", "endpoint": "report_payment_attempt_guaranteed", "key": "payment_record"}
    )
    world.report(guarantee_first, mapping=life)
    world.report([refund(record, number) for number, record in enumerate(ids)], mapping=REFUNDS)
    assert world.reconcile(rows).counts == {"agrees": 2}


def test_a_lost_ledger_needs_a_time_and_then_what_is_recorded_is_found(world: World, tmp_path: Path) -> None:
    world.report(payments(2))
    for file in tmp_path.glob("ledger.db*"):
        file.unlink()
    with pytest.raises(UsageError, match="created_after"):
        world.reconcile(payments(2))
    summary = world.reconcile(payments(2), options={"created_after": datetime(2026, 11, 1, tzinfo=timezone.utc)})
    assert (summary.counts, summary.exit_code) == ({"different": 2}, 1)
    assert summary.first_findings[0]["differences"] == "ledger"


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.parquet", "new/folder/out.jsonl"])
def test_results_are_written_by_their_suffix(world: World, tmp_path: Path, name: str) -> None:
    world.report(payments(2))
    path = tmp_path / name
    assert world.reconcile([*payments(2), payment(3)], results=path).results_path == str(path)
    assert path.stat().st_size > 0
    if name == "out.csv":
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        assert [row["finding"] for row in rows] == ["agrees", "agrees", "missing"]
    if name == "out.json":
        assert [line["finding"] for line in json.loads(path.read_text("utf-8"))] == ["agrees", "agrees", "missing"]


@pytest.mark.parametrize("name", ["extract.csv", "extract.jsonl", "extract.json"])
def test_a_file_of_something_else_is_not_replaced_and_one_of_ours_is(world: World, tmp_path: Path, name: str) -> None:
    world.report(payments(1))
    path = tmp_path / name
    path.write_text("key,amount\nW0001,1\n", "utf-8")
    with pytest.raises(UsageError, match="no comparison of ours"):
        world.reconcile(payments(1), results=path)
    assert path.read_text("utf-8") == "key,amount\nW0001,1\n"
    path.unlink()
    for _ in range(2):
        world.reconcile(payments(1), results=path)
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_a_summary_of_long_texts_stays_small(world: World) -> None:
    rows = [payment(number, **{"amount_requested.currency": "x" * 400}) for number in range(1, 30)]
    value = world.reconcile(rows, options={"without_list": True}).to_dict()
    assert len(json.dumps(value, ensure_ascii=False).encode()) <= 4096
    assert value["counts"] == {"invalid": 29}


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"results": "out.xlsx"}, UsageError, "end its name"),
        ({"results": "."}, UsageError, "end its name"),
        ({"mapping": REFUNDS}, UsageError, "Only payments"),
        ({"results": "/dev/null/out.csv"}, ResultsError, "cannot be written"),
        (
            {"options": {"created_after": datetime(2027, 1, 1, tzinfo=timezone.utc)}},
            UsageError,
            "must lie before created_before",
        ),
    ],
)
def test_what_cannot_work_is_explained(world: World, more: dict[str, Any], error: type[Exception], said: str) -> None:
    world.report(payments(1))
    with pytest.raises(error, match=said):
        world.reconcile(payments(1), **more)


def test_no_customer_s_data_is_in_the_results(world: World, tmp_path: Path) -> None:
    rows = [payment(1, **{"customer_details.email": "anna@example.com", "description": "for Anna"})]
    world.report(rows)
    path = tmp_path / "out.jsonl"
    summary = world.reconcile([*rows, payment(2, description="for Anna")], results=path)
    assert isinstance(summary, Reconciliation)
    text = path.read_text("utf-8") + json.dumps(summary.to_dict())
    assert "anna" not in text.lower()
