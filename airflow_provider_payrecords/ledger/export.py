"""Entries and counts as CSV or JSON lines, for people, spreadsheets and the next task."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from datetime import datetime
from enum import Enum
from io import StringIO
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TextIO

from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.ledger.store import Count

Format = Literal["csv", "jsonl"]
Target = TextIO | str | PathLike[str]

_SCOPE_FIELDS = tuple(field.name for field in fields(Scope))
ENTRY_FIELDS = (*_SCOPE_FIELDS, *(name for name in Entry._fields if name != "scope"))
"""Columns of an export of entries, in order."""
COUNT_FIELDS = (*_SCOPE_FIELDS, "state", "currency", "entries", "amount_minor")
"""Columns of an export of counts, in order."""
_FORMULAS = frozenset("=+-@\t\r")
_FORMATS: dict[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def write_entries(entries: Iterable[Entry], target: Target, format: Format | None = None) -> int:
    """
    Write one line per entry, streamed.

    Args:
        target: An open text file, or the path of a file to replace. Open a CSV file with ``newline=""``.
        format: Taken from the suffix of a path if None: ``.csv``, ``.jsonl`` or ``.ndjson``.

    Returns:
        How many entries were written.

    Raises:
        UsageError: No format is given and the target has no suffix that names one.
    """
    return _write(map(entry_record, entries), ENTRY_FIELDS, target, format)


def csv_chunks(entries: Iterable[Entry], rows: int = 500) -> Iterator[str]:
    """
    Yield *entries* as CSV for a spreadsheet, the head first, at most *rows* lines at once.

    A spreadsheet takes a text that begins with ``=`` or the like for a formula, so such a text gets an apostrophe in
    front. ``write_entries`` changes nothing.
    """
    stream = StringIO(newline="")
    put = _csv_writer(stream, ENTRY_FIELDS)
    remaining = iter(entries)
    yield stream.getvalue()
    while some := list(islice(remaining, rows)):
        stream.seek(0)
        stream.truncate()
        for entry in some:
            put({name: _no_formula(value) for name, value in entry_record(entry).items()})
        yield stream.getvalue()


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULAS else value


def entry_record(entry: Entry) -> dict[str, Any]:
    """Return *entry* as JSON-safe values by the names of ``ENTRY_FIELDS``; instants are ISO 8601 text."""
    return _record(entry, ENTRY_FIELDS)


def count_record(count: Count) -> dict[str, Any]:
    """Return *count* as JSON-safe values by the names of ``COUNT_FIELDS``."""
    return _record(count, COUNT_FIELDS)


def _record(thing: Entry | Count, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(thing.scope if name in _SCOPE_FIELDS else thing, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _write(records: Iterable[Mapping[str, Any]], names: tuple[str, ...], target: Target, format: Format | None) -> int:
    format = format or _format_of(target)
    with _opened(target) as stream:
        put = _csv_writer(stream, names) if format == "csv" else _json_line_writer(stream)
        written = 0
        for record in records:
            put(record)
            written += 1
    return written


def _csv_writer(stream: TextIO, names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], object]:
    table = csv.DictWriter(stream, names, lineterminator="\n")
    table.writeheader()
    return table.writerow


def _json_line_writer(stream: TextIO) -> Callable[[Mapping[str, Any]], object]:
    return lambda record: stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _format_of(target: Target) -> Format:
    suffix = Path(target).suffix.lower() if isinstance(target, (str, PathLike)) else ""
    if suffix not in _FORMATS:
        raise UsageError("The export needs a format: give csv or jsonl, or a file name that ends in .csv or .jsonl.")
    return _FORMATS[suffix]


def _opened(target: Target) -> AbstractContextManager[TextIO]:
    if isinstance(target, (str, PathLike)):
        return Path(target).open("w", encoding="utf-8", newline="")
    return nullcontext(target)
