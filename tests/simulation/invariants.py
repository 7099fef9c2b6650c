"""What must hold in every world, whatever happens there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from airflow_provider_payrecords.bulk.results import Line
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from tests.simulation.process import Process
from tests.simulation.server import Record


class Invariants:
    """
    Looks on and remembers what was wrong.

    Attributes:
        broken: What was wrong, in words.
    """

    def __init__(self, ledger: MemoryLedger, scope: Scope) -> None:
        self._ledger = ledger
        self._scope = scope
        self._records: dict[str, Record] = {}
        self._times: Counter[str] = Counter()
        self._read: set[str] = set()
        self.broken: list[str] = []

    def recorded(self, record: Record) -> None:
        """Never two records for one payment."""
        self._records[record.id] = record
        self._times[record.payment] += 1
        if self._times[record.payment] > 1:
            self.broken.append(f"two records for {record.payment}")

    def leaves(self, process: Process, method: str, key: str) -> None:
        """No request leaves before its claim is committed, or after its lease."""
        if method != "POST":
            return
        until = process.claims.get(key)
        if until is None:
            self.broken.append(f"{process.name} sends {key[-6:]} and has no committed claim")
        elif process.now() >= until:
            self.broken.append(f"{process.name} sends {key[-6:]} after its lease")

    def reads(self, records: Iterable[str]) -> None:
        """Remember which records somebody has read of."""
        self._read.update(records)

    def settled(self, process: Process, entry: Entry) -> None:
        """Nothing is confirmed without an answer that was read."""
        if entry.state is State.CONFIRMED and entry.payment_record not in self._read:
            self.broken.append(f"{process.name} confirms {entry.key} as {entry.payment_record}, which nobody read")

    def told(self, process: Process, ordinal: int, line: Line) -> None:
        """A row gets one result, and it is called confirmed once that is committed, and by a record of this content."""
        key, said = line.key, line.payment_record
        if ordinal in process.lines:
            self.broken.append(f"{process.name} says twice what became of {key}")
        process.lines[ordinal] = line
        if line.state != "confirmed":
            return
        entry, payment = self._ledger.look_up(self._scope, [key]).get(key), process.payments[ordinal]
        record = self._records.get(said)
        if entry is None or entry.payment_record != said:
            self.broken.append(f"{process.name} calls {key} confirmed, and the ledger does not")
        elif record is None or (record.payment, *record.content) != (key, str(payment.amount), payment.description):
            self.broken.append(f"{process.name} calls {payment} confirmed by {record}")
