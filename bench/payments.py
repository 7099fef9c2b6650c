"""The payments of a job: an extract as CSV, what its columns mean to us, and each row as the others send it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAPPING: dict[str, Any] = {
    "source": "bench",
    "key": "reference",
    "fields": {
        "amount_requested.value": {"column": "gross", "unit": "major"},
        "amount_requested.currency": "currency",
        "initiated_at": {"column": "created", "timezone": "UTC", "format": "%Y-%m-%d %H:%M:%S"},
        "outcome": {"column": "status", "values": {"Settled": "guaranteed"}},
        "guaranteed.guaranteed_at": {"column": "booked", "timezone": "UTC", "format": "%Y-%m-%d %H:%M:%S"},
        "customer_details.email": "email",
        "payment_method_details.type": {"constant": "custom"},
        "payment_method_details.custom.display_name": {"constant": "Bank wire"},
        "processor_details.type": {"constant": "custom"},
        "processor_details.custom.payment_reference": "reference",
        "metadata.order": "order",
    },
}
"""How our engine reads the extract; the functions below are the same by hand, without checks."""

COLUMNS = ("reference", "gross", "currency", "created", "status", "booked", "email", "order")
INITIATED, BOOKED = ("2026-11-20 10:00:00", 1795168800), ("2026-11-21 10:00:00", 1795255200)


def write_extract(path: Path, rows: int) -> list[str]:
    """Write an extract of *rows* payments. Returns their references."""
    references = [f"W{number:07d}" for number in range(rows)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, reference in enumerate(references):
            gross, email = f"{number % 9000 + 1}.50", f"c{number}@example.com"
            writer.writerow((reference, gross, "eur", INITIATED[0], "Settled", BOOKED[0], email, f"O-{number}"))
    return references


def read_extract(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of an extract."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def params_of(row: dict[str, str]) -> dict[str, Any]:
    """Return a row as the parameters of the SDK's call."""
    return {
        "amount_requested": {"value": _minor(row), "currency": row["currency"]},
        "initiated_at": INITIATED[1],
        "outcome": "guaranteed",
        "guaranteed": {"guaranteed_at": BOOKED[1]},
        "customer_details": {"email": row["email"]},
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Bank wire"}},
        "processor_details": {"type": "custom", "custom": {"payment_reference": row["reference"]}},
        "metadata": {"order": row["order"]},
    }


def form_of(row: dict[str, str]) -> dict[str, str]:
    """Return a row as the fields of a form."""
    return {
        "amount_requested[value]": str(_minor(row)),
        "amount_requested[currency]": row["currency"],
        "initiated_at": str(INITIATED[1]),
        "outcome": "guaranteed",
        "guaranteed[guaranteed_at]": str(BOOKED[1]),
        "customer_details[email]": row["email"],
        "payment_method_details[type]": "custom",
        "payment_method_details[custom][display_name]": "Bank wire",
        "processor_details[type]": "custom",
        "processor_details[custom][payment_reference]": row["reference"],
        "metadata[order]": row["order"],
    }


def key_of(row: dict[str, str]) -> str:
    """Return the idempotency key that a careful person gives a row: the same one whenever the job runs."""
    return f"bench-{row['reference']}"


def _minor(row: dict[str, str]) -> int:
    major, minor = row["gross"].split(".")
    return int(major) * 100 + int(minor)
