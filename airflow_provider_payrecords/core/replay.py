"""
A refused payment that somebody wants sent again, by whichever run has its row next.

A ledger has no rows, so asking sends nothing. The entry becomes planned and remembers that it was asked for: a run that
claims it replays it, with all that a replay is careful about.
"""

from __future__ import annotations

from datetime import datetime

from airflow_provider_payrecords.core.entry import Entry, Settlement
from airflow_provider_payrecords.core.lifecycle import TRANSITIONS, Event, step

REPLAY_ASKED = "replay_asked"
"""``error_code`` of an entry that was refused, and that somebody wants sent again. It stays while a run sends it."""


def is_asked_for(entry: Entry) -> bool:
    """Say whether somebody wants *entry* sent again, and no outcome of that is known yet."""
    return entry.error_code == REPLAY_ASKED


def settle_replay(entry: Entry, settlement: Settlement, now: datetime) -> Entry:
    """
    Return *entry* after somebody asked to send it again: planned, under the idempotency key it has.

    The same object comes back if it is no reject, or if it was refused under another idempotency key meanwhile.
    """
    if settlement.idempotency_key != entry.idempotency_key or (entry.state, Event.REPLAY) not in TRANSITIONS:
        return entry
    return entry._replace(
        state=step(entry.state, Event.REPLAY),
        error_code=REPLAY_ASKED,
        error_param=None,
        error_status=None,
        run_id=settlement.run_id or entry.run_id,
        updated_at=now,
    )
