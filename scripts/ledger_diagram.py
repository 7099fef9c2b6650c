"""
Draw the life of a ledger entry from the table in ``core/lifecycle.py``, as docs/ledger.md shows it.

Run it after a change of the table: ``.venv/bin/python scripts/ledger_diagram.py``. A test compares page and table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from airflow_provider_payrecords.core.lifecycle import TRANSITIONS, Event, State

PAGE = Path(__file__).resolve().parent.parent / "docs" / "ledger.md"
_BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)


def draw(transitions: Mapping[tuple[State, Event], State]) -> str:
    """Return *transitions* as a Mermaid state diagram: one arrow between two states, with all events that take it."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (before, event), after in transitions.items():
        arrows.setdefault((before, after), []).append(event.value.replace("_", " "))
    lines = [f"    {before.value} --> {after.value}: {', '.join(events)}" for (before, after), events in arrows.items()]
    return "\n".join(("stateDiagram-v2", f"    [*] --> {State.PLANNED.value}", *lines)) + "\n"


def with_diagram(page: str, diagram: str) -> str:
    """
    Return the Markdown text *page* with *diagram* in its Mermaid block.

    Raises:
        ValueError: The page does not have exactly one such block.
    """
    if len(_BLOCK.findall(page)) != 1:
        raise ValueError("The page must have exactly one Mermaid block.")
    return _BLOCK.sub(lambda _: diagram, page)


if __name__ == "__main__":
    PAGE.write_text(with_diagram(PAGE.read_text("utf-8"), draw(TRANSITIONS)), "utf-8")
