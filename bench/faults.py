"""
The trouble of the mixed-fault server.

What meets a request depends on the seed, on the payment and on how often that payment came by, and on nothing else:
every client meets the same trouble, whatever its order, its pace and its keys.
"""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b


class Fault(Enum):
    """One kind of trouble. The value is the share of requests it meets."""

    ERROR_BEFORE = 0.02, "500; nothing happened and nothing is stored"
    ERROR_AFTER = 0.02, "500; the record exists, and the key replays its 200"
    RESET_BEFORE = 0.02, "the connection is reset; nothing happened"
    RESET_AFTER = 0.02, "the connection is reset; the record exists"
    UNAVAILABLE = 0.02, "503 with the HTML page of a proxy; nothing happened"
    SLOW = 0.01, "the record exists and the answer comes a second late"
    TRUNCATED = 0.02, "the record exists, half of the answer arrives, and the connection ends"
    STORED_BEFORE = 0.005, "500 that the key replays for ever; there is no record"
    STORED_AFTER = 0.005, "500 that the key replays for ever; the record exists"

    @property
    def share(self) -> float:
        """The share of requests that it meets."""
        return self.value[0]

    @property
    def text(self) -> str:
        """What it is."""
        return self.value[1]


STORED = frozenset({Fault.STORED_BEFORE, Fault.STORED_AFTER})


def fault_of(seed: int, reference: str, attempt: int) -> Fault | None:
    """
    Return what meets a request.

    Args:
        seed: Another seed, other trouble.
        reference: The payment's reference at its processor.
        attempt: 1 for the first request about this payment.
    """
    digest = blake2b(f"{seed}:{reference}:{attempt}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for fault in Fault:
        if place < fault.share:
            return fault
        place -= fault.share
    return None
