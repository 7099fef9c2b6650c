"""Extracts and mappings on disk."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb

from tests.acceptance.command_line import Workspace
from tests.acceptance.oracle import FORMAT, STATUSES, Extract, Generator

_LOCAL = f', timezone: Europe/Amsterdam, format: "{FORMAT}"'
_MAPPING = """\
source: bank-eu
key: reference
fields:
  amount_requested.value: {{column: gross, unit: major}}
  amount_requested.currency: currency
  initiated_at: {{column: created{zone}}}
  outcome: {{column: status, values: {statuses}}}
  guaranteed.guaranteed_at: {{column: booked{zone}}}
  failed.failed_at: {{column: booked{zone}}}
  canceled.canceled_at: {{column: booked{zone}}}
  processor_details.custom.payment_reference: reference
  payment_method_details.custom.display_name: {{constant: Überweisung}}
  customer_details.name: name
  description: description
  metadata.order: order
"""


def mapping_text(*, zoned: bool = False) -> str:
    """Return the mapping of the generated extracts; *zoned* for times that carry their offset."""
    return _MAPPING.format(zone="" if zoned else _LOCAL, statuses=json.dumps(STATUSES))


def write_csv(extract: Extract, path: Path) -> Path:
    """Write UTF-8 CSV with a header."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(extract.rows[0].columns))
        table.writeheader()
        table.writerows(row.columns for row in extract.rows)
    return path


def write_jsonl(extract: Extract, path: Path) -> Path:
    """Write one JSON object a line."""
    lines = (json.dumps(row.columns, ensure_ascii=False) for row in extract.rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_parquet(extract: Extract, path: Path, types: dict[str, str] | None = None) -> Path:
    """Write Parquet; every column is text unless *types* says otherwise."""
    names = list(extract.rows[0].columns)
    types = {name: (types or {}).get(name, "VARCHAR") for name in names}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE t ({columns})")
        rows: list[list[Any]] = [[row.columns[name] for name in names] for row in extract.rows]
        database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)
        database.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def write_good_extract(workspace: Workspace, rows: int, seed: int) -> Extract:
    """Write a CSV extract of good rows, and its mapping, into *workspace*."""
    extract = Generator(seed).extract(rows)
    workspace.mapping.write_text(mapping_text(), encoding="utf-8")
    write_csv(extract, workspace.extract)
    return extract
