"""What the tests of one process share: the deployment on Celery, the Airflow of ``make airflow``, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import Rig, celery_rig
from tests.e2e.standalone import Standalone, standalone

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]
PATIENCE_MILLISECONDS = 60_000
MAX_HEIGHT = 8_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, postgresql: str) -> Iterator[Rig]:
    """Return a running Airflow on Celery, Redis and PostgreSQL."""
    with celery_rig(tmp_path_factory.mktemp("celery"), postgresql) as running:
        yield running


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Return a running Airflow with all examples."""
    with standalone(tmp_path_factory.mktemp("airflow")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return the system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, airflow: Standalone) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an empty page: its width, and ``light`` or ``dark``."""
    contexts, errors = [], []

    def open_one(width: int = 1400, scheme: str = "light", height: int = 900) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US", base_url=airflow.base
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        # Airflow remembers the mode here; nothing there means the system's.
        context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """Return an empty page."""
    return open_page()


@pytest.fixture(scope="session")
def shoot(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Callable[[Any, str], None]:
    """
    Return a function that keeps a picture of a page under a name.

    They go into ``screenshots`` below pytest's basetemp. With ``SCREENSHOTS=docs`` those that
    ``docs/pages.md`` shows are renewed as well.
    """
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    shown = repository / "docs" / "images" / "pages"
    is_asked = os.environ.get("SCREENSHOTS") == "docs"
    renewed = (repository / "docs" / "pages.md").read_text("utf-8") if is_asked else ""

    def keep(page: Any, name: str) -> None:
        # Airflow scrolls a part of the page, so the window is made as high as that part.
        usual = page.viewport_size
        high = page.evaluate("Math.max(...[...document.querySelectorAll('*')].map((one) => one.scrollHeight))")
        page.set_viewport_size({"width": usual["width"], "height": max(usual["height"], min(high, MAX_HEIGHT))})
        page.evaluate("document.querySelectorAll('*').forEach((one) => one.scrollTo(0, 0))")
        page.screenshot(path=folder / f"{name}.png", animations="disabled")
        page.set_viewport_size(usual)
        if f"images/pages/{name}.png" in renewed:
            shown.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / f"{name}.png", shown)

    return keep
