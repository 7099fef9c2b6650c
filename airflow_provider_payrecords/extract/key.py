"""Keys: the text that identifies a payment, and the memory of the keys an extract has already shown."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from airflow_provider_payrecords.extract.cell import CellError, refuse_large_float

MAX_KEY = 500
"""Characters; the key is stored as a metadata value, which has at most as many."""

_DIGEST_BYTES = 12
_CACHE_KIBIBYTES = 8192
_FIRST = "SELECT number, content FROM seen WHERE key = ?"


def key_text(cells: Iterable[Any]) -> str:
    r"""
    Return the key of a row.

    Args:
        cells: The values of the key columns. Several are joined by ``|``; a ``|`` or ``\`` inside one is escaped by
            ``\``, so that no two different rows share a key.

    Raises:
        CellError: A part is missing, or no exact and printable text.
    """
    parts = [_part(cell) for cell in cells]
    if len(parts) > 1:
        parts = [part.replace("\\", "\\\\").replace("|", "\\|") for part in parts]
    key = "|".join(parts)
    if len(key) > MAX_KEY:
        raise CellError(
            "invalid_key", f"the key has {len(key)} characters and at most {MAX_KEY} fit; name other columns"
        )
    return key


def _part(cell: Any) -> str:
    if type(cell) is str and cell.isprintable() and cell and cell == cell.strip():
        return cell
    if cell is None or cell == "":
        raise CellError("missing_key", "the key is empty; every row needs one, or leave such rows out with where")
    refuse_large_float(cell)
    if isinstance(cell, bool) or not isinstance(cell, (str, int, Decimal, date, uuid.UUID)):
        raise CellError("invalid_key", f"a {type(cell).__name__} is no stable key; cast the column to text or integer")
    if isinstance(cell, date):
        return cell.isoformat()
    text = format(cell, "f") if isinstance(cell, Decimal) else str(cell)
    if text != text.strip():
        raise CellError("invalid_key", "the key has spaces around it; trim it upstream or with sql: trim(column)")
    if not text.isprintable() and any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text):
        raise CellError("invalid_key", "the key has control characters; clean the column upstream")
    return text


class KeyIndex:
    """
    Which row showed a key first, and a digest of its content.

    Kept in a private temporary database of SQLite: at most 8 MiB of memory whatever the number of rows, and about
    50 MB of disk per million once it spills. Digests of 12 bytes stand for keys. For contents Python's own hash is
    enough, keyed by a secret of the process: it only says how a repetition is called.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, number INT, content INT) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def repeated(self, rows: Sequence[tuple[int, str, Any]]) -> dict[int, tuple[int, bool]]:
        """
        Remember the keys of *rows*, and say which were shown before.

        Args:
            rows: Row number, key, and the cells of the row, whose ``repr`` is compared.

        Returns:
            For the number of each row whose key was shown before: the number of the first row with it, and whether
            their contents are the same.
        """
        digests = [(_digest(key), number, hash(repr(content))) for number, key, content in rows]
        added = self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", digests).rowcount
        if added == len(digests):
            return {}
        found = {}
        for digest, number, content in digests:
            first, known = self._database.execute(_FIRST, (digest,)).fetchone()
            if first != number:
                found[number] = (first, known == content)
        return found

    def close(self) -> None:
        """Drop the memory and its file."""
        self._database.close()


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
