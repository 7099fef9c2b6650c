"""docs/ledger.md against the table of the lifecycle."""

from __future__ import annotations

import re

import pytest

from airflow_provider_payrecords.core.lifecycle import TRANSITIONS, Event, State
from scripts.ledger_diagram import draw, with_diagram
from tests.docs.page import blocks, section, spans

PAGE = "docs/ledger.md"
_ARROW = re.compile(r"^    (\w+) --> (\w+): (.+)$", re.MULTILINE)


def test_diagram_is_the_one_drawn_from_the_table() -> None:
    drawn = draw(TRANSITIONS)
    assert [block.text for block in blocks(PAGE) if block.language == "mermaid"] == [drawn], (
        "run .venv/bin/python scripts/ledger_diagram.py"
    )


def test_diagram_says_all_that_the_table_says_and_no_more() -> None:
    drawn = {
        (State(before), Event(event.replace(" ", "_"))): State(after)
        for before, after, events in _ARROW.findall(draw(TRANSITIONS))
        for event in events.split(", ")
    }
    assert drawn == TRANSITIONS


def test_every_state_has_its_row() -> None:
    rows = [line.split(" | ")[0].strip("| ") for line in section(PAGE, "States").splitlines() if line.startswith("|")]
    assert rows[2:] == [state.value for state in State]


def test_a_page_without_a_place_for_the_diagram_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        with_diagram("# No diagram\n", draw(TRANSITIONS))


def test_codes_in_the_crash_matrix_are_explained_below_it() -> None:
    known = set(spans(section(PAGE, "Review")))
    named = {span for span in spans(section(PAGE, "The crash matrix")) if "_" in span}
    assert named - {"lease_seconds", "execution_timeout"} <= known
