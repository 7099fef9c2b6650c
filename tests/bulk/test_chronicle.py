"""What a run tells its ledger while it goes on, and that nothing depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.bulk import RunOptions
from airflow_provider_payrecords.bulk.chronicle import (
    MAX_FIRST_ROWS,
    MAX_REASONS,
    MAX_TEXT,
    OTHER_REASONS,
    Chronicle,
    Reasons,
    interval,
)
from airflow_provider_payrecords.bulk.machine import Machine
from airflow_provider_payrecords.bulk.results import Line
from airflow_provider_payrecords.bulk.run import ExtractRun
from airflow_provider_payrecords.bulk.summary import Progress, Tally
from airflow_provider_payrecords.core.errors import LedgerUnavailableError
from airflow_provider_payrecords.extract import make_extract
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import RunProgress, RunReason
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.sandbox.config import RateLimits, SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from airflow_provider_payrecords.settings import Settings
from tests.bulk.virtual_loop import START, VirtualLoop
from tests.bulk.world import KEY, MAPPING, World, payment, payments

EMAIL = "jane.canary@example.com"


def line(row_number: int, state: str = "rejected", code: str | None = "a", param: str | None = None) -> Line:
    return Line(row_number, "s", "k", state, error_code=code, error_param=param)


def added(*lines: Line) -> Reasons:
    reasons = Reasons()
    for one in lines:
        reasons.add(one)
    return reasons


def test_rows_are_grouped_by_state_code_and_field() -> None:
    reasons = added(line(1), line(2, code="b", param="x.y"), line(3), line(4, state="review"), line(5, code=None))
    assert reasons.changed("r") == [
        RunReason("r", "rejected", "a", None, 2, (1, 3)),
        RunReason("r", "rejected", "b", "x.y", 1, (2,)),
        RunReason("r", "review", "a", None, 1, (4,)),
        RunReason("r", "rejected", None, None, 1, (5,)),
    ]


def test_a_confirmed_row_has_no_reason() -> None:
    assert added(line(1, state="confirmed", code=None)).changed("r") == []


def test_only_what_grew_is_saved_again() -> None:
    reasons = added(line(1), line(2, code="b"))
    reasons.saved()
    assert reasons.changed("r") == []
    reasons.add(line(3, code="b"))
    assert reasons.changed("r") == [RunReason("r", "rejected", "b", None, 2, (2, 3))]


def test_a_million_rows_and_reasons_stay_small() -> None:
    reasons = added(*(line(number, code=f"code-{number % 300}") for number in range(100_000)))
    kept = reasons.changed("r")
    assert len(kept) == MAX_REASONS + 1
    assert max(len(one.first_rows) for one in kept) == MAX_FIRST_ROWS
    assert sum(one.rows for one in kept) == 100_000
    assert [one.rows for one in kept if one.code == OTHER_REASONS] == [100_000 - sum(one.rows for one in kept[:-1])]


@pytest.mark.parametrize("text", ["x" * 10_000, "a\0b", "\ud800"])
def test_a_code_that_no_database_takes_is_kept_as_one_that_it_does(text: str) -> None:
    [reason] = added(line(1, code=text, param=text)).changed("r")
    for said in (reason.code, reason.param):
        assert said is not None
        assert len(said.encode()) <= MAX_TEXT
        assert "\0" not in said


@pytest.mark.parametrize(("hours", "most"), [(0.25, 350), (1, 500), (24, 800), (24 * 30, 1_200)])
def test_a_run_of_any_length_leaves_some_hundred_lines(hours: float, most: int) -> None:
    elapsed, lines = 0.0, 0
    while elapsed < hours * 3600:
        elapsed += interval(elapsed)
        lines += 1
    assert 100 < lines < most


class Sulking(MemoryLedger):
    """A ledger that takes no progress for some times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.asked: list[tuple[float, bool]] = []
        self.clock = 0.0

    def save_progress(self, progress: RunProgress, reasons: Any, *, wait: bool = False) -> None:
        self.asked.append((self.clock, wait))
        if len(self.asked) <= self.times:
            raise LedgerUnavailableError("database is locked")
        super().save_progress(progress, reasons, wait=wait)


def tell(ledger: Sulking, seconds: int, reasons: Reasons) -> Chronicle:
    chronicle = Chronicle(ledger, "r", Tally(), reasons, lambda: START, lambda: ledger.clock)
    for tick in range(seconds * 10):
        ledger.clock = tick / 10
        chronicle.tell(Progress(rows_done=0, total_rows=None, counts={}, requests=0, rate=1.0))
    return chronicle


