"""
The results file: one line per row, in row order, as CSV, JSON lines or Parquet by its suffix.

Lines are appended to ``<file>.<token>.partial`` as rows are done. They come nearly in row order, and a few thousand
wait for those before them, so that most often DuckDB only has to copy them into the file that was asked for. Where a
row took longer than that, it sorts them, in bounded memory. A file of an earlier run is replaced only then, in one
step, by a whole one.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush, heappushpop
from pathlib import Path
from secrets import token_hex
from typing import Any, TextIO

import duckdb
import fsspec

from airflow_provider_payrecords.bulk.places import Place, beside, exists, local_path, open_for_writing, remove, suffix
from airflow_provider_payrecords.core.errors import ResultsError, UsageError
from airflow_provider_payrecords.scratch import PrivateFolder, open_held, remove_abandoned_partials

FIELDS = (
    "row_number",
    "source",
    "key",
    "state",
    "payment_record",
    "idempotency_key",
    "error_code",
    "error_param",
    "error_message",
    "request_id",
)
"""Columns of a results file. ``error_param`` is the field's dotted path, as a mapping spells it."""

_COLUMNS = {"ordinal": "BIGINT", "row_number": "BIGINT", **dict.fromkeys(FIELDS[1:], "VARCHAR")}
_NEEDS_A_LOOK = "state NOT IN ('confirmed', 'new')"
_NEEDS_NO_LOOK = frozenset({"confirmed", "new"})
_encode = json.JSONEncoder(ensure_ascii=False).encode

WINDOW_LINES = 4000
"""Lines that wait for those of earlier rows."""
_FORMATS = {
    ".jsonl": "FORMAT json",
    ".ndjson": "FORMAT json",
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet",
}


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
        self._waiting: list[tuple[int, str]] = []
        self._last = -1
        self._is_sorted = True
        self._to_look_at = 0
        self.path = None if target is None else str(local or target)
        self.rejects_path: str | None = None
        self._token = token_hex(4)  # two runs may have one results file: the last to finish wins, whole
        with self._explained():
            self._folder = PrivateFolder()
            try:
                self._partial, self._lines = self._begin_lines(local)
            except OSError:
                self._folder.cleanup()
                raise
        self._database = duckdb.connect(
            ":memory:", config={"memory_limit": "256MB", "threads": "1", "temp_directory": str(self._folder.path)}
        )

    def write(self, ordinal: int, line: dict[str, Any]) -> None:
        """Append the result of one row."""
        self._to_look_at += line["state"] not in _NEEDS_NO_LOOK
        waiting = (ordinal, _encode({"ordinal": ordinal, **line}))
        if len(self._waiting) < WINDOW_LINES:
            heappush(self._waiting, waiting)
        else:
            with self._explained():
                self._append(*heappushpop(self._waiting, waiting))

    def finish(self, *, whole: bool = True) -> None:
        """
        Sort the lines into the file that was asked for, and those that need a look into one beside it.

        Args:
            whole: Every row has its line. If not, a file of an earlier run stays, and ``name.stopped.suffix`` is
                written instead.
        """
        with self._explained():
            while self._waiting:
                self._append(*heappop(self._waiting))
            self._lines.close()
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
            self._copy("true", target)
            if self._to_look_at:
                self._copy(_NEEDS_A_LOOK, rejects)
                self.rejects_path = str(local_path(rejects) or rejects)
            else:
                remove(rejects)

    def record_ids(self, limit: int) -> list[str]:
        """Return the first *limit* ids of confirmed records, in row order. Call after ``finish``."""
        return [str(row[0]) for row in self._select("payment_record", "state = 'confirmed'", limit)]

    def first_rejects(self, limit: int) -> list[dict[str, Any]]:
        """Return the first *limit* rejected rows, in row order. Call after ``finish``."""
        rows = self._select("row_number, key, error_code, error_param, error_message", "state = 'rejected'", limit)
        return [dict(zip(("row_number", "key", "code", "field", "message"), row, strict=True)) for row in rows]

    def close(self) -> None:
        """Remove what was needed only while the run went on."""
        self._database.close()
        self._lines.close()
        self._partial.unlink(missing_ok=True)
        self._folder.cleanup()

    def _append(self, ordinal: int, line: str) -> None:
        self._is_sorted = self._is_sorted and ordinal >= self._last
        self._last = ordinal
        self._lines.write(line + "\n")

    def _order(self) -> str:
        return "" if self._is_sorted else "ORDER BY ordinal"

    def _begin_lines(self, local: Path | None) -> tuple[Path, TextIO]:
        if local is None:
            path = self._folder.path / "results.partial"
        else:
            remove_abandoned_partials(local)
            local.parent.mkdir(parents=True, exist_ok=True)
            path = Path(f"{local}.{self._token}.partial")
        return path, open_held(path)

    def _copy(self, where: str, target: Place) -> None:
        local = local_path(target)
        written = Path(f"{local}.{self._token}.sorted") if local else Path(self._folder.path, "results.sorted")
        kind = _FORMATS[suffix(self._target)]
        query = f"SELECT {', '.join(FIELDS)} FROM {self._relation()} WHERE {where} {self._order()}"  # noqa: S608
        self._database.execute(f"COPY ({query}) TO {_quoted(written)} ({kind})")
        if local:
            written.replace(local)
            return
        with open_for_writing(target) as remote, written.open("rb") as lines:
            shutil.copyfileobj(lines, remote)

    def _select(self, what: str, where: str, limit: int) -> list[tuple[Any, ...]]:
        # Every part is a constant of this module; only the path comes from outside, and it is quoted.
        query = f"SELECT {what} FROM {self._relation()} WHERE {where} {self._order()} LIMIT {int(limit)}"  # noqa: S608
        return self._database.execute(query).fetchall()

    def _relation(self) -> str:
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in _COLUMNS.items())
        return f"read_json({_quoted(self._partial)}, format = 'newline_delimited', columns = {{{columns}}})"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, duckdb.Error) as error:
            raise ResultsError(
                f"The results file {self.path or '(temporary)'} cannot be written: {_reason(error)}. Choose another "
                "place; the ledger holds every outcome, so running again sends nothing twice."
            ) from None


def check_target(target: Place | None) -> None:
    """
    Check that results can go to *target*, before anything is sent.

    Raises:
        UsageError: The suffix is not known, or it is a folder or a file of something else.
    """
    if target is None:
        return
    if suffix(target) not in _FORMATS:
        known = ", ".join(_FORMATS)
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
            found = database.execute(f"SELECT * FROM read_{kind}({_quoted(path)}) LIMIT 0").description  # noqa: S608
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
