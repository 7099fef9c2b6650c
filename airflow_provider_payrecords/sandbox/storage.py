"""
Where commits go: nowhere, or into a file that survives ``kill -9``.

The file is a log in one SQLite table, one row a commit: what changed, the answer kept under the idempotency key, and
the journal line, together or not at all. Starting reads it from the beginning. SQLite is here for its atomic
appends and its lock, so that two sandboxes never write one file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox.idempotency import SavedAnswer
from airflow_provider_payrecords.sandbox.journal import JournalLine
from airflow_provider_payrecords.sandbox.objects import Change, Realm

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one request leaves behind. ``change`` and ``line`` belong together; ``answer`` may come alone."""

    realm: Realm
    change: Change | None = None
    answer: SavedAnswer | None = None
    line: JournalLine | None = None


class Storage(Protocol):
    """Where commits go."""

    def read(self) -> Iterator[Commit]:
        """Yield all commits, oldest first."""
        ...

    def append(self, commit: Commit) -> None:
        """Write one commit; it survives the process once this returns."""
        ...

    def clear(self) -> None:
        """Forget all commits."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class NoStorage:
    """Memory only."""

    def read(self) -> Iterator[Commit]:
        """Yield nothing."""
        yield from ()

    def append(self, commit: Commit) -> None:
        """Write nothing."""

    def clear(self) -> None:
        """Forget nothing."""

    def close(self) -> None:
        """Close nothing."""


class FileStorage:
    """
    A file of commits.

    Args:
        path: The file; made if it is not there.

    Raises:
        UsageError: Another sandbox has the file open, or it is something else.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._adapter = TypeAdapter(Commit)
        # The engine's lock keeps calls apart; they may come from different threads.
        self._connection = sqlite3.connect(self._path, timeout=1, check_same_thread=False, isolation_level=None)
        try:
            self._open()
        except sqlite3.Error as error:
            self.close()
            raise UsageError(
                f"The sandbox's state file {self._path} cannot be opened: {error}. Is another sandbox using it?"
            ) from None

    def read(self) -> Iterator[Commit]:
        """Yield all commits, oldest first."""
        for (text,) in self._connection.execute("SELECT content FROM commits ORDER BY number"):
            yield self._adapter.validate_json(text)

    def append(self, commit: Commit) -> None:
        """Write one commit in a transaction of its own."""
        content = self._adapter.dump_json(commit).decode()
        self._connection.execute("INSERT INTO commits (content) VALUES (?)", (content,))

    def clear(self) -> None:
        """Forget all commits."""
        self._connection.execute("DELETE FROM commits")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _open(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        # The process may be killed at any time, which this survives; only a power cut could take the last commits.
        execute("PRAGMA synchronous = NORMAL")
        execute("BEGIN IMMEDIATE")
        execute("CREATE TABLE IF NOT EXISTS commits (number INTEGER PRIMARY KEY, content TEXT NOT NULL)")
        (version,) = execute("PRAGMA user_version").fetchone()
        if version not in (0, _FORMAT):
            self.close()
            raise UsageError(f"The sandbox's state file {self._path} was written by another version. Use a new file.")
        execute(f"PRAGMA user_version = {_FORMAT}")
        execute("COMMIT")
