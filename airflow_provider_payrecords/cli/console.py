"""
What is printed where: results to the standard output, progress and errors to the standard error.

On a terminal tables are drawn by rich; anywhere else the same tables are plain lines. Nothing printed is read as
markup, and characters that would steer a terminal are shown as ``�``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_payrecords.cli.exits import mask

if TYPE_CHECKING:
    from rich.console import Console

Row = Sequence[object]


def is_terminal() -> bool:
    """Say whether the standard output is a terminal."""
    return sys.stdout.isatty()


def prepare_streams() -> None:
    """Make sure that no character a stream cannot take ends the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(printable(text))


def note(text: str) -> None:
    """Print a line for the person in front of it, which is no part of the result."""
    print(printable(text), file=sys.stderr, flush=True)


def flush() -> None:
    """Hand what was printed to whoever reads it."""
    sys.stdout.flush()


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Print inside the block: a reader that goes away ends the printing, and not how the command ended."""
    try:
        yield
        flush()
    except BrokenPipeError:
        forget_reader()


def forget_reader() -> None:
    """Give what is left for a closed pipe to nobody: Python flushes at its end, and would end with 120."""
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say_json(value: Any) -> None:
    """Print *value* as JSON that any terminal and any encoding can carry."""
    print(json.dumps(value, indent=2 if is_terminal() else None))


def complain(text: str) -> None:
    """Print an error as one line, without keys."""
    note(f"error: {mask(' '.join(text.split()))}")


def table(title: str, columns: Sequence[str], rows: Sequence[Row], *, numbers: Sequence[str] = ()) -> None:
    """
    Print a table, or nothing if it has no rows.

    Args:
        numbers: Names of the columns that are aligned to the right.
    """
    if not rows:
        return
    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
    if is_terminal():
        _drawn_table(title, columns, cells, numbers)
    else:
        _plain_table(title, columns, cells, numbers)


def listing(title: str, columns: Sequence[str], rows: Sequence[Row], *, numbers: Sequence[str] = ()) -> None:
    """Print a table whose last column is prose: on a terminal it stands below each row, at the full width."""
    if not is_terminal() or not rows:
        table(title, columns, rows, numbers=numbers)
        return
    from rich.padding import Padding

    screen = _screen()
    screen.print(title, style="bold")
    for row in rows:
        *facts, prose = (printable("" if cell is None else str(cell)) for cell in row)
        screen.print(Padding("  ".join(fact for fact in facts if fact), (0, 0, 0, 2)))
        screen.print(Padding(prose, (0, 0, 0, 6)), style="dim")
    screen.print()


def printable(text: str) -> str:
    """Return *text* without characters that would steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "�" for character in text)


def _drawn_table(title: str, columns: Sequence[str], rows: list[list[str]], numbers: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        drawn.add_column(column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=place == 0)
    for row in rows:
        drawn.add_row(*row)
    screen = _screen()
    screen.print(title, style="bold", end="")
    screen.print(drawn)


def _screen() -> Console:
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


def _plain_table(title: str, columns: Sequence[str], rows: list[list[str]], numbers: Sequence[str]) -> None:
    lines = [list(columns), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    print(title)
    for line in lines:
        aligned = (
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        print(("  " + "  ".join(aligned)).rstrip())
    print()
