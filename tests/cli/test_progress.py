"""Progress as lines, and as a bar on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_payrecords.bulk import Progress
from airflow_provider_payrecords.cli.progress import Lines, line_of
from tests.cli.command import MODULE

COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?3[0-9]")


def progress(done: int, total: int | None = None, **counts: int) -> Progress:
    return Progress(rows_done=done, total_rows=total, counts=counts, requests=done, rate=20)


def test_a_line_has_rows_rate_remaining_time_and_trouble() -> None:
    assert line_of(progress(100, 7300, rejected=3, confirmed=97), 10) == (
        "100 of 7300 rows, 10.0 rows/s, 0:12:00 left, 3 rejected"
    )


def test_without_a_total_nothing_is_promised() -> None:
    assert line_of(progress(100), 10) == "100 rows, 10.0 rows/s"


def test_before_the_first_row_no_time_is_guessed() -> None:
    assert line_of(progress(0, 10), 5) == "0 of 10 rows, 0.0 rows/s"


def test_lines_come_at_most_every_five_seconds() -> None:
    times = iter([0.0, 0.1, 4.9, 5.0, 5.1, 9.9, 10.0])
    put: list[str] = []
    lines = Lines(lambda: next(times), put.append)
    for done in range(1, 7):
        lines(progress(done, 10))
    assert [line.split()[0] for line in put] == ["3", "6"]


@pytest.fixture
def on_a_terminal(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a command with a terminal for all streams and gives what it showed."""

    def show(arguments: list[str], **environment: str) -> str:
        ours, theirs = pty.openpty()
        variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        process = subprocess.Popen(
            [*MODULE, *arguments],
            cwd=tmp_path,
            env={**variables, "COLUMNS": "100", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b"".join(_read_all(ours))
        os.close(ours)
        assert process.wait(30) == 0
        return shown.decode()

    return show


def _read_all(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other end is closed
            return
        if not part:
            return
        yield part


def test_a_terminal_shows_a_bar_and_then_tables(
    on_a_terminal: Callable[..., str], report_arguments: Callable[..., list[str]]
) -> None:
    shown = on_a_terminal(report_arguments(40))
    assert "━" in shown
    assert "40/40" in shown
    assert COLOUR.search(shown)
    assert "Finished" in shown.rpartition("━")[2]
    assert "840.00" in shown.rpartition("Money")[2]


def test_no_color_is_obeyed(on_a_terminal: Callable[..., str], report_arguments: Callable[..., list[str]]) -> None:
    assert not COLOUR.search(on_a_terminal(report_arguments(5), NO_COLOR="1"))


def test_a_dumb_terminal_gets_no_bar(
    on_a_terminal: Callable[..., str], report_arguments: Callable[..., list[str]]
) -> None:
    assert "━" not in on_a_terminal(report_arguments(5), TERM="dumb")
