"""
Rows and records joined on disk, and what is found for each of them.

Both sides are written as JSON lines into a private folder, and DuckDB joins them in bounded memory: neither side fits
into memory for certain.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any, TextIO

import duckdb

from airflow_provider_payrecords.bulk.places import Place, local_path, open_for_writing, suffix
from airflow_provider_payrecords.bulk.reconciliation import (
    AGREES,
    DIFFERENT,
    DUPLICATE,
    INVALID,
    MISSING,
    NOT_CHECKED,
)
from airflow_provider_payrecords.bulk.results import may_be_replaced
from airflow_provider_payrecords.core.errors import ResultsError, UsageError
from airflow_provider_payrecords.scratch import PrivateFolder

FIELDS = (
    "finding",
    "row_number",
    "source",
    "key",
    "differences",
    "extract_amount",
    "extract_currency",
    "ledger_state",
    "ledger_amount",
    "ledger_currency",
    "ledger_record",
    "stripe_amount",
    "stripe_currency",
    "stripe_state",
    "stripe_record",
    "message",
)
"""Columns of a reconciliation's results. Amounts are in minor units."""
_NUMBERS = {"row_number", "extract_amount", "ledger_amount", "stripe_amount", "ordinal", "amount", "created"}
_BOOLEANS = {"same_content", "may_exist", "gone"}
_ROW = ("ordinal", "row_number", "key", "extract_amount", "extract_currency", "outcome", "problem", "same_content")
_ROWS = (*_ROW, "may_exist", "ledger_state", "ledger_amount", "ledger_currency", "ledger_record")
_RECORDS = ("id", "key", "created", "amount", "currency", "state", "gone")
_FORMATS = {
    ".jsonl": "FORMAT json",
    ".ndjson": "FORMAT json",
    ".json": "FORMAT json, ARRAY true",
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet",
}
_MEMORY = "160MB"
"""Enough for the two JSON files at once, whose reader takes large buffers."""
_UNDONE = "('failed', 'canceled', 'refunded')"
_STATES = {
    "guaranteed": ("guaranteed", "partially_refunded", "refunded"),
    "failed": ("failed",),
    "canceled": ("canceled",),
}
"""States that a record may have by its row's outcome. Without an outcome it may have gone on to any."""

_JOIN = f"""
CREATE TABLE records AS SELECT DISTINCT ON (id) * FROM kept_records;
CREATE TABLE candidates AS
    SELECT r.ordinal, c.*, coalesce(c.id = r.ledger_record, false) AS is_known
    FROM kept_rows r JOIN records c ON c.key = r.key WHERE NOT c.gone AND r.problem IS NULL
    UNION
    SELECT r.ordinal, c.*, true
    FROM kept_rows r JOIN records c ON c.id = r.ledger_record WHERE NOT c.gone AND r.problem IS NULL;
CREATE TABLE ranked AS SELECT *, row_number() OVER (
    PARTITION BY ordinal ORDER BY is_known DESC, state IN {_UNDONE}, created, id
) AS place FROM candidates;
"""  # noqa: S608 - every part is a constant of this module
_FOUND = f"""
SELECT r.*, f.id, f.amount, f.currency, f.state, coalesce(g.gone, false), o.ids, coalesce(o.amount, 0)
FROM kept_rows r
LEFT JOIN ranked f ON f.ordinal = r.ordinal AND f.place = 1
LEFT JOIN records g ON g.id = r.ledger_record
LEFT JOIN (
    SELECT ordinal, string_agg(id, ' ' ORDER BY id) AS ids, sum(amount)::BIGINT AS amount
    FROM ranked WHERE place > 1 AND state NOT IN {_UNDONE} GROUP BY ordinal
) o ON o.ordinal = r.ordinal
ORDER BY r.ordinal
"""  # noqa: S608 - the same
_EXTRA = """
SELECT id, key, amount, currency, state FROM records
WHERE key IS NOT NULL AND NOT gone AND id NOT IN (SELECT id FROM candidates)
    AND key NOT IN (SELECT key FROM kept_rows WHERE problem IS NULL)
ORDER BY created, id
"""
_UNSEEN = """
SELECT DISTINCT ledger_record FROM kept_rows r
WHERE ledger_record IS NOT NULL AND NOT EXISTS (SELECT 1 FROM kept_records k WHERE k.id = r.ledger_record)
ORDER BY ledger_record LIMIT ?
"""


