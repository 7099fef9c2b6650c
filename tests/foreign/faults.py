"""
Which trouble meets which request.

A decision depends on the seed, on the idempotency key (or the path) and on how often that came by, and on nothing
else: the order in which concurrent requests arrive does not change it.
"""

from __future__ import annotations

import random
from enum import Enum


class Fault(Enum):
    """One kind of trouble."""

    RATE_LIMIT = "rate_limit"  # 429 with Stripe-Rate-Limited-Reason
    RATE_LIMIT_BARE = "rate_limit_bare"  # 429 without it
    LOCK_TIMEOUT = "lock_timeout"  # 429, another call holds the object
    KEY_IN_USE = "key_in_use"  # 409
    ERROR_BEFORE = "error_before"  # 500, nothing happened, nothing stored
    UNAVAILABLE = "unavailable"  # 503 with an HTML page of some proxy
    RESET_BEFORE = "reset_before"  # the connection is reset, nothing happened
    ERROR_AFTER = "error_after"  # the payment is recorded and the answer becomes a 500; the key replays the 200
    ERROR_STORED = "error_stored"  # the payment is recorded and the 500 is what the key replays, for ever
    RESET_AFTER = "reset_after"  # the payment is recorded, then the connection is reset
    TRUNCATED = "truncated"  # the payment is recorded, half of the answer arrives
    NOT_JSON = "not_json"  # the payment is recorded, 200 with a page in place of JSON
    LATE = "late"  # the payment is recorded, the answer comes after the client's patience ends
    ECHO_REFUSAL = "echo_refusal"  # 400 whose message repeats everything that was sent
    ECHO_ERROR = "echo_error"  # 500 whose message repeats everything that was sent


BEFORE_EFFECT = frozenset(
    {
        Fault.RATE_LIMIT,
        Fault.RATE_LIMIT_BARE,
        Fault.LOCK_TIMEOUT,
        Fault.KEY_IN_USE,
        Fault.ERROR_BEFORE,
        Fault.UNAVAILABLE,
        Fault.RESET_BEFORE,
        Fault.ECHO_REFUSAL,
        Fault.ECHO_ERROR,
    }
)

_LIMITS = (Fault.RATE_LIMIT, Fault.RATE_LIMIT_BARE, Fault.LOCK_TIMEOUT, Fault.KEY_IN_USE)
_ERRORS = (Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.UNAVAILABLE)
_NETWORK = (Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.TRUNCATED, Fault.NOT_JSON)

MIXES: dict[str, tuple[float, tuple[Fault, ...]]] = {
    "clean": (0.0, ()),
    "limits": (0.4, _LIMITS),
    "errors": (0.5, _ERRORS),
    "network": (0.5, _NETWORK),
    "mixed": (0.5, _LIMITS + _ERRORS + _NETWORK),
    "stored": (0.3, (Fault.ERROR_STORED,)),
    "late": (0.3, (Fault.LATE,)),
    "echo": (0.6, (Fault.ECHO_REFUSAL, Fault.ECHO_ERROR)),
}
"""Name → the share of requests that meet trouble, and the kinds, equally likely."""


class FaultPlan:
    """Draws the trouble of one server's life."""

    def __init__(self, seed: int, mix: str, most_per_key: int) -> None:
        """
        Args:
            seed: Any integer.
            mix: A key of ``MIXES``.
            most_per_key: From this visit on a key meets no more trouble, so that every mix ends.
        """
        self._seed = seed
        self._share, self._kinds = MIXES[mix]
        self._most_per_key = most_per_key
        self._visits: dict[str, int] = {}

    def draw(self, key: str) -> Fault | None:
        """Return the trouble of this visit of *key*, or None."""
        visit = self._visits.get(key, 0)
        self._visits[key] = visit + 1
        if visit >= self._most_per_key or not self._kinds:
            return None
        chance = random.Random(f"{self._seed}|{key}|{visit}")  # noqa: S311 - repeatable, not secret
        return chance.choice(self._kinds) if chance.random() < self._share else None

    def remember(self, key: str) -> None:
        """Count a visit of an earlier life of the server."""
        self._visits[key] = self._visits.get(key, 0) + 1
