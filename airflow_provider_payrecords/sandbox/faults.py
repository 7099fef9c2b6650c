"""
Scripted and random trouble.

A fault acts at its own place in the order of ``engine``: authenticate, limit, route, idempotency, validate, run, save,
answer. A scripted fault is used up when it
acts: a request that is refused earlier, or replayed, leaves it for the next one.

Two points are a choice, since the service says no more than "undetermined" about its own failures:

- ``error_before``: a 500 with no effect. It is *not* saved, so the same idempotency key runs for real the next time.
- ``error_after``: the effect happens and the 500 *is* saved, so the same key answers that 500 until it expires.

``saved`` turns either around.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.sandbox.questions import QUESTIONS


class FaultKind(str, Enum):
    """What goes wrong."""

    UNAVAILABLE = "unavailable"  # 503 with an HTML body, from in front of the API; nothing ran
    RATE_LIMIT = "rate_limit"  # 429 with a reason header; nothing ran
    DROP_BEFORE = "drop_before"  # the connection closes without an answer; nothing ran
    KEY_IN_USE = "key_in_use"  # 409; nothing ran
    LOCK = "lock"  # 429 lock_timeout without a reason header; nothing ran
    ERROR_BEFORE = "error_before"  # 500; nothing ran
    ERROR_AFTER = "error_after"  # 500, and it took effect
    DROP_AFTER = "drop_after"  # it took effect, then the connection closes without an answer
    TRUNCATED = "truncated"  # it took effect, then the connection closes in the middle of the answer
    SLOW = "slow"  # it took effect, and the answer comes late; until then its idempotency key is in use


LimitReason = Literal["global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific"]
"""
Why a request is one too many.

Source:
    https://docs.stripe.com/rate-limits
"""


def known_endpoint(value: str | None) -> str | None:
    """Return *value* if the sandbox has such an endpoint; a fault on any other would never act."""
    names = sorted({**COMMANDS, **QUESTIONS})
    if value is not None and value not in names:
        raise ValueError(f"is no endpoint; known are {', '.join(names)}")
    return value


class Fault(BaseModel):
    """
    One entry of the script.

    Attributes:
        times: How many requests it hits before it is used up.
        skip: How many matching requests it lets pass first.
        endpoint: Name of the only endpoint it hits, such as ``report_payment``; None hits all.
        reason: For ``rate_limit``, the value of ``Stripe-Rate-Limited-Reason``.
        seconds: For ``slow``, how late the answer is.
        saved: For the two 500s, whether the answer is kept under the idempotency key. None: see the module.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    times: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    endpoint: str | None = None
    reason: LimitReason = "endpoint-rate"
    seconds: float = Field(default=1.0, ge=0)
    saved: bool | None = None

    @field_validator("endpoint")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return known_endpoint(value)

    @property
    def is_saved(self) -> bool:
        """Whether a 500 of this fault is kept for replay."""
        return self.kind is FaultKind.ERROR_AFTER if self.saved is None else self.saved


class FaultMix(BaseModel):
    """
    Random trouble, the same for the same seed and the same requests.

    Attributes:
        rates: Share of requests per kind, each 0 to 1, together at most 1.
        seed: Of the random numbers.
        endpoint: The only endpoint hit; None hits all.
        seconds: How late ``slow`` answers are.
        saved: See ``Fault``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rates: dict[FaultKind, float]
    seed: int = 0
    endpoint: str | None = None
    seconds: float = Field(default=1.0, ge=0)
    saved: bool | None = None

    @field_validator("endpoint")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return known_endpoint(value)

    @model_validator(mode="after")
    def _shares(self) -> FaultMix:
        if any(rate < 0 for rate in self.rates.values()) or sum(self.rates.values()) > 1:
            raise ValueError("The rates of a fault mix are shares: none below 0, together at most 1.")
        return self


class FaultBoard:
    """
    The switches of one sandbox. Scripted faults come first, then the random mix.

    Safe to use from any thread.
    """

    def __init__(self, script: Iterable[Fault] = (), mix: FaultMix | None = None) -> None:
        self._lock = threading.RLock()
        self._script = list(script)
        self.set_mix(mix)

    @property
    def script(self) -> tuple[Fault, ...]:
        """What is still to come, in order."""
        return tuple(self._script)

    @property
    def mix(self) -> FaultMix | None:
        """The random mix in force."""
        return self._mix

    def add(self, *faults: Fault | FaultKind | str) -> None:
        """Append to the script. A bare kind hits the next request once."""
        added = [one if isinstance(one, Fault) else Fault(kind=FaultKind(one)) for one in faults]
        with self._lock:
            self._script.extend(added)

    def set_mix(self, mix: FaultMix | None) -> None:
        """Put a random mix in force, from the start of its sequence, or none."""
        with self._lock:
            self._mix = mix
            self._random = random.Random(mix.seed if mix else 0)  # noqa: S311 - repeatable trouble, not secrets

    def clear(self) -> None:
        """Remove all trouble."""
        with self._lock:
            self._script.clear()
            self.set_mix(None)

    def draw(self, endpoint: str) -> Fault | None:
        """Return what the next request to *endpoint* meets. It stays on the script until ``spend``."""
        with self._lock:
            for index, fault in enumerate(self._script):
                if fault.endpoint in (None, endpoint):
                    if not fault.skip:
                        return fault
                    self._script[index] = fault.model_copy(update={"skip": fault.skip - 1})
                    return None
            return self._draw_from_mix(endpoint)

    def spend(self, fault: Fault) -> None:
        """Count one hit of *fault*, if it is on the script."""
        with self._lock:
            for index, scripted in enumerate(self._script):
                if scripted is fault:
                    left = [fault.model_copy(update={"times": fault.times - 1})] if fault.times > 1 else []
                    self._script[index : index + 1] = left
                    return

    def _draw_from_mix(self, endpoint: str) -> Fault | None:
        if self._mix is None or self._mix.endpoint not in (None, endpoint):
            return None
        number = self._random.random()
        for kind, rate in self._mix.rates.items():
            number -= rate
            if number < 0:
                return Fault(kind=kind, seconds=self._mix.seconds, saved=self._mix.saved)
        return None
