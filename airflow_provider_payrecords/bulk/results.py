"""
The results file: one line per row, in row order, as CSV, JSON lines or Parquet by its suffix.

Lines are appended to ``<file>.<token>.partial`` as rows are done, and those that need a look to another file too. A
file of an earlier run is replaced only at the end, in one step, by a whole one: CSV and JSON lines are moved to where
they were asked for, and DuckDB copies them to Parquet.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import duckdb
import fsspec

from airflow_provider_payrecords.bulk.ordered import OrderedLines
from airflow_provider_payrecords.bulk.places import Place, beside, exists, local_path, open_for_writing, remove, suffix
from airflow_provider_payrecords.core.errors import ResultsError, UsageError
from airflow_provider_payrecords.scratch import PrivateFolder, remove_abandoned_partials


class Line(NamedTuple):
    """
    The result of one row.

    Attributes:
        error_param: The field's dotted path, as a mapping spells it.
    """

    row_number: int
    source: str
    key: str | None
    state: str
    payment_record: str | None = None
    idempotency_key: str | None = None
    error_code: str | None = None
    error_param: str | None = None
    error_message: str | None = None
    request_id: str | None = None


FIELDS = Line._fields
"""Columns of a results file."""

_COLUMNS = {"row_number": "BIGINT", **dict.fromkeys(FIELDS[1:], "VARCHAR")}
_NEEDS_NO_LOOK = frozenset({"confirmed", "new"})
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_needs_quotes = re.compile(r'[",\r\n#]').search
_may_need_quotes = re.compile(r'["\r\n#]').search
_CSV, _PARQUET = ".csv", ".parquet"
_SUFFIXES = (".jsonl", ".ndjson", _CSV, _PARQUET)
_MEMORY = "64MB"
_REJECT = {"key": "key", "code": "error_code", "field": "error_param", "message": "error_message"}


class _Format(NamedTuple):
    """How lines are written, and read again; ``head`` stands before the first."""

    head: bytes
    write: Callable[[tuple[Any, ...]], str]
    read: Callable[[Iterator[str]], Iterable[dict[str, Any]]]


def _csv_line(values: tuple[Any, ...]) -> str:
    line = ",".join(["" if value is None else str(value) for value in values])
    # Nearly all lines are plain, which the whole line tells at once.
    if _may_need_quotes(line) or line.count(",") >= len(values) or "" in values:
        line = ",".join(map(_csv_cell, values))
    return line + "\n"


def _csv_cell(value: Any) -> str:
    """Return a value as DuckDB writes it, which keeps apart what the csv module does not: nothing, and empty text."""
    if value is None:
        return ""
    text = str(value)
    return text if text and not _needs_quotes(text) else '"' + text.replace('"', '""') + '"'


def _json_line(values: tuple[Any, ...]) -> str:
    return _encode(dict(zip(FIELDS, values, strict=True))) + "\n"


_CSV_FORMAT = _Format(_csv_line(FIELDS).encode(), _csv_line, csv.DictReader)
_JSON_FORMAT = _Format(b"", _json_line, partial(map, json.loads))


class Results:
    """
    The results of one run.

    Args:
        target: Where the file goes; None keeps nothing after the run.

    Raises:
        UsageError: The suffix is not known, or the place is a folder or a file of something else.
        ResultsError: The place cannot be written.
    """

    def __init__(self, target: Place | None) -> None:
        check_target(target)
        local = None if target is None else local_path(target)
        self._target = target
        self._kind = None if target is None else suffix(target)
        self._format = _CSV_FORMAT if self._kind == _CSV else _JSON_FORMAT
        self._to_look_at: OrderedLines | None = None
        self.path = None if target is None else str(local or target)
        self.rejects_path: str | None = None
        self._token = token_hex(4)  # two runs may have one results file: the last to finish wins, whole
        with self._explained():
            self._folder = PrivateFolder()
            try:
                if local:
                    remove_abandoned_partials(local)
                    remove_abandoned_partials(Path(beside(str(local), "rejects")))
                self._lines = self._open(target, "results")
            except OSError:
                self._folder.cleanup()
                raise

    def write(self, ordinal: int, line: Line) -> None:
        """Append the result of one row."""
        text = self._format.write(line).encode("utf-8", "replace")
        try:
            self._lines.add(ordinal, text)
            if line.state not in _NEEDS_NO_LOOK:
                self._look_at(ordinal, text)
        except OSError as error:
            raise self._cannot_be_written(error) from None

    def finish(self, *, whole: bool = True) -> None:
        """
        Put the lines into the file that was asked for, and those that need a look into one beside it.

        Args:
            whole: Every row has its line. If not, a file of an earlier run stays, and ``name.stopped.suffix`` is
                written instead.
        """
        with self._explained():
            for lines in self._files():
                lines.finish()
            if self._target is None:
                return
            target, stopped = self._target, beside(self._target, "stopped")
            if not whole and exists(target):
                target = stopped
                self.path = str(local_path(stopped) or stopped)
            elif whole and exists(stopped):
                remove(stopped)
                remove(beside(stopped, "rejects"))
            rejects = beside(target, "rejects")
            self._put(self._lines, target)
            if self._to_look_at is not None:
                self._put(self._to_look_at, rejects)
                self.rejects_path = str(local_path(rejects) or rejects)
            else:
                remove(rejects)

    def record_ids(self, limit: int) -> list[str]:
        """Return the first *limit* ids of confirmed records, in row order. Call after ``finish``."""
        return [str(row["payment_record"]) for row in self._first(self._lines, "confirmed", limit)]

    def first_rejects(self, limit: int) -> list[dict[str, Any]]:
        """Return the first *limit* rejected rows, in row order. Call after ``finish``."""
        rows = [] if self._to_look_at is None else self._first(self._to_look_at, "rejected", limit)
        return [
            {"row_number": int(row["row_number"]), **{name: row[field] or None for name, field in _REJECT.items()}}
            for row in rows
        ]

    def close(self) -> None:
        """Remove what was needed only while the run went on."""
        for lines in self._files():
            lines.close()
        self._folder.cleanup()

    def _look_at(self, ordinal: int, text: bytes) -> None:
        if self._to_look_at is None:
            rejects = None if self._target is None else beside(self._target, "rejects")
            self._to_look_at = self._open(rejects, "rejects")
        self._to_look_at.add(ordinal, text)

    def _files(self) -> list[OrderedLines]:
        return [lines for lines in (self._lines, self._to_look_at) if lines is not None]

    def _open(self, target: Place | None, name: str) -> OrderedLines:
        path = self._beside(target, name, "partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        return OrderedLines(path, self._format.head)

    def _beside(self, target: Place | None, name: str, word: str) -> Path:
        local = None if target is None else local_path(target)
        return Path(f"{local}.{self._token}.{word}") if local else self._folder.path / f"{name}.{word}"

    def _first(self, lines: OrderedLines, state: str, limit: int) -> list[dict[str, Any]]:
        rows = self._format.read(str(line, "utf-8") for line in lines.lines())
        return list(islice((row for row in rows if row["state"] == state), limit))

    def _put(self, lines: OrderedLines, target: Place) -> None:
        local = local_path(target)
        written = self._as_parquet(lines, target) if self._kind == _PARQUET else lines.path
        if local:
            written.replace(local)
            return
        with open_for_writing(target) as remote, written.open("rb") as file:
            shutil.copyfileobj(file, remote)

    def _as_parquet(self, lines: OrderedLines, target: Place) -> Path:
        written = self._beside(target, "parquet", "sorted")
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in _COLUMNS.items())
        # Every part is a constant of this module but the paths, and they are quoted.
        query = (
            f"COPY (SELECT * FROM read_json({_quoted(lines.path)}, format = 'newline_delimited', "  # noqa: S608 - quoted
            f"columns = {{{columns}}})) TO {_quoted(written)} (FORMAT parquet)"
        )
        temporary = str(self._folder.path)
        try:
            with duckdb.connect(
                ":memory:", config={"memory_limit": _MEMORY, "threads": "1", "temp_directory": temporary}
            ) as database:
                database.execute(query)
        except duckdb.Error:
            written.unlink(missing_ok=True)
            raise
        return written

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, duckdb.Error) as error:
            raise self._cannot_be_written(error) from None

    def _cannot_be_written(self, error: OSError | duckdb.Error) -> ResultsError:
        return ResultsError(
            f"The results file {self.path or '(temporary)'} cannot be written: {_reason(error)}. Choose another place; "
            "the ledger holds every outcome, so running again sends nothing twice."
        )


def check_target(target: Place | None) -> None:
    """
    Check that results can go to *target*, before anything is sent.

    Raises:
        UsageError: The suffix is not known, or it is a folder or a file of something else.
    """
    if target is None:
        return
    if suffix(target) not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        name = str(target).rsplit("/", 1)[-1]
        raise UsageError(f"Results cannot be written as {name}: end its name in one of {known}.")
    local = local_path(target)
    if local is None:
        _check_scheme(target)
        return
    if local.is_dir():
        raise UsageError(f"{local} is a folder. Name a file in it for the results.")
    for path in (local, Path(beside(str(local), "rejects"))):
        if not may_be_replaced(path):
            raise UsageError(f"{path} is there and is not a results file of ours. Give the results another name.")


def _check_scheme(target: Place) -> None:
    if hasattr(target, "open"):
        return
    scheme = str(target).partition("://")[0]
    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"Results cannot go to {scheme}://: {error}. Install what is missing, or give a path."
        ) from None


def may_be_replaced(path: Path, fields: tuple[str, ...] = FIELDS) -> bool:
    """Say whether *path* is free or a file of *fields*, which are ours: an extract, a mapping or a ledger is not."""
    try:
        if not path.exists() or path.stat().st_size == 0:
            return True
        kind = "parquet" if suffix(path) == ".parquet" else "csv" if suffix(path) == ".csv" else "json"
        with duckdb.connect(":memory:") as database:
            found = database.execute(f"SELECT * FROM read_{kind}({_quoted(path)}) LIMIT 0").description  # noqa: S608 - quoted
    except (OSError, duckdb.Error):
        return False
    return tuple(column[0] for column in found or ()) == fields


def _reason(error: OSError | duckdb.Error) -> str:
    """Return what the system said; the rest of DuckDB's text may quote lines of the file."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    said = str(error)
    return next((text for text in map(os.strerror, errno.errorcode) if text in said), type(error).__name__)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
