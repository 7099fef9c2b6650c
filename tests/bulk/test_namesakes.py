"""An account under a new name does not report its payments a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_payrecords.bulk import RunOptions
from airflow_provider_payrecords.bulk.namesakes import refuse_namesakes
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.extract import ExtractMapping
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import Run
from airflow_provider_payrecords.transport.clock import utc_now
from tests.bulk.world import CANCELED, OLD_VERSION, World, payment, payments


def test_payments_of_a_renamed_account_are_not_sent_again(tmp_path: Path) -> None:
    world = World(tmp_path, account="acme")
    world.report(payments(3))
    world.account = "acme-eu"
    summary = world.report(payments(5)).summary
    assert (summary.status, summary.requests, summary.new) == ("stopped", 0, 0)
    assert summary.stop_reason is not None
    assert "3 of these rows" in summary.stop_reason
    assert "account=acme@127.0.0.1" in summary.stop_reason
    assert set(world.committed().values()) == {1}
    with pytest.raises(UsageError, match="account=acme@127.0.0.1"):
        world.report(payments(5), options=RunOptions(dry_run=True))
    world.account = "acme"
    assert world.report(payments(5)).summary.new == 2


def test_replay_is_stopped_only_for_what_it_would_send(tmp_path: Path) -> None:
    world = World(tmp_path, account="acme")
    rows = [payment(1), payment(2, **CANCELED)]
    world.stripe_version = OLD_VERSION
    assert world.report(rows).summary.counts == {"confirmed": 1, "rejected": 1}
    world.account = "acme-us"
    world.report(rows[1:])
    assert world.report([payment(1, description="ours")]).summary.new == 1
    world.stripe_version = World.stripe_version
    assert world.replay(rows, {"all": True}).summary.new == 1
    world.account = "acme"
    replayed = world.replay(rows, {"all": True}).summary
    assert (replayed.status, replayed.new) == ("stopped", 0)
    assert "1 of these rows, the first with key" in (replayed.stop_reason or "")


def test_another_account_reports_payments_of_its_own_from_the_same_source(tmp_path: Path) -> None:
    world = World(tmp_path, account="acme")
    world.report(payments(3))
    world.account = "acme-us"
    of_the_other = [payment(number, description="of the other account") for number in (1, 2)]
    assert world.report(of_the_other).summary.new == 2


def test_a_source_of_its_own_lets_two_accounts_report_the_same_rows(tmp_path: Path) -> None:
    world = World(tmp_path, account="acme")
    world.report(payments(2))
    world.account = "acme-us"
    assert world.report(payments(2), mapping=ExtractMapping.load({"source": "wires-us"})).summary.new == 2


@pytest.mark.parametrize(
    ("ours", "other", "looks"),
    [
        ("acme-eu", "acme", True),
        ("acct_1", "acme", True),
        ("acme", "acme", False),
        ("acct_1", "acct_2", False),  # Stripe's own names are no two names of one
        ("api.stripe.com", "acme@127.0.0.1", False),  # a rehearsal
        ("acme@127.0.0.1", "@127.0.0.1", True),
    ],
)
def test_only_names_that_may_be_of_one_account_are_compared(ours: str, other: str, looks: bool) -> None:
    asked: list[str] = []

    class Watched(MemoryLedger):
        def confirmed(self, scope: Scope, keys: object) -> list[object]:
            asked.append(scope.account)
            return []

    ledger = Watched()
    ledger.start_run(Run("r1", Scope(other, "live", "report_payment", "wires"), "x.csv", utc_now()))
    refuse_namesakes(ledger, Scope(ours, "live", "report_payment", "wires"))([])
    assert asked == ([other] if looks else [])
