"""
Seeded extracts, and for each row what must become of it. Shares no code with the product.

An amount is worked out here with exact decimals from a table of its own; a time with the standard library's zones.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Amsterdam")
FORMAT = "%Y-%m-%d %H:%M:%S"
DECIMALS = {"eur": 2, "usd": 2, "gbp": 2, "huf": 2, "jpy": 0, "krw": 0, "kwd": 3, "bhd": 3, "isk": 2, "ugx": 2}
STEPS = {"kwd": 10, "bhd": 10, "isk": 100, "ugx": 100}
STATUSES = {"Settled": "guaranteed", "Refused": "failed", "Voided": "canceled"}
NAMES = (
    "Zoë Müller",
    "O'Brien, Máire",
    'Ann "Bee" Cee',
    "李小龍",
    "أحمد",
    "Two\nLines",
    "Sm🙂le",
    "Łukasz; Ż",
    " padded ",
    "tab\tbed",
)
KEY_STYLES: tuple[Callable[[int], str], ...] = (
    lambda number: f"PSP-{number:05d}-ü",
    lambda number: f"{number:012d}",  # a number would lose its zeros
    lambda number: f"{10**24 + number}",  # a float would lose its end
    lambda number: f"2026-01-01 00:{number // 60:02d}:{number % 60:02d}",  # a timestamp would be written otherwise
    lambda number: str(uuid.UUID(int=10**30 + number)).upper(),  # a UUID would become lowercase
    lambda number: f"{number + 1}E5",  # a float, again
)
"""Keys that look like something else. One extract has one style, or guessing types could not go wrong."""
_START = datetime(2026, 5, 4, 9, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Sent:
    """The row must be recorded, once, with these facts."""

    key: str
    currency: str
    minor: int
    form: dict[str, str]


@dataclass(frozen=True)
class Bad:
    """The row must not be sent. ``fields`` holds the fields that may be blamed."""

    fields: frozenset[str]


@dataclass(frozen=True)
class Row:
    """
    One row.

    Attributes:
        number: 1 for the first row of data.
        columns: As written to the extract; None is an empty cell.
    """

    number: int
    columns: dict[str, Any]
    verdict: Sent | Bad


@dataclass
class Extract:
    """A generated extract with its verdicts."""

    rows: list[Row] = field(default_factory=list)

    @property
    def good(self) -> list[Sent]:
        """The rows that must be recorded."""
        return [row.verdict for row in self.rows if isinstance(row.verdict, Sent)]

    @property
    def bad(self) -> dict[int, Bad]:
        """The rows that must not be sent, by number."""
        return {row.number: row.verdict for row in self.rows if isinstance(row.verdict, Bad)}

    @property
    def keys(self) -> set[str]:
        """The keys of the good rows."""
        return {sent.key for sent in self.good}

    @property
    def money(self) -> dict[str, int]:
        """Minor units by currency over the good rows."""
        sums: Counter[str] = Counter()
        for sent in self.good:
            sums[sent.currency] += sent.minor
        return dict(sums)


BAD_ANYWHERE: dict[str, tuple[dict[str, Any], frozenset[str]]] = {
    "unknown currency": ({"currency": "EUX"}, frozenset({"amount_requested.currency"})),
    "no currency": ({"currency": None}, frozenset({"amount_requested.currency"})),
    "too many decimals": ({"gross": "12.345", "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "fraction of a yen": ({"gross": "12.5", "currency": "JPY"}, frozenset({"amount_requested.value"})),
    "fraction of a crown": ({"gross": "12.50", "currency": "ISK"}, frozenset({"amount_requested.value"})),
    "last fils": ({"gross": "5.124", "currency": "KWD"}, frozenset({"amount_requested.value"})),
    "decimal comma": ({"gross": "12,50", "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "thousands": ({"gross": "1,234.50", "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "exponent": ({"gross": "1e3", "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "negative": ({"gross": "-4.00", "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "zero": ({"gross": "0.00", "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "no amount": ({"gross": None}, frozenset({"amount_requested.value"})),
    "unreadable time": ({"created": "yesterday"}, frozenset({"initiated_at"})),
    "no time": ({"created": None}, frozenset({"initiated_at"})),
    "impossible day": ({"created": "2026-02-30 10:00:00"}, frozenset({"initiated_at"})),
    "hour that is skipped": ({"created": "2026-03-29 02:30:00"}, frozenset({"initiated_at"})),
    "hour that comes twice": ({"created": "2026-10-25 02:30:00"}, frozenset({"initiated_at"})),
    "unmapped status": ({"status": "Chargeback"}, frozenset({"outcome"})),
    "no outcome time": ({"status": "Refused", "booked": None}, frozenset({"failed.failed_at"})),
    "no key": ({"reference": None}, frozenset({"key"})),
    "long text": ({"description": "x" * 5001}, frozenset({"description"})),
    "long metadata": ({"order": "x" * 501}, frozenset({"metadata.order", "metadata"})),
}
"""Kind → what it does to a good row, and the fields that may be blamed."""

BAD_TYPED: dict[str, tuple[dict[str, Any], frozenset[str]]] = {
    "float amount": ({"gross": 12.3, "currency": "EUR"}, frozenset({"amount_requested.value"})),
    "naive time": ({"created": "2026-05-04T09:00:00"}, frozenset({"initiated_at"})),
}
"""Kinds that only a format with types, or times without a given zone, can hold."""


class Generator:
    """Makes extracts. The same seed makes the same extract."""

    def __init__(self, seed: int, *, zoned: bool = False) -> None:
        """
        Args:
            zoned: Times carry their offset (for JSON lines) in place of being local to ``ZONE``.
        """
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._style = KEY_STYLES[seed % len(KEY_STYLES)]
        self._zoned = zoned

    def extract(self, rows: int, *bad: dict[str, tuple[dict[str, Any], frozenset[str]]]) -> Extract:
        """Make *rows* good rows and one more of every *bad* kind, shuffled, and then a row with a key seen before."""
        verdicts: list[tuple[dict[str, Any], Sent | Bad]] = [self._good(number) for number in range(rows)]
        kinds = [kind for table in bad for kind in table.values()]
        for number, (changes, fields) in enumerate(kinds, start=rows):
            columns, _ = self._good(number)
            verdicts.append(({**columns, **changes}, Bad(fields)))
        self._chance.shuffle(verdicts)
        extract = Extract([Row(number, *verdict) for number, verdict in enumerate(verdicts, start=1)])
        if bad:
            twin = next(row for row in extract.rows if isinstance(row.verdict, Sent))
            repeated = {**twin.columns, "gross": "1"}
            extract.rows.append(Row(len(extract.rows) + 1, repeated, Bad(frozenset({"key"}))))
        return extract

    def _good(self, number: int) -> tuple[dict[str, Any], Sent]:
        currency = self._chance.choice(sorted(DECIMALS))
        amount, minor = self._amount(currency)
        status = self._chance.choice(sorted(STATUSES))
        created = _START + timedelta(seconds=self._chance.randrange(86_400 * 90))
        booked = created + timedelta(minutes=self._chance.randrange(1, 500))
        key = self._style(number)
        name = self._chance.choice(NAMES)
        columns = {
            "reference": key,
            "gross": amount,
            "currency": self._chance.choice((currency, currency.upper())),
            "created": self._time(created),
            "status": status,
            "booked": self._time(booked),
            "name": name,
            "description": f"Order {number}\nfor {name}",
            "order": f"{number:08d}",
        }
        outcome = STATUSES[status]
        form = {
            "amount_requested[value]": str(minor),
            "amount_requested[currency]": currency,
            "initiated_at": str(int(created.timestamp())),
            "outcome": outcome,
            f"{outcome}[{outcome}_at]": str(int(booked.timestamp())),
            "processor_details[type]": "custom",
            "processor_details[custom][payment_reference]": key,
            "payment_method_details[type]": "custom",
            "payment_method_details[custom][display_name]": "Überweisung",
            "customer_details[name]": name,
            "description": columns["description"],
            "metadata[order]": columns["order"],
            "metadata[payrecords_key]": key,
            "metadata[payrecords_source]": "bank-eu",
        }
        return columns, Sent(key, currency, minor, form)

    def _amount(self, currency: str) -> tuple[str, int]:
        minor = self._chance.randrange(1, 1_000_000) * STEPS.get(currency, 1)
        amount = Decimal(minor).scaleb(-DECIMALS[currency])
        return str(amount), minor

    def _time(self, instant: datetime) -> str:
        if self._zoned:
            return instant.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
        return instant.astimezone(ZONE).strftime(FORMAT)
