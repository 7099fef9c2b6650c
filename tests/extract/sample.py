"""Small extracts and mappings that several tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.extract import ExtractMapping, Row, RowProblem, make_extract

CANARY = "Canary"
"""Stands for personal data: no message may hold it."""

HEADER = "id,gross,currency,created,status,payer"
FIELDS: dict[str, Any] = {
    "amount_requested.value": {"column": "gross", "unit": "major"},
    "amount_requested.currency": "currency",
    "initiated_at": {"column": "created", "timezone": "Europe/Amsterdam"},
    "outcome": {"column": "status", "values": {"Settled": "guaranteed", "Refused": "failed", "Open": None}},
    "guaranteed.guaranteed_at": {"column": "created", "timezone": "Europe/Amsterdam"},
    "failed.failed_at": {"column": "created", "timezone": "Europe/Amsterdam"},
    "customer_details.name": "payer",
    "processor_details.custom.payment_reference": "id",
    "payment_method_details.custom.display_name": {"constant": "iDEAL"},
}


def mapping(**changes: Any) -> ExtractMapping:
    """Return the mapping of ``FIELDS`` with *changes* at its top level."""
    return ExtractMapping.load({"key": "id", "fields": FIELDS, **changes})


def line(number: int, **changes: str) -> str:
    """Return a good CSV line for ``HEADER``."""
    cells = {
        "id": f"psp_{number}",
        "gross": "49.50",
        "currency": "EUR",
        "created": "2026-01-31 10:00:00",
        "status": "Settled",
        "payer": f"{CANARY} Jansen",
    }
    return ",".join({**cells, **changes}.values())


def csv_text(*lines: str) -> str:
    """Return a CSV of ``HEADER`` and *lines*."""
    return "\n".join((HEADER, *lines)) + "\n"


def write(path: Path, content: str | bytes) -> Path:
    """Write *content* and return *path*."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(source: Any, how: ExtractMapping | None = None, size: int = 1000) -> list[Row | RowProblem]:
    """Return all rows of *source*."""
    with make_extract(source).open(how or mapping()) as opened:
        return [row for batch in opened.batches(size) for row in batch]


def only_problems(rows: list[Row | RowProblem]) -> list[tuple[int, str, str]]:
    """Return number, field and code of every problem."""
    return [(row.number, one.field, one.code) for row in rows if isinstance(row, RowProblem) for one in row.problems]


def params(row: Row | RowProblem) -> dict[str, Any]:
    """Return what the row would send."""
    assert isinstance(row, Row), row
    return row.command.params()


def refusal(source, how: ExtractMapping | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(source, how)
    message = str(caught.value)
    assert CANARY not in message
    assert caught.value.__cause__ is None or CANARY not in str(caught.value.__cause__)
    return message


def keys(rows) -> list[str]:
    assert all(isinstance(row, Row) for row in rows), rows
    return [row.key for row in rows]


def zstd(path: Path, text: str) -> Path:
    """Write *text* as zstd, one line a row."""
    plain = write(path.with_suffix(".plain"), text)
    line = "header = false, delim = '\x1e', quote = '', auto_detect = false, columns = {'line': 'VARCHAR'}"
    options = "FORMAT csv, COMPRESSION zstd, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1e'"
    with duckdb.connect() as database:
        database.execute(f"COPY (FROM read_csv('{plain}', {line})) TO '{path}' ({options})")
    return path


def parquet(path: Path, select: str) -> Path:
    with duckdb.connect() as database:
        database.execute(f"COPY ({select}) TO '{path}'")
    return path
