"""
What follows an idempotency key that the API answers with a stored failure.

The API keeps the first answer under a key, a refusal or a failure as well, and gives it again for at least 24 hours.
Once it is known that such a key made no record, the ledger goes on with the next key: the same hash and a number behind
a full stop. Who knows the content and the ledger's entry knows the key, on any machine.

Source:
    https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations


def next_key(key: str) -> str:
    """Return the idempotency key after *key*: ``payrecords-a1``, ``payrecords-a1.2``, ``payrecords-a1.3``."""
    base, _, number = key.partition(".")
    return f"{base}.{int(number or 1) + 1}"


def is_same_content(key: str, other: str) -> bool:
    """Say whether two idempotency keys stand for the same payment with the same content."""
    return key.partition(".")[0] == other.partition(".")[0]
