"""
Rejects that somebody wants sent again, where the extract is not at hand: a page, or another machine.

Nothing is sent here. The next run that has their rows replays them; until then they are planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice

from airflow_provider_payrecords.bulk.lines import dotted
from airflow_provider_payrecords.bulk.word import keep_word, new_word_id
from airflow_provider_payrecords.core.entry import Entry, Settlement
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.store import BrowsableStore, Selection
from airflow_provider_payrecords.transport.clock import Clock, utc_now

MAX_ASKED = 10_000
"""Payments of one question. Asked again, it takes those that are left."""
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What came of asking.

    Attributes:
        keys: Payments that the next run will send, in the ledger's order.
        left: There are more rejects of that choice: ask again.
    """

    keys: list[str]
    left: bool


def ask_to_replay(
    ledger: BrowsableStore,
    selection: Selection,
    *,
    param: str | None = None,
    limit: int = MAX_ASKED,
    now: Clock = utc_now,
) -> Asked:
    """
    Let the next run that has their rows send the rejects of *selection* again. What is no reject stays as it is.

    Args:
        param: Only rejects for which the API blamed this field, as a dotted path.

    Raises:
        LedgerError: The ledger failed; those asked for before stay so.
    """
    rejects = rejects_of(ledger, selection, param)
    keys: list[str] = []
    for scope, group in groupby(islice(rejects, limit), key=lambda entry: entry.scope):
        while some := list(islice(group, _BATCH)):
            run_id = new_word_id("replay", now)
            settlements = [
                Settlement(one.key, one.idempotency_key, Event.REPLAY, request_id=one.request_id, run_id=run_id)
                for one in some
            ]
            keys += [entry.key for entry in keep_word(ledger, scope, run_id, "asked", settlements, now)]
    return Asked(keys, left=next(rejects, None) is not None)


def rejects_of(ledger: BrowsableStore, selection: Selection, param: str | None = None) -> Iterator[Entry]:
    """Yield the rejects of *selection*, a page at a time."""
    chosen, after = replace(selection, states=frozenset({State.REJECTED})), None
    while True:
        page = ledger.page(chosen, _BATCH, after)
        yield from (entry for entry in page.entries if param is None or dotted(entry.error_param) == param)
        if (after := page.after) is None:
            return
