"""Rows that another worker holds: looked at again, never dropped, never taken for confirmed with other content."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_payrecords.bulk.prepare import prepare
from airflow_provider_payrecords.core.entry import Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.lifecycle import Event
from airflow_provider_payrecords.extract import Row, make_extract
from airflow_provider_payrecords.ledger.store import LedgerStore
from tests.bulk.world import FAST, MAPPING, World, payment, payments

OTHER = Worker(owner="elsewhere:1:other", run_id="run-other", lease_seconds=300)


class Rival:
    """Another worker that claims rows before the run does, and settles them once during it."""

    def __init__(self, world: World, store: LedgerStore, rows: list[dict[str, object]], event: Event) -> None:
        settings = world.settings()
        self.scope = Scope(settings.account_scope, settings.mode, "report_payment", "wires")
        self.world, self.store, self.event = world, store, event
        self.intents = self._intents(rows)
        store.claim(self.scope, self.intents, OTHER, world.instant)

    def _intents(self, rows: list[dict[str, object]]) -> list[Intent]:
        with make_extract(rows).open(MAPPING) as opened:
            read = [row for batch in opened.batches(100) for row in batch if isinstance(row, Row)]
        return [prepare(row.command, self.scope, row.key, stamped=True).intent for row in read]

    def settle(self, _progress: object) -> None:
        """Settle what was claimed, once."""
        intents, self.intents = self.intents, []
        record = "pr_other" if self.event is Event.ACCEPTED else None
        outcomes = [Settlement(one.key, one.idempotency_key, self.event, payment_record=record) for one in intents]
        self.store.settle(self.scope, outcomes, self.world.instant)


def test_a_canary_that_is_spent_on_released_rows_stops_the_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.ledger() as store:
        rival = Rival(world, store, payments(4), Event.NOT_SENT)
        canary = FAST.model_copy(update={"canary": 3})
        summary = world.report(payments(5), options=canary, ledger=store, on_progress=rival.settle).summary
    assert (summary.status, summary.by_rule, summary.exit_code) == ("stopped", True, 3)
    assert (summary.counts, summary.requests) == ({"confirmed": 3}, 3)


def test_a_held_row_that_is_confirmed_with_other_content_is_not_confirmed(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.ledger() as store:
        rival = Rival(world, store, [payment(1, **{"amount_requested.value": 777})], Event.ACCEPTED)
        summary = world.report(payments(1), ledger=store, on_progress=rival.settle, should_stop=lambda: True).summary
    assert (summary.status, summary.counts, summary.requests) == ("stopped", {"review": 1}, 0)


def test_a_stop_while_rows_are_held_leaves_them_in_the_results(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.ledger() as store:
        Rival(world, store, payments(2), Event.NOT_SENT)
        summary = world.report(payments(3), ledger=store, should_stop=lambda: True).summary
    assert sum(summary.counts.values()) == 3
    assert summary.counts["held"] == 2
