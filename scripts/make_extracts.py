"""
Write the example extracts of ``dags/extracts``: made-up payments, the same on every run.

Each holds the troubles real extracts have, so that the demo shows rejects as well: bad rows, a repeated row, rows that
are no payments. ``tests/project/test_example_extracts.py`` knows what must come of them.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import duckdb

T = TypeVar("T")

EXTRACTS = Path(__file__).resolve().parent.parent / "dags" / "extracts"
FIRST_DAY = datetime(2026, 11, 2, 7, 0, tzinfo=timezone.utc)
SECONDS = 18 * 24 * 3600

PEOPLE = {
    "NL": ["Zoë van Dijk", "Daan de Vries", "Noor Bakker", "Sem Jansen"],
    "BE": ["Émile Dubois", "Lotte Peeters", "Noémie Lambert"],
    "ES": ["Íñigo Núñez", "Ñusta Peña", "Lucía Ibáñez"],
    "DE": ["Jürgen Weiß", 'Anna "Änne" Fischer, geb. Groß', "Mia Schäfer"],
    "GB": ["Amelia O'Brien", "Siân Llewellyn", "Oliver Smith"],
    "US": ["Ava Johnson", "José Martínez", "Liam Brown"],
    "SE": ["Åsa Lindström", "Björn Öberg"],
    "PL": ["Łukasz Wójcik", "Żaneta Kowalczyk"],
    "JP": ["山田 太郎", "佐藤 さくら"],
    "KW": ["أحمد العلي", "فاطمة الصباح"],
    "IS": ["Þórður Sigurðsson", "Guðrún Ævarsdóttir"],
    "CH": ["Reto Müller", "Céline Rochat"],
}
SHOPPERS = [  # country, currency, step of an amount, largest number of steps, how they pay
    ("NL", "EUR", "0.01", 40_000, ["iDEAL", "iDEAL", "PayPal"]),
    ("BE", "EUR", "0.01", 30_000, ["Bancontact", "PayPal"]),
    ("ES", "EUR", "0.01", 25_000, ["Bizum", "PayPal"]),
    ("DE", "EUR", "0.01", 60_000, ["SEPA Direct Debit", "PayPal"]),
    ("GB", "GBP", "0.01", 30_000, ["Pay by Bank"]),
    ("US", "USD", "0.01", 50_000, ["Venmo"]),
    ("SE", "SEK", "0.01", 400_000, ["Swish"]),
    ("PL", "PLN", "0.01", 150_000, ["BLIK"]),
    ("JP", "JPY", "1", 60_000, ["コンビニ決済"]),
    ("KW", "KWD", "0.010", 9_000, ["KNET"]),
    ("IS", "ISK", "1", 90_000, ["Aur"]),
    ("CH", "CHF", "0.05", 8_000, ["TWINT"]),
]
TYPES = ["Settled"] * 41 + ["Refused"] * 4 + ["Cancelled"] * 2 + ["Refunded"] * 2 + ["Chargeback"]
COLUMNS = (
    "psp_reference merchant_reference type created booked gross currency payment_method"
    " shopper_name shopper_email country"
).split()


class Dice(random.Random):
    """Chances that fall alike in every version of Python, which promises that of ``random()`` alone."""

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to *limit* - 1."""
        return int(self.random() * limit)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of *choices*."""
        return choices[self.below(len(choices))]

    def moment(self) -> datetime:
        """Return a moment of November 2026. Written without its zone, it stands for local time."""
        return FIRST_DAY + timedelta(seconds=self.below(SECONDS))


def email(number: int) -> str:
    """Return an address that belongs to nobody."""
    return f"shopper.{number}@example.{'org' if number % 3 else 'com'}"


def adyen_rows() -> list[dict[str, str]]:
    """Return one night's settlement report, good rows first in time and the troubles put among them."""
    dice = Dice("adyen")
    moments = sorted(dice.moment() for _ in range(240))
    rows = [adyen_row(dice, number, created) for number, created in enumerate(moments)]
    troubles: list[tuple[int, dict[str, str]]] = [
        (17, {"currency": "XBT"}),
        (42, {"currency": "EUR", "gross": "12.345"}),
        (66, {"psp_reference": ""}),
        (91, {"created": "2026-03-29 02:30:00"}),  # Amsterdam's clocks skipped that hour
        (115, {"gross": "-25.00", "currency": "EUR"}),
        (138, {"gross": ""}),
        (160, {"gross": "1.234,50", "currency": "EUR"}),
        (183, {"currency": "JPY", "gross": "1200.50"}),
        (201, {"currency": "KWD", "gross": "7.125"}),
        (222, {"created": "2026-10-25 02:30:00"}),  # Amsterdam's clocks showed that hour twice
    ]
    for at, trouble in troubles:
        rows[at] |= {"type": "Settled", **trouble}
    for at in (30, 77):
        rows[at]["type"] = "Settled"
    rows.insert(34, dict(rows[30]))
    rows.insert(80, rows[78] | {"gross": "999.00", "currency": "EUR"})
    return rows


