"""What a contender is given, and what it hands back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

API_KEY = "sk_test_bench"
API_VERSION = "2026-10-28.endive"
PATH = "/v1/payment_records/report_payment"


@dataclass(frozen=True)
class Job:
    """
    Report every payment of an extract, and know the id of each.

    Attributes:
        base: Address of the API.
        extract: The payments, as CSV.
        folder: Empty, for whatever the contender wants to keep.
        concurrency: Requests under way at once.
    """

    base: str
    extract: Path
    folder: Path
    concurrency: int

    @property
    def url(self) -> str:
        """Where a payment is reported."""
        return self.base + PATH


@dataclass
class Outcome:
    """
    What a contender knows once it is done.

    Attributes:
        ids: Record ids by the payment's reference.
        review: References that it says a person must look at.
        errors: What failed and how often, in its own words.
    """

    ids: dict[str, str] = field(default_factory=dict)
    review: list[str] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def failed(self, error: str) -> None:
        """Count a payment that has no id."""
        self.errors[error] = self.errors.get(error, 0) + 1


def all_in_all(outcomes: list[Outcome]) -> Outcome:
    """Return what is known after the last of several runs: an id that was known before is still known."""
    last = outcomes[-1]
    ids = {reference: record for one in outcomes for reference, record in one.ids.items()}
    return Outcome(ids, [reference for reference in last.review if reference not in ids], last.errors)


async def in_window(
    rows: Iterable[dict[str, str]], concurrency: int, send: Callable[[dict[str, str]], Awaitable[None]]
) -> None:
    """Call *send* for each row, at most *concurrency* at once: workers over one iterator, the cheapest way there is."""
    left = iter(rows)

    async def work() -> None:
        for row in left:
            await send(row)

    await asyncio.gather(*(work() for _ in range(concurrency)))
