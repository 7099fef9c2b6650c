"""
What really happened: one line per committed effect, in order. An audit compares a client's books with this.

Replays, refusals and reads write nothing. An effect whose answer was lost is here all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JournalLine:
    """
    One effect.

    Attributes:
        sequence: 1 for the first, without gaps.
        time: Epoch seconds.
        mode: ``test`` or ``live``.
        amount: Minor units that this call named or moved; None where it did neither.
        payrecords_key: ``metadata[payrecords_key]`` of the request.
    """

    sequence: int
    time: float
    method: str
    path: str
    endpoint: str
    account: str
    mode: str
    idempotency_key: str | None
    request_id: str
    payment_record: str
    amount: int | None
    currency: str | None
    payrecords_key: str | None


class Journal:
    """The lines of one sandbox. Iterating gives them oldest first."""

    def __init__(self) -> None:
        self._lines: list[JournalLine] = []

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[JournalLine]:
        return iter(tuple(self._lines))

    def append(self, line: JournalLine) -> None:
        """Add the next line."""
        self._lines.append(line)

    def clear(self) -> None:
        """Begin again at 1."""
        self._lines.clear()

    def after(self, sequence: int, limit: int | None = None) -> list[JournalLine]:
        """Return the lines that follow number *sequence*; 0 for all."""
        end = None if limit is None else sequence + limit
        return self._lines[sequence:end]

    def times(self, endpoint: str = "report_payment") -> Counter[str | None]:
        """Count the effects on *endpoint* by ``payrecords_key``: an audit wants every count to be 1."""
        return Counter(line.payrecords_key for line in self if line.endpoint == endpoint)


def as_json(line: JournalLine) -> dict[str, Any]:
    """Return *line* as JSON-like data."""
    return asdict(line)
