"""
The example extracts, worked out twice: here with the standard library alone, and by the package.

Both must agree with the numbers in ``EXPECTED``, which are what the demo shows.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from airflow_provider_payrecords.core.commands import ReportPayment
from airflow_provider_payrecords.extract import ExtractMapping, Row, RowProblem, SqlQuery, make_extract

EXTRACTS = Path(__file__).resolve().parents[2] / "dags" / "extracts"
DECIMALS = {"EUR": 2, "GBP": 2, "USD": 2, "SEK": 2, "PLN": 2, "CHF": 2, "ISK": 2, "JPY": 0, "KWD": 3}
LAST_DIGITS_ZERO = {"ISK": 100, "KWD": 10}
UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Payment:
    """What one row says, as text. ``zone`` is the zone its times are local in."""

    key: str | None
    amount: str | None
    currency: str
    times: tuple[str | None, ...]
    zone: str


@dataclass(frozen=True)
class Outcome:
    """What comes of an extract: rows that can be reported, rows that cannot, and the money of the first."""

    good: int
    bad: int
    minor_units: dict[str, int]


def adyen() -> Iterator[Payment]:
    """Yield the payments of the settlement report."""
    with (EXTRACTS / "adyen_settlements.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["type"] in ("Settled", "Refused", "Cancelled"):
                times = (row["created"], row["booked"])
                yield Payment(row["psp_reference"], row["gross"], row["currency"], times, "Europe/Amsterdam")


class Cheques:
    """A database that holds the table of cheques, as a hook gives it."""

    def get_conn(self) -> sqlite3.Connection:
        """Return a new connection."""
        database = sqlite3.connect(":memory:")
        database.executescript((EXTRACTS / "cheques.sql").read_text("utf-8"))
        return database


def cheques() -> Iterator[Payment]:
    """Yield the cheques of the table."""
    with closing(Cheques().get_conn()) as database:
        query = "SELECT cheque_number, amount, currency, drawn_on, settled_on FROM cheques"
        for number, amount, currency, drawn_on, settled_on in database.execute(query):
            yield Payment(number, amount, currency, (drawn_on, settled_on), "America/New_York")


def paypal() -> Iterator[Payment]:
    """Yield the captures that the payer approved."""
    with gzip.open(EXTRACTS / "paypal.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["status"] != "CREATED":
                times = tuple(row[name].replace("T", " ").replace("Z", "") for name in ("create_time", "update_time"))
                yield Payment(row["id"], row["amount"]["value"], row["amount"]["currency_code"], times, "UTC")


def wires() -> Iterator[Payment]:
    """Yield the wires, with their minor units in major ones."""
    with duckdb.connect() as database:
        rows = database.read_parquet(str(EXTRACTS / "bank_wires.parquet")).fetchall()
    for amount, sent, *_, processor, _ in rows:
        currency = amount["currency"].upper()
        time = datetime.fromtimestamp(sent, UTC).strftime("%Y-%m-%d %H:%M:%S")
        major = str(Decimal(amount["value"]).scaleb(-DECIMALS[currency]))
        yield Payment(processor["custom"]["payment_reference"], major, currency, (time,), "UTC")


READERS = {"adyen_settlements": adyen, "bank_wires": wires, "cheques": cheques, "paypal": paypal}


def minor_units(payment: Payment) -> int | None:
    """Return the amount in minor units, or None if it cannot be one."""
    try:
        value = Decimal(payment.amount or "").scaleb(DECIMALS[payment.currency])
    except (InvalidOperation, KeyError):
        return None
    right = value > 0 and value == int(value) and int(value) % LAST_DIGITS_ZERO.get(payment.currency, 1) == 0
    return int(value) if right else None


def names_one_instant(time: str, zone: str) -> bool:
    """Tell whether clocks in *zone* showed *time* once: neither skipped nor shown twice."""
    first = datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone))
    return first.utcoffset() == first.replace(fold=1).utcoffset()


def work_out(payments: Sequence[Payment]) -> Outcome:
    """Return what must come of *payments*; of rows with one key only the first can be reported."""
    money: Counter[str] = Counter()
    seen: set[str] = set()
    good = 0
    for payment in payments:
        value = minor_units(payment)
        times = all(names_one_instant(time, payment.zone) for time in payment.times if time)
        if payment.key and payment.key not in seen and value is not None and times:
            good += 1
            money[payment.currency.lower()] += value
        seen.add(payment.key or "")
    return Outcome(good, len(payments) - good, dict(sorted(money.items())))


EXPECTED = {
    "adyen_settlements": Outcome(
        216,
        12,
        {
            "chf": 308_515,
            "eur": 2_607_425,
            "gbp": 82_768,
            "isk": 74_608_500,
            "jpy": 427_672,
            "kwd": 507_090,
            "pln": 353_705,
            "sek": 1_551_353,
            "usd": 385_093,
        },
    ),
    "bank_wires": Outcome(
        59, 1, {"eur": 9_852_455, "gbp": 4_197_816, "isk": 568_735_600, "jpy": 3_926_397, "usd": 3_483_701}
    ),
    "cheques": Outcome(38, 2, {"eur": 1_877_981, "gbp": 2_601_624, "usd": 3_427_970}),
    "paypal": Outcome(27, 1, {"eur": 485_293, "gbp": 48_285, "pln": 221_115, "sek": 417_828, "usd": 3_943}),
}
FAULTS = {
    "adyen_settlements": {
        "ambiguous_time": 1,
        "amount_out_of_range": 1,
        "duplicate_key": 2,
        "invalid_minor_units": 1,
        "missing_key": 1,
        "nonexistent_time": 1,
        "not_a_number": 1,
        "parameter_missing": 1,
        "too_many_decimals": 2,
        "unknown_currency": 1,
    },
    "bank_wires": {"invalid_minor_units": 1},
    "cheques": {"missing_key": 1, "not_a_number": 1},
    "paypal": {"missing_key": 1},
}


@pytest.mark.parametrize("name", sorted(READERS))
def test_extract_holds_what_we_say_it_holds(name: str) -> None:
    assert work_out(list(READERS[name]())) == EXPECTED[name]


SOURCES: dict[str, Path | SqlQuery] = {
    "adyen_settlements": EXTRACTS / "adyen_settlements.csv",
    "bank_wires": EXTRACTS / "bank_wires.parquet",
    "cheques": SqlQuery(Cheques(), "SELECT * FROM cheques ORDER BY rowid"),
    "paypal": EXTRACTS / "paypal.jsonl.gz",
}


def read(name: str) -> list[Row | RowProblem]:
    """Return the rows of an extract as the package reads them with its mapping."""
    with make_extract(SOURCES[name]).open(ExtractMapping.load(EXTRACTS / f"{name}.yaml")) as extract:
        return [row for batch in extract.batches(50) for row in batch]


@pytest.mark.parametrize("name", sorted(READERS))
def test_package_reads_the_same(name: str) -> None:
    rows = read(name)
    money: Counter[str] = Counter()
    commands = [row.command for row in rows if isinstance(row, Row)]
    for command in commands:
        assert isinstance(command, ReportPayment)
        money[command.amount_requested.currency] += command.amount_requested.value
    assert Outcome(len(commands), len(rows) - len(commands), dict(sorted(money.items()))) == EXPECTED[name]


def test_package_says_of_each_bad_row_what_is_wrong() -> None:
    faults = {
        name: Counter(row.problems[0].code for row in read(name) if isinstance(row, RowProblem)) for name in SOURCES
    }
    assert faults == FAULTS


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_extract_has_a_mapping_with_a_source_of_its_own(name: str) -> None:
    sources = [yaml.safe_load(path.read_text("utf-8"))["source"] for path in EXTRACTS.glob("*.yaml")]
    assert (EXTRACTS / f"{name}.yaml").is_file()
    assert sorted(sources) == ["adyen-eu", "bank-wires", "cheques", "paypal"]


def contents(folder: Path) -> dict[str, object]:
    """Return what the four extracts in *folder* hold, whatever compressed them."""
    with duckdb.connect() as database:
        wires = database.read_parquet(str(folder / "bank_wires.parquet")).fetchall()
    return {
        "adyen": (folder / "adyen_settlements.csv").read_bytes(),
        "wires": wires,
        "cheques": (folder / "cheques.sql").read_bytes(),
        "paypal": gzip.decompress((folder / "paypal.jsonl.gz").read_bytes()),
    }


def test_script_writes_the_extracts_as_they_are(tmp_path: Path, repository: Path) -> None:
    subprocess.run([sys.executable, repository / "scripts" / "make_extracts.py", tmp_path], check=True)
    assert contents(tmp_path) == contents(EXTRACTS)


def test_addresses_in_the_extracts_belong_to_nobody() -> None:
    found = re.findall(rb"[\w.]+@([\w.]+)", b" ".join(repr(part).encode() for part in contents(EXTRACTS).values()))
    assert set(found) == {b"example.com", b"example.org"}