def adyen_row(dice: Dice, number: int, created: datetime) -> dict[str, str]:
    """Return one payment, refund or chargeback of the report."""
    country, currency, step, most, methods = dice.pick(SHOPPERS[:4] if dice.random() < 0.4 else SHOPPERS)
    booked = created + timedelta(seconds=60 + dice.below(36 * 3600))
    known = dice.random() < 0.9
    values = [
        f"88{dice.below(10**14):014d}",
        f"ORD-{104200 + number}",
        dice.pick(TYPES),
        f"{created:%Y-%m-%d %H:%M:%S}",
        f"{booked:%Y-%m-%d %H:%M:%S}",
        str(Decimal(step) * (100 + dice.below(most))),
        currency,
        dice.pick(methods),
        dice.pick(PEOPLE[country]) if known else "",
        email(number) if known else "",
        country,
    ]
    return dict(zip(COLUMNS, values, strict=True))


def write_adyen(folder: Path) -> None:
    """Write adyen_settlements.csv."""
    with (folder / "adyen_settlements.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(adyen_rows())


WIRE_COLUMNS = """
    amount_requested STRUCT(value BIGINT, currency VARCHAR),
    initiated_at BIGINT,
    outcome VARCHAR,
    guaranteed STRUCT(guaranteed_at BIGINT),
    customer_details STRUCT(name VARCHAR, email VARCHAR),
    payment_method_details STRUCT(type VARCHAR, custom STRUCT(display_name VARCHAR)),
    processor_details STRUCT(type VARCHAR, custom STRUCT(payment_reference VARCHAR)),
    metadata STRUCT(invoice VARCHAR, bank VARCHAR)
"""
WIRES = [("EUR", 1, "DE"), ("EUR", 1, "NL"), ("GBP", 1, "GB"), ("JPY", 1, "JP"), ("ISK", 100, "IS"), ("USD", 1, "US")]


def write_wires(folder: Path) -> None:
    """Write bank_wires.parquet: the API's own fields, with amounts in minor units already."""
    dice = Dice("wires")
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE wires ({WIRE_COLUMNS})")
        for number in range(60):
            database.execute("INSERT INTO wires VALUES (?, ?, ?, ?, ?, ?, ?, ?)", wire_row(dice, number))
        database.execute(f"COPY wires TO '{folder / 'bank_wires.parquet'}' (FORMAT parquet, COMPRESSION zstd)")


def wire_row(dice: Dice, number: int) -> list[object]:
    """Return one wire. Every ninth has not been booked yet, and number 40 has a fraction of an Icelandic crown."""
    currency, step, country = dice.pick(WIRES) if number != 40 else ("ISK", 1, "IS")
    value = step * (1_000 + dice.below(900_000)) if number != 40 else 1_250_050
    sent = int(dice.moment().timestamp())
    booked = number % 9 != 8
    return [
        {"value": value, "currency": currency.lower()},
        sent,
        "guaranteed" if booked else None,
        {"guaranteed_at": sent + 3600 + dice.below(24 * 3600)} if booked else None,
        {"name": dice.pick(PEOPLE[country]), "email": email(500 + number)},
        {"type": "custom", "custom": {"display_name": "Bank wire"}},
        {"type": "custom", "custom": {"payment_reference": f"WIRE-2611-{number:04d}"}},
        {"invoice": f"INV-{7000 + number}", "bank": country},
    ]


CHEQUES = """\
CREATE TABLE cheques (
  cheque_number TEXT,
  drawn_on TEXT NOT NULL,     -- a day in New York
  settled_on TEXT,
  status TEXT,                -- cleared, bounced or stopped; empty while the bank has not answered
  amount TEXT NOT NULL,
  currency TEXT NOT NULL,
  payer TEXT,
  payer_email TEXT,
  invoice TEXT
);
INSERT INTO cheques VALUES
"""


def write_cheques(folder: Path) -> None:
    """Write cheques.sql: a small table for SQLite."""
    dice = Dice("cheques")
    rows = [cheque_row(dice, number) for number in range(40)]
    rows[12][4] = "1,250.00"
    rows[27][0] = None
    with sqlite3.connect(":memory:") as database:
        quoted = [
            ", ".join(database.execute("SELECT quote(?)", [value]).fetchone()[0] for value in row) for row in rows
        ]
    database.close()
    (folder / "cheques.sql").write_text(CHEQUES + ",\n".join(f"({row})" for row in quoted) + ";\n", "utf-8")


def cheque_row(dice: Dice, number: int) -> list[str | None]:
    """Return one cheque."""
    country, currency = dice.pick([("US", "USD"), ("US", "USD"), ("GB", "GBP"), ("ES", "EUR")])
    drawn = dice.moment()
    status = dice.pick(["cleared"] * 8 + ["bounced", "stopped", None])
    return [
        f"CHQ-{30500 + number}",
        f"{drawn:%Y-%m-%d}",
        f"{drawn + timedelta(days=1 + dice.below(4)):%Y-%m-%d}" if status else None,
        status,
        str(Decimal("0.01") * (2_000 + dice.below(400_000))),
        currency,
        dice.pick(PEOPLE[country]),
        email(700 + number),
        f"INV-{8000 + number}",
    ]


def write_paypal(folder: Path) -> None:
    """Write paypal.jsonl.gz: captures as PayPal's reports nest them."""
    dice = Dice("paypal")
    lines = [json.dumps(paypal_row(dice, number), ensure_ascii=False) for number in range(30)]
    content = ("\n".join(lines) + "\n").encode()
    (folder / "paypal.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))


def paypal_row(dice: Dice, number: int) -> dict[str, object]:
    """Return one capture. Number 13 lost its id; those still ``CREATED`` are no payments."""
    country, currency, step, most, _ = dice.pick(SHOPPERS[:8])
    created = dice.moment()
    return {
        "id": f"{dice.below(10**12):012d}PP{number:03d}" if number != 13 else None,
        "status": dice.pick(["COMPLETED"] * 9 + ["DENIED", "VOIDED", "CREATED"]),
        "create_time": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "update_time": f"{created + timedelta(minutes=1 + dice.below(90)):%Y-%m-%dT%H:%M:%SZ}",
        "amount": {"value": str(Decimal(step) * (100 + dice.below(most))), "currency_code": currency},
        "payer": {"name": dice.pick(PEOPLE[country]), "email": email(900 + number), "country_code": country},
        "invoice_id": f"INV-{9000 + number}",
    }


def main() -> None:
    """Write all four into the folder that is named, or into ``dags/extracts``."""
    parser = argparse.ArgumentParser(description="Write the example extracts anew.")
    parser.add_argument("folder", nargs="?", type=Path, default=EXTRACTS)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for write in (write_adyen, write_wires, write_cheques, write_paypal):
        write(folder)


if __name__ == "__main__":
    main()
