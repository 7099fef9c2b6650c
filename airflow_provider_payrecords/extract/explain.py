"""DuckDB's errors in our words. Its own messages quote the data, so only places and kinds are taken from them."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from airflow_provider_payrecords.core.errors import ExtractError, MappingError, UsageError

_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_COLUMNS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_JSON_PLACE = re.compile(r"\bin (line|record/value) (\d+)")
_JSON_REASON = re.compile(r"\bin (?:line|record/value) \d+: ([a-z ,\-UTF8]{1,80})\.")
_ABOUT_TEXT = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.PermissionException)

_NO_ROOM = tuple(map(os.strerror, (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)))

_CSV_FAULTS = (
    ("unterminated quote", "a quote is not closed, or text follows one; set options.quote if it is another"),
    ("Invalid unicode", "the bytes are not UTF-8; set options.encoding, for example latin-1 or cp1252"),
    ("Maximum line size", "the line is longer than 2 MB; a quote before it may not be closed"),
    ("invalid state", "quotes or line ends are not regular; check options.quote, and that all lines end alike"),
)


@contextmanager
def explained(name: str, format_name: str) -> Iterator[None]:
    """
    Raise DuckDB's errors in our words.

    Args:
        name: What people know the file by.
        format_name: What it is read as.

    Raises:
        ExtractError: The file cannot be read.
    """
    try:
        yield
    except duckdb.Error as error:
        raise _extract_error(error, name, format_name) from None


def lacks_room(error: Exception) -> bool:
    """Say whether there was no space for the copy of the extract."""
    return isinstance(error, duckdb.OutOfMemoryException) or any(sign in str(error) for sign in _NO_ROOM)


def no_room(name: str) -> ExtractError:
    """Return the error for an extract that there is no space to unpack."""
    return ExtractError(f"{name}: no space to unpack the extract. Free space in the temporary folder (TMPDIR).")


def _extract_error(error: duckdb.Error, name: str, format_name: str) -> ExtractError:
    text = str(error)
    if lacks_room(error):
        return no_room(name)
    if format_name == "parquet":
        return ExtractError(f"{name} is no whole Parquet file: cut off or damaged. Write or copy it again.")
    reason = _csv(text) if format_name == "csv" else _json(text)
    return ExtractError(f"{name}{reason}. No row was taken.")


def _csv(text: str) -> str:
    line = _CSV_LINE.search(text)
    place = f", line {line[1]}" if line else ""
    columns = _CSV_COLUMNS.search(text)
    if columns:
        return (
            f"{place} has {columns[2]} columns and the header has {columns[1]}: "
            "correct the line, or set options.delimiter or options.quote"
        )
    fault = next((meaning for sign, meaning in _CSV_FAULTS if sign in text), "not a CSV file with these options")
    return f"{place}: {fault}"


def _json(text: str) -> str:
    place, reason = _JSON_PLACE.search(text), _JSON_REASON.search(text)
    where = f", near {'line' if place[1] == 'line' else 'record'} {place[2]}" if place else ""
    if "expected records" in text:
        return ": a record is no JSON object; each must be an object of columns"
    if "duplicate key" in text:
        return f"{where}: one object has a key twice; correct it"
    return f"{where}: not JSON that can be read{f' ({reason[1]})' if reason else ''}; correct or write it again"


def sql_error(error: duckdb.Error, option: str) -> UsageError:
    """Return what *error*, raised by the mapping's *option* (``where`` or ``sql``), means for a person."""
    if lacks_room(error):
        return no_room(f"The mapping's {option}")
    kind = type(error).__name__.removesuffix("Exception")
    if isinstance(error, _ABOUT_TEXT):
        first = str(error).partition("\n")[0]
        return MappingError(f"The mapping's {option} cannot run. {first}")
    return MappingError(
        f"The mapping's {option} failed on a value of the extract ({kind} error). Use TRY_CAST if it may not fit."
    )
