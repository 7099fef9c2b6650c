"""
Lines that come nearly in order, written to a file in order.

A line waits for those before it, a few thousand at most. One that comes later still is put aside on disk, and at the
end the file is copied once with such lines in their places. Nothing is sorted but their positions, so memory stays
small whatever comes when.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from heapq import heappop, heappush
from pathlib import Path
from typing import IO

from airflow_provider_payrecords.scratch import open_held

WINDOW_LINES = 4000
"""Lines that wait for those of earlier rows."""
_COPIED_BYTES = 1 << 16


class OrderedLines:
    """
    A file of lines in the order of their ordinals, which are whole numbers from 0 and each given once.

    Args:
        path: The file; it is made, or emptied. Who wants it moves it after ``finish``.
        head: What stands before the first line.

    Raises:
        OSError: From each method, where the file cannot be written.
    """

    def __init__(self, path: Path, head: bytes = b"") -> None:
        self.path = path
        self._files: list[IO[bytes]] = []
        self._file = self._open(path)
        self._file.write(head)
        self._waiting: list[tuple[int, bytes]] = []
        self._next = 0
        self._late: _LateLines | None = None
        # A late line belongs before the line that follows the gap it left: ordinals of such lines, and where they begin
        self._after_gap, self._offsets = array("q"), array("q")

    def add(self, ordinal: int, line: bytes) -> None:
        """Take a line, with its end."""
        if ordinal == self._next:
            self._next += 1
            self._file.write(line)
        else:
            heappush(self._waiting, (ordinal, line))
        while self._waiting and (self._waiting[0][0] <= self._next or len(self._waiting) > WINDOW_LINES):
            self._append(*heappop(self._waiting))

    def finish(self) -> None:
        """Write all lines that were taken to the file, each in its place."""
        while self._waiting:
            self._append(*heappop(self._waiting))
        self._file.flush()
        if self._late is not None:
            self._merge(self._late)

    def lines(self) -> Iterator[bytes]:
        """Read what ``finish`` wrote, wherever the file was moved since: pieces that each end with a line feed."""
        self._file.seek(0)
        return iter(self._file)

    def close(self) -> None:
        """Close the file, and remove it if it was not moved."""
        for path in (self.path, self._beside("late"), self._beside("merged")):
            path.unlink(missing_ok=True)
        for file in self._files:
            # What could not be written is not wanted any more, and the file is closed in any case.
            with suppress(OSError):
                file.close()

    def _append(self, ordinal: int, line: bytes) -> None:
        if ordinal < self._next:
            if self._late is None:
                self._late = _LateLines(self._open(self._beside("late")))
            self._late.add(ordinal, line)
            return
        if ordinal > self._next:
            self._after_gap.append(ordinal)
            self._offsets.append(self._file.tell())
        self._next = ordinal + 1
        self._file.write(line)

    def _merge(self, late: _LateLines) -> None:
        merged = self._open(self._beside("merged"))
        end, copied = self._file.tell(), 0
        for ordinal, line in late.sorted():
            gap = bisect_right(self._after_gap, ordinal)
            copied = self._copy(merged, copied, self._offsets[gap] if gap < len(self._offsets) else end)
            merged.write(line)
        self._copy(merged, copied, end)
        merged.flush()
        self._beside("merged").replace(self.path)
        self._file = merged

    def _copy(self, target: IO[bytes], start: int, end: int) -> int:
        self._file.seek(start)
        while start < end:
            piece = self._file.read(min(_COPIED_BYTES, end - start))
            target.write(piece)
            start += len(piece)
        return end

    def _open(self, path: Path) -> IO[bytes]:
        file = open_held(path)
        self._files.append(file)
        return file

    def _beside(self, word: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{word}")


class _LateLines:
    """Lines on disk in the order they came, and where each is: 24 bytes of memory a line, 60 while they are sorted."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ordinals, self._starts = array("q"), array("q", [0])

    def add(self, ordinal: int, line: bytes) -> None:
        self._file.write(line)
        self._ordinals.append(ordinal)
        self._starts.append(self._starts[-1] + len(line))

    def sorted(self) -> Iterator[tuple[int, bytes]]:
        self._file.flush()
        for place in sorted(range(len(self._ordinals)), key=self._ordinals.__getitem__):
            self._file.seek(self._starts[place])
            yield self._ordinals[place], self._file.read(self._starts[place + 1] - self._starts[place])
