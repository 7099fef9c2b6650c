"""
What is reported already, told apart before anything is prepared or claimed.

A row whose entry is confirmed with the content it has needs no claim, no request and no transaction: the claim would
say ``DONE`` and change nothing. Most rows of a second run are such.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.bulk.lines import confirmed_line
from airflow_provider_payrecords.bulk.results import Results
from airflow_provider_payrecords.bulk.summary import CONFIRMED, Tally
from airflow_provider_payrecords.extract import Row, RowProblem

Placed = tuple[int, Row | RowProblem]
"""A row with its position in the extract, counted from 0."""


def sift(rows: Sequence[Placed], access: LedgerAccess, results: Results, tally: Tally) -> list[Placed]:
    """Write the results of those *rows* that are confirmed as they are, and return the others."""
    keys = [row.key for _, row in rows if isinstance(row, Row)]
    known = {entry.key: entry for entry in access.store.confirmed(access.scope, keys)} if keys else {}
    if not known:
        return list(rows)
    left, source = [], access.scope.source
    for place, row in rows:
        entry = known.get(row.key) if isinstance(row, Row) else None
        if entry is None or not isinstance(row, Row) or entry.fingerprint != row.fingerprint:
            left.append((place, row))
            continue
        tally.add(CONFIRMED, *row.money)
        results.write(place, confirmed_line(row.number, source, entry))
    return left
