"""
A part of an extract, so that several tasks share one: rows are told apart by their keys.

The hash of a row's key alone says which part it is in, so reordering, adding or removing rows moves no other row, and
the rows of one key are never in two parts.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from airflow_provider_payrecords.core.errors import UsageError

MAX_PARTITIONS = 1024
"""Airflow maps over at most so many values by default: ``[core] max_map_length``."""


@dataclass(frozen=True, slots=True)
class Partition:
    """
    One part of several.

    Attributes:
        number: From 1 to ``of``.
        of: How many parts there are.
    """

    number: int
    of: int

    def has(self, key: str | None) -> bool:
        """Say whether the row of *key* is in this part. A row whose key cannot be read is in the first."""
        if key is None or self.of == 1:
            return self.number == 1
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def make_partition(text: str) -> Partition:
    """
    Return the part that *text* names: ``3/8`` is the third of eight.

    Raises:
        UsageError: It names none.
    """
    found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text) if isinstance(text, str) else None
    if found is None:
        raise UsageError("partition: write the number of the part and how many there are, such as 3/8.")
    number, of = int(found[1]), int(found[2])
    if not 1 <= of <= MAX_PARTITIONS:
        raise UsageError(f"partition: an extract has 1 to {MAX_PARTITIONS} parts, not {of}.")
    if not 1 <= number <= of:
        raise UsageError(f"partition: there is no part {number} of {of}; the first is 1/{of}, the last {of}/{of}.")
    return Partition(number, of)


def partitions(of: int) -> list[str]:
    """
    Return the names of *of* parts, to map over: ``["1/3", "2/3", "3/3"]``.

    Raises:
        UsageError: So many parts there cannot be.
    """
    make_partition(f"1/{of}")
    return [f"{number}/{of}" for number in range(1, of + 1)]
