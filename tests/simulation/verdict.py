"""When all was well for long enough: is every payment confirmed, refused, or in review for a reason the world gave?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_provider_payrecords.core.entry import CONTENT_CHANGED, KEY_EXPIRED, Entry
from airflow_provider_payrecords.core.flows import STORED_FAILURE
from airflow_provider_payrecords.core.lifecycle import State
from tests.simulation.extract import Payment
from tests.simulation.process import Process
from tests.simulation.scenario import Scenario
from tests.simulation.server import REFUSED_AMOUNT, Record, Server

KEY_LIVES = 22 * 3600.0
"""A key that is younger than this is never called expired, by whatever clock."""


def forgotten(
    scenario: Scenario, entries: Mapping[str, Entry], server: Server, last: Process, now: float
) -> Iterator[str]:
    """Yield what is wrong with the end of a world, which is *now*, after its *last* run."""
    records: dict[str, list[Record]] = {}
    for record in server.records:
        records.setdefault(record.payment, []).append(record)
    told = {line.key: line.state for line in last.lines.values()}
    for row in scenario.final:
        entry, made = entries.get(row.key), records.get(row.key, [])
        reason = _why_wrong(scenario, server, row, entry, made, now)
        if reason is not None:
            yield f"{row.key} is {_described(entry)}: {reason}"
        elif entry is not None and told.get(row.key) != entry.state.value:
            yield f"{row.key} is {_described(entry)}, and the last run called it {told.get(row.key)}"


def _why_wrong(
    scenario: Scenario, server: Server, row: Payment, entry: Entry | None, made: list[Record], now: float
) -> str | None:
    if entry is None:
        return "forgotten"
    if entry.state is State.CONFIRMED:
        return _why_wrongly_confirmed(row, entry, made)
    if entry.state is State.REJECTED:
        is_refused = (row.amount == REFUSED_AMOUNT or row.key in server.refused) and not made
        return None if is_refused else "nobody refused it"
    if entry.state is State.REVIEW:
        return _why_wrongly_in_review(scenario, server, row.key, entry, made, now)
    return "left open for ever"


def _why_wrongly_confirmed(row: Payment, entry: Entry, made: list[Record]) -> str | None:
    content = (str(row.amount), row.description)
    if [one.id for one in made] != [entry.payment_record]:
        return f"its records are {made}"
    return None if made[0].content == content else f"it was recorded as {made[0].content}"


def _why_wrongly_in_review(
    scenario: Scenario, server: Server, payment: str, entry: Entry, made: list[Record], now: float
) -> str | None:
    # Where the clocks jumped, the ledger's times are not the API's, and a lookup by time misses.
    may_be_found = scenario.lists and scenario.stamped and scenario.clock_jump is None
    if made and entry.payment_record is None and may_be_found:
        return f"{made[0].id} is there to be found"
    if entry.payment_record is not None and [one.id for one in made] != [entry.payment_record]:
        return f"its records are {made}"
    justified = {
        CONTENT_CHANGED: payment in scenario.changed,
        KEY_EXPIRED: (now >= KEY_LIVES or scenario.clock_jump is not None) and entry.payment_record is None,
        STORED_FAILURE: payment in server.stored_500 and entry.payment_record is None,
    }
    return None if justified.get(entry.error_code or "") else "nothing in this world explains it"


def _described(entry: Entry | None) -> str:
    return "not in the ledger" if entry is None else f"{entry.state.value} ({entry.error_code}, {entry.payment_record})"
