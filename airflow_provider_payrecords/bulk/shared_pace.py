"""
One request rate for all workers on a ledger.

A worker takes the lane for a fraction of a second at a time, sends in it at the whole rate, and lets the next one have
it. So the account's limit holds over all of them, each gets the same share, and one that died holds nobody up for long.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from airflow_provider_payrecords.core.errors import TransportError
from airflow_provider_payrecords.core.wire import ApiResponse
from airflow_provider_payrecords.transport.pace import OwnPace

TURN_SECONDS = 0.25
"""How long a worker has the lane at a time, if the rate allows more than one request in it."""
MARGIN = 1.02
"""So much longer than its requests need is a turn: what left late must not meet what the next worker sends early."""

Book = Callable[[str, float], float]
"""Given an endpoint and seconds: takes them in the ledger, and returns how long it is until they begin."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """Places from ``begins`` on, ``step`` seconds apart, of which ``used`` are gone. Monotonic seconds."""

    begins: float
    step: float
    places: int
    used: int = 0


class SharedPace:
    """
    The pace of one worker among several. What it learns of the API is its own: after a 429 its turns hold less.

    Args:
        own: Knows the rate at present.
        clock: Monotonic seconds.
    """

    def __init__(self, own: OwnPace, book: Book, clock: Callable[[], float]) -> None:
        self._own = own
        self._book = book
        self._clock = clock
        self._turns: dict[str, _Turn] = {}

    def rate(self, endpoint: str) -> float:
        """Return the requests per second that all workers together may send at present, as this one sees it."""
        return self._own.rate(endpoint)

    def learn(self, endpoint: str, outcome: ApiResponse | TransportError) -> None:
        """Slow down after a 429, recover after anything else that was answered."""
        self._own.learn(endpoint, outcome)

    def reserve(self, endpoint: str) -> float:
        """
        Take the next place. Return the seconds to wait before sending.

        A place that was missed is not made up for: it may be another worker's time by now.

        Raises:
            LedgerError: The ledger cannot be asked.
        """
        now = self._clock()
        turn = self._turns.get(endpoint)
        used = 0 if turn is None else max(turn.used, math.floor((now - turn.begins) / turn.step))
        if turn is None or used >= turn.places:
            turn, used = self._next_turn(endpoint), 0
        self._turns[endpoint] = replace(turn, used=used + 1)
        return max(0.0, turn.begins + used * turn.step - self._clock())

    def _next_turn(self, endpoint: str) -> _Turn:
        step = MARGIN / self._own.rate(endpoint)
        places = max(1, math.floor(TURN_SECONDS / step))
        asked = self._clock()
        wait = self._book(endpoint, places * step)
        answered = self._clock()
        # It may begin as late as the answer came, but not end later: the next worker's turn does not wait.
        return _Turn(answered + wait, step, max(1, places - math.floor((answered - asked) / step)))
