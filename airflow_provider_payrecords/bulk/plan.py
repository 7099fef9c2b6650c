"""What would happen, by the ledger's state. Sends nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_payrecords.bulk.engine import Item
from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.bulk.lines import explain, line_of, problem_line
from airflow_provider_payrecords.bulk.prepare import Prepared
from airflow_provider_payrecords.bulk.results import Results
from airflow_provider_payrecords.bulk.summary import PLAN_STATES, REJECTED, Tally
from airflow_provider_payrecords.core.entry import Action, Decision, consider
from airflow_provider_payrecords.extract import RowProblem


def plan_rows(batches: Iterable[Sequence[Item]], access: LedgerAccess, results: Results, tally: Tally) -> None:
    """Ask the ledger what it would decide for every row, and write that as the row's result."""
    for batch in batches:
        rows = [item for _, item in batch if isinstance(item, Prepared)]
        known = access.store.look_up(access.scope, [row.intent.key for row in rows])
        for order, item in batch:
            if isinstance(item, RowProblem):
                tally.add(REJECTED, None, None)
                results.write(order, problem_line(item, access.scope.source))
                continue
            entry = known.get(item.intent.key)
            decision = consider(entry, item.intent, access.scope, access.worker, access.now())
            _write(item, decision, results, tally)


def _write(row: Prepared, decision: Decision, results: Results, tally: Tally) -> None:
    state = PLAN_STATES[decision.action]
    tally.add(state, row.intent.amount_minor, row.intent.currency)
    line = line_of(row, decision.entry, None)
    message = None
    if decision.action not in (Action.SEND, Action.DONE):
        message = explain(state, decision.entry, None)
    results.write(row.order, line._replace(state=state, error_message=message))
