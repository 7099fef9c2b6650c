"""Where new ids come from: chance, or a count that makes a test's answers repeatable."""

from __future__ import annotations

import secrets
import string
from collections import Counter

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 24


def random_id(prefix: str) -> str:
    """Return ``<prefix>_`` and 24 random letters and digits."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


class CountedIds:
    """Gives ``pr_000001``, ``pr_000002``, and so on for each prefix. Not for a state file that is opened twice."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def __call__(self, prefix: str) -> str:
        """Return the next id of *prefix*."""
        self._given[prefix] += 1
        return f"{prefix}_{self._given[prefix]:06d}"
