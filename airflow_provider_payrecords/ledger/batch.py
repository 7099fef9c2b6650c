"""
The two rules of ``core.entry`` applied to a batch of rows, the same for every store.

A store fetches the known entries, calls one of these, and saves what is in the returned batch. No input or output here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from airflow_provider_payrecords.core.absence import settle_absent
from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker, consider, settle
from airflow_provider_payrecords.core.errors import LedgerError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.core.replay import settle_replay


class ClaimBatch(NamedTuple):
    """Decisions in the order of the intents, and the entries to save by key."""

    decisions: list[Decision]
    changed: dict[str, Entry]


class SettleBatch(NamedTuple):
    """Entries in the order of the settlements, as they stand after each, and the entries to save by key."""

    entries: list[Entry]
    changed: dict[str, Entry]


def claim_batch(
    known: Mapping[str, Entry], scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime
) -> ClaimBatch:
    """Decide *intents* in order. A key that comes twice meets what the first one left."""
    decisions: list[Decision] = []
    changed: dict[str, Entry] = {}
    for intent in intents:
        decision = consider(changed.get(intent.key) or known.get(intent.key), intent, scope, worker, now)
        decisions.append(decision)
        if decision.changed:
            changed[intent.key] = decision.entry
    return ClaimBatch(decisions, changed)


def outlived(known: Mapping[str, Entry], changed: Mapping[str, Entry]) -> list[Entry]:
    """
    Return those of *known* that are kept as history when *changed* takes their place.

    That is every one but an ordinary claim, settled by its own worker: no row of a run's first sends costs anything.
    """
    before = ((known.get(key), after) for key, after in changed.items())
    return [one for one, after in before if one is not None and not _is_ordinary(one, after)]


def _is_ordinary(before: Entry, after: Entry) -> bool:
    return before.state is State.CLAIMED and after.state is not State.CLAIMED


def undone(known: Mapping[str, Entry], before: Mapping[str, Entry], written: Mapping[str, Entry]) -> dict[str, Entry]:
    """
    Return *known* as it was before this very call wrote to it, for a call whose COMMIT was not answered.

    Only what is exactly as this call left it is undone: it was committed, and nothing has happened to it since.
    """
    as_before = {**known}
    for key, entry in written.items():
        if known.get(key) == entry:
            del as_before[key]
            as_before.update({key: before[key]} if key in before else {})
    return as_before


def settle_batch(known: Mapping[str, Entry], settlements: Sequence[Settlement], now: datetime) -> SettleBatch:
    """
    Apply *settlements* in order.

    Raises:
        LedgerError: A settled payment is not in the ledger: it was replaced or emptied while a worker was sending.
    """
    entries: list[Entry] = []
    changed: dict[str, Entry] = {}
    for settlement in settlements:
        before = changed.get(settlement.key) or known.get(settlement.key)
        if before is None:
            raise LedgerError(_missing(sum(one.key not in known for one in settlements)))
        rule = _WORDS.get(settlement.event, settle)
        after = rule(before, settlement, now)
        entries.append(after)
        if after is not before:
            changed[settlement.key] = after
    return SettleBatch(entries, changed)


_WORDS = {Event.ABSENT: settle_absent, Event.REPLAY: settle_replay}
"""What a person says of a payment. All other events are outcomes."""


def _missing(count: int) -> str:
    return (
        f"{count} sent payments are not in the ledger any more: it was replaced or emptied while they were being sent."
        " Their outcome cannot be saved. Put the ledger back, then run again; their idempotency keys protect them for"
        " 24 hours."
    )
