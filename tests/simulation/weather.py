"""What goes wrong in a world, how often, and until when. Each world has its own mix, and half of all faults never."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

KINDS = (
    # On the way to the API
    "no_connection",
    "lost_request",
    "late_request",
    # What the API says before anything ran
    "throttled",
    "locked",
    "failed_before",
    "proxy_before",
    "unauthorized",
    "refused_before",
    # What becomes of a request that ran
    "slow_work",
    "stored_refusal",
    "stored_500",
    "stored_500_after_effect",
    "proxy_after",
    # On the way back
    "lost_answer",
    "late_answer",
    "cut_answer",
    # The list of records
    "list_fails",
    # The ledger
    "ledger_fails_before_commit",
    "ledger_fails_after_commit",
    "ledger_slow",
    # The results file
    "results_fail",
)
RARE = frozenset({"unauthorized", "results_fail"})
"""Each of these ends a run, so that too many of them would hide the others."""


class Span(NamedTuple):
    """From when until when, in true seconds."""

    begin: float
    end: float

    def holds(self, when: float) -> bool:
        """Say whether *when* is within."""
        return self.begin <= when < self.end


class Weather:
    """
    Decides by chance what goes wrong; nothing does once ``clear`` is set.

    Attributes:
        odds: How likely each kind of fault is, whenever it could happen.
        outages: When the API cannot be reached at all.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.clear = False
        self.odds = {kind: _odds(random, kind) for kind in KINDS}
        begin = random.uniform(0, 20)
        self.outages = [Span(begin, begin + random.choice((1, 10, 60)))] if random.random() < 0.15 else []

    def strikes(self, kind: str) -> bool:
        """Say whether a fault happens now."""
        odds = self.odds[kind]
        return odds > 0 and not self.clear and self._random.random() < odds

    def is_out(self, when: float) -> bool:
        """Say whether the API cannot be reached."""
        return not self.clear and any(span.holds(when) for span in self.outages)

    def seconds(self, low: float, high: float) -> float:
        """Draw a time."""
        return self._random.uniform(low, high)


def _odds(random: Random, kind: str) -> float:
    if random.random() < 0.6:
        return 0.0
    odds = random.choice((0.03, 0.1, 0.3))
    return odds / 10 if kind in RARE else odds
