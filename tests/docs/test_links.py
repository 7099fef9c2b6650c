"""Links lead somewhere, and pages keep to the form of all pages."""

from __future__ import annotations

import re

import pytest

from tests.docs.page import PAGES, REPOSITORY, anchors, links, prose, read

MAX_LINE = 120


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: str) -> None:
    folder = (REPOSITORY / page).parent
    for link in links(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else REPOSITORY / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(str(target.relative_to(REPOSITORY))), link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CONTRIBUTING.md"])
def test_prose_keeps_to_the_line_length(page: str) -> None:
    long = [line for line in prose(page).splitlines() if len(line) > MAX_LINE and not line.startswith("|")]
    assert not long


@pytest.mark.parametrize("page", PAGES)
def test_page_begins_with_its_title_and_what_it_is_for(page: str) -> None:
    assert re.match(r"# \S.*\n\n(?:\S|```)", read(page))


def test_the_front_page_leads_to_every_page() -> None:
    assert {page for page in PAGES if page.startswith("docs/")} <= set(links("README.md"))
