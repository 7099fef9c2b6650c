"""
Temporary files that a killed process does not leave for ever.

Whoever is killed removes nothing, and what stays may be the copy of an extract. So each such file or folder is locked
for as long as its process lives, and the next run removes those that nobody holds. Where a system has no such locks,
nothing is removed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl

_PREFIX = "payrecords-"
_LOCK = "lock"
_PARTIAL = r"\.([0-9a-f]{8})\.partial"


class PrivateFolder:
    """
    A temporary folder of this process alone.

    Attributes:
        path: Where it is. Not for a file named ``lock``.
    """

    def __init__(self) -> None:
        _remove_abandoned_folders()
        self._home = tempfile.TemporaryDirectory(prefix=_PREFIX)
        self.path = Path(self._home.name)
        self._lock = open_held(self.path / _LOCK)

    def cleanup(self) -> None:
        """Remove it. Calling twice does nothing."""
        self._home.cleanup()
        self._lock.close()


def open_held(path: Path) -> IO[bytes]:
    """Open a new file that is held until it is closed. Nobody ever sees it without its holder."""
    unheld = path.with_name(f"{path.name}.new")
    file = unheld.open("w+b")
    _hold(file.fileno())
    unheld.replace(path)
    return file


def _hold(descriptor: int) -> bool:
    """Lock an open file until it is closed. False if it is held already, or cannot be."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_abandoned_partials(target: Path) -> None:
    """Remove ``<target>.<token>.partial`` that nobody holds, and what else bears its token."""
    pattern = re.compile(re.escape(target.name) + _PARTIAL)
    with suppress(OSError):
        for path in list(target.parent.iterdir()):
            found = pattern.fullmatch(path.name)
            if found is None:
                continue
            with _held_if_abandoned(path) as abandoned:
                if abandoned:
                    ours = (target.parent.glob(f"*.{found.group(1)}.{word}") for word in ("sorted", "partial*"))
                    for left in chain.from_iterable(ours):
                        left.unlink(missing_ok=True)


def _remove_abandoned_folders() -> None:
    with suppress(OSError):
        with os.scandir(tempfile.gettempdir()) as entries:
            folders = [Path(entry) for entry in entries if entry.name.startswith(_PREFIX)]
        for folder in folders:
            with _held_if_abandoned(folder / _LOCK) as abandoned:
                if abandoned:
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held_if_abandoned(path: Path) -> Iterator[bool]:
    """Say whether nobody holds the file *path*; from then on we do."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        yield False
        return
    try:
        yield _hold(descriptor)
    finally:
        os.close(descriptor)
