"""What a person decides about payments, kept in the ledger as a run of its own. It has a time, and no name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from secrets import token_hex

from airflow_provider_payrecords.bulk.lines import STATES
from airflow_provider_payrecords.core.entry import Entry, Scope, Settlement
from airflow_provider_payrecords.ledger.store import LedgerStore, Run
from airflow_provider_payrecords.transport.clock import Clock


def new_word_id(kind: str, now: Clock) -> str:
    """Return the id of a run for a decision of *kind*, such as ``review``."""
    return f"{kind}-{now():%Y%m%dT%H%M%S}-{token_hex(4)}"


def keep_word(
    ledger: LedgerStore, scope: Scope, run_id: str, what: str, settlements: Sequence[Settlement], now: Clock
) -> list[Entry]:
    """
    Settle what was decided as the run *run_id*, and return the entries that it changed.

    Args:
        what: The decision in a word.
        settlements: Each with *run_id*.
    """
    ledger.start_run(Run(run_id, scope, f"{run_id.partition('-')[0]}: {what}", now()))
    settled = ledger.settle(scope, settlements, now())
    changed = [entry for entry in settled if entry.run_id == run_id]
    counts = dict(Counter(STATES[entry.state] for entry in changed))
    summary = {"status": "finished", "decision": what, "rows": len(changed), "counts": counts}
    ledger.finish_run(run_id, now(), summary)
    return changed