class Comparison:
    """
    One comparison's workshop on disk. Close it.

    Args:
        target: Where the results go, or None.

    Raises:
        UsageError: The suffix of *target* is not known, or it is a folder or a file of something else.
        ResultsError: There is no room to work in.
    """

    def __init__(self, target: Place | None) -> None:
        if target is not None and suffix(target) not in _FORMATS:
            raise UsageError(f"Results cannot be written as {target}: end its name in one of {', '.join(_FORMATS)}.")
        local = None if target is None else local_path(target)
        if local is not None and local.is_dir():
            raise UsageError(f"{local} is a folder. Name a file in it for the results.")
        if local is not None and not may_be_replaced(local, FIELDS):
            raise UsageError(f"{local} is there and is no comparison of ours. Give the results another name.")
        self._target = target
        self.path = None if target is None else str(local or target)
        try:
            self._folder = PrivateFolder()
        except OSError as error:
            raise _no_room(error.strerror) from None
        self._files: dict[str, TextIO] = {
            name: self._place(name).open("w", encoding="utf-8", errors="replace")
            for name in ("rows", "records", "findings")
        }
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "threads": "1",
            "temp_directory": str(self._folder.path),
        }
        self._database = duckdb.connect(str(self._place("comparison.db")), config=config)
        self._joined = False

    def keep_row(self, line: dict[str, Any]) -> None:
        """Keep one row of the extract with its entry."""
        self._write("rows", line)

    def keep_record(self, line: dict[str, Any]) -> None:
        """Keep one record of the API."""
        self._write("records", line)

    def unseen(self, limit: int) -> list[str]:
        """Return ids of the ledger's records that were not read, at most *limit*."""
        self._view()
        return [str(row[0]) for row in self._run(_UNSEEN, [limit]).fetchall()]

    def findings(self, *, listed: bool) -> Iterator[dict[str, Any]]:
        """
        Yield what is found for each row, in row order.

        Args:
            listed: The list of records was read to its end.
        """
        self._join()
        for row in self._stream(_FOUND):
            values = dict(zip(_ROWS, row, strict=False))
            yield judge(values, tuple(row[len(_ROWS) :]), listed=listed)

    def extras(self) -> Iterator[tuple[str, str, int | None, str | None, str]]:
        """Yield records of our source that no row of the extract has: id, key, amount, currency, state."""
        self._join()
        yield from self._stream(_EXTRA)

    def write(self, finding: dict[str, Any]) -> None:
        """Append one finding to the results."""
        self._write("findings", {name: finding.get(name) for name in FIELDS})

    def finish(self) -> None:
        """
        Write the results to where they were asked for, in one step.

        Raises:
            ResultsError: They cannot be written.
        """
        self._files["findings"].close()
        if self._target is None:
            return
        local = local_path(self._target)
        written = Path(f"{local}.{token_hex(4)}.partial") if local else self._place("results")
        relation = _relation(self._place("findings"), FIELDS)
        try:
            if local:
                local.parent.mkdir(parents=True, exist_ok=True)
            kind = _FORMATS[suffix(self._target)]
            self._database.execute(f"COPY (SELECT * FROM {relation}) TO {_quoted(written)} ({kind})")  # noqa: S608 - our names
            if local:
                written.replace(local)
                return
            with open_for_writing(self._target) as remote, written.open("rb") as lines:
                shutil.copyfileobj(lines, remote)
        except (OSError, duckdb.Error) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ResultsError(f"The results {self.path} cannot be written: {reason}. Choose another place.") from None

    def close(self) -> None:
        """Remove the workshop."""
        self._database.close()
        for file in self._files.values():
            file.close()
        self._folder.cleanup()

    def _view(self) -> None:
        for name, columns in (("rows", _ROWS), ("records", _RECORDS)):
            self._files[name].flush()
            relation = _relation(self._place(name), columns)
            self._run(f"CREATE OR REPLACE VIEW kept_{name} AS SELECT * FROM {relation}")  # noqa: S608 - our names

    def _join(self) -> None:
        if not self._joined:
            self._view()
            self._run(_JOIN)
            self._joined = True

    def _run(self, query: str, values: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        try:
            return self._database.cursor().execute(query, list(values))
        except duckdb.Error as error:
            raise _no_room(type(error).__name__) from None

    def _stream(self, query: str) -> Iterator[Any]:
        result = self._run(query)
        while rows := result.fetchmany(1000):
            yield from rows

    def _write(self, name: str, line: dict[str, Any]) -> None:
        try:
            self._files[name].write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            raise _no_room(error.strerror) from None

    def _place(self, name: str) -> Path:
        return self._folder.path / name


def _no_room(reason: str | None) -> ResultsError:
    return ResultsError(f"There is no room to compare in: {reason}. Set TMPDIR.")


def judge(row: dict[str, Any], stripe: tuple[Any, ...], *, listed: bool) -> dict[str, Any]:
    """Say what is found for one row: its finding, what differs, and what that means."""
    record, amount, currency, state, gone, others, other_amount = stripe
    found = {
        **row,
        "stripe_record": record,
        "stripe_amount": amount,
        "stripe_currency": currency,
        "stripe_state": state,
        "other_amount": other_amount,
        "differences": None,
    }
    if row["problem"] is not None:
        return {**found, "finding": INVALID, "message": row["problem"]}
    if record is None:
        return {**found, **_without_record(row, gone=gone, listed=listed)}
    if others:
        return {**found, "finding": DUPLICATE, "message": f"It is recorded by {others} as well. Undo all but one."}
    differences = [name for name, differs in _compared(row, record, amount, currency, state) if differs]
    if not differences:
        return {**found, "finding": AGREES, "message": None}
    said = "Extract, ledger and Stripe do not say the same. Correct the one that is wrong."
    return {**found, "finding": DIFFERENT, "differences": " ".join(differences), "message": said}


def _without_record(row: dict[str, Any], *, gone: bool, listed: bool) -> dict[str, Any]:
    if row["ledger_record"] is not None:
        if gone:
            return {"finding": MISSING, "message": "The ledger has a record for it that Stripe does not have."}
        return {"finding": NOT_CHECKED, "message": "Its record could not be asked for. Compare again."}
    if listed:
        return {"finding": MISSING, "message": "No record with its key was made in the time that was listed."}
    if row["may_exist"]:
        return {"finding": NOT_CHECKED, "message": "It may be recorded; the list of records was not read."}
    return {"finding": MISSING, "message": "By the ledger it was never recorded. The list of records was not read."}


def _compared(row: dict[str, Any], record: str, amount: int, currency: str, state: str) -> Iterator[tuple[str, bool]]:
    yield "ledger", row["ledger_state"] != "confirmed"
    yield "record", row["ledger_record"] is not None and row["ledger_record"] != record
    yield "amount", amount != row["extract_amount"]
    yield "currency", currency != row["extract_currency"]
    yield "state", row["outcome"] in _STATES and state not in _STATES[row["outcome"]]
    yield "content", row["same_content"] is False


def _relation(path: Path, columns: tuple[str, ...]) -> str:
    def kind(name: str) -> str:
        return "BIGINT" if name in _NUMBERS else "BOOLEAN" if name in _BOOLEANS else "VARCHAR"

    typed = ", ".join(f"{name}: '{kind(name)}'" for name in columns)
    return f"read_json({_quoted(path)}, format = 'newline_delimited', columns = {{{typed}}})"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