def test_a_ledger_that_cannot_is_asked_less_and_less_often_and_gets_all_reasons_in_the_end() -> None:
    ledger = Sulking(times=4)
    tell(ledger, 40, added(line(1), line(2)))
    assert [when for when, _ in ledger.asked][:5] == [1.0, 3.0, 7.0, 15.0, 31.0]
    assert not any(wait for _, wait in ledger.asked)
    assert [reason.rows for reason in ledger.reasons("r")] == [2]


def test_a_ledger_that_never_can_is_asked_once_a_minute() -> None:
    ledger = Sulking(times=10_000)
    tell(ledger, 600, added(line(1)))
    assert len(ledger.asked) < 16


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_a_run_tells_every_second_how_far_it_is_and_at_last_what_its_summary_says(
    loop: VirtualLoop, tmp_path: Path
) -> None:
    fault = Fault(kind=FaultKind.RATE_LIMIT, skip=50, times=3)
    sandbox = Sandbox(
        SandboxConfig(rate_limits=RateLimits(test=100, endpoint=100), faults=(fault,)),
        clock=lambda: loop.now().timestamp(),
    )
    settings = Settings.model_validate({"api_key": KEY, "api_base": "http://127.0.0.1:1"})
    machine = Machine(network=SandboxTransport(sandbox), now=loop.now, clock=loop.time, started_by={"command": "it"})
    options = RunOptions(rate_limit=50)
    with closing(open_ledger(tmp_path / "ledger.db")) as ledger:
        extract = make_extract(payments(300))
        run = ExtractRun(extract, MAPPING, settings, ledger, options, None, None, 0, machine)
        summary = loop.run_until_complete(run.report(lambda: False, lambda _: None)).summary
        told = ledger.progress(summary.run_id)
        [kept] = ledger.runs()
    assert kept.started_by == {"command": "it"}
    assert len(told) >= 5
    done = [one.counts.get("confirmed", 0) for one in told]
    assert done == sorted(done)
    assert 0 < done[0] < 300
    assert min((later.at - one.at).total_seconds() for one, later in pairwise(told[:-1])) >= 1
    last = told[-1]
    assert (last.counts, last.money, last.requests) == (summary.counts, summary.money, summary.requests)
    assert (last.throttled, last.total_rows) == (3, 300)


def test_why_rows_did_not_go_is_told_by_their_numbers_and_never_by_what_is_in_them(tmp_path: Path) -> None:
    rows = payments(6)
    rows[1]["amount_requested.currency"] = EMAIL
    rows[3]["customer_details.email"] = EMAIL
    rows[4]["amount_requested.currency"] = EMAIL
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=(Fault(kind=FaultKind.DROP_AFTER),)))
    summary = world.report(rows).summary
    with closing(open_ledger(tmp_path / "ledger.db")) as ledger:
        reasons = ledger.reasons(summary.run_id)
        rejected = [one for one in reasons if one.state == "rejected"]
    assert sum(one.rows for one in reasons) == summary.rows - summary.counts["confirmed"]
    assert (rejected[0].rows, rejected[0].first_rows) == (2, (2, 5))
    assert rejected[0].param == "amount_requested.currency"
    assert EMAIL.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))


def test_a_replay_tells_of_the_rows_that_it_answers_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.report(payments(1))
    summary = world.replay([payment(1), payment(2, **{"amount_requested.currency": "nope"})], {"rows": [1, 2]}).summary
    with closing(open_ledger(tmp_path / "ledger.db")) as ledger:
        assert [(one.state, one.first_rows) for one in ledger.reasons(summary.run_id)] == [("rejected", (2,))]


class Refusing:
    """A ledger that takes everything but progress."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[bool] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save_progress(self, *_: Any, wait: bool = False) -> None:
        self.asked.append(wait)
        raise LedgerUnavailableError("disk is full")


def test_a_run_whose_progress_cannot_be_written_ends_as_any_other(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.ledger() as store:
        refusing: Any = Refusing(store)
        summary = world.report(payments(5), ledger=refusing).summary
        [run] = store.runs()
    assert (summary.status, summary.counts) == ("finished", {"confirmed": 5})
    assert run.summary is not None
    assert refusing.asked == [True]


def failing_to_settle(*_: Any) -> None:
    raise LedgerUnavailableError("the disk is gone")


def test_progress_that_fails_hides_no_error_and_waits_for_no_ledger_that_failed(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.ledger() as store:
        refusing: Any = Refusing(store)
        refusing.settle = failing_to_settle
        with pytest.raises(LedgerUnavailableError, match="the disk is gone"):
            world.report(payments(5), ledger=refusing)
    assert refusing.asked == [False]
