"""What axe-core, the usual checker of accessible pages, has against one of ours."""

from __future__ import annotations

from typing import Any

_OPTIONS = {
    "resultTypes": ["violations"],
    # The frame that Airflow puts around every page has no landmarks.
    "rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}},
}
_AT_REST = "*, *::before, *::after { transition: none !important; animation: none !important; }"


def violations(page: Any) -> list[str]:
    """Return each rule that the page breaks, and the parts of it that do: names, roles, contrast and the like."""
    from axe_playwright_python.sync_playwright import Axe

    page.mouse.move(0, 0)
    page.add_style_tag(content=_AT_REST)
    found = Axe().run(page, options=_OPTIONS).response
    assert len(found["passes"]) > 20, "axe saw hardly anything"
    return [
        f"{one['id']}: {part['html']} {part.get('failureSummary', '')}"
        for one in found["violations"]
        for part in one["nodes"]
    ]
