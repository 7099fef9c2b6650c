"""A workspace whose ledger is SQLite or PostgreSQL, and servers that die with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.command_line import Workspace
from tests.acceptance.conftest import good_extract
from tests.foreign.fixtures import start_server
from tests.violence.patience import Scenes

__all__ = ["good_extract", "start_server"]


@pytest.fixture
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return an empty workspace; parametrized indirectly, one with a ledger of the kind that is named."""
    folder = tmp_path / "work"
    folder.mkdir()
    kind = getattr(request, "param", "sqlite")
    return Workspace(folder, request.getfixturevalue("empty_postgresql")() if kind == "postgresql" else None)


@pytest.fixture(scope="session")
def waiting_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """Start the runs that wait long."""
    scenes = Scenes(tmp_path_factory.mktemp("waits"))
    yield scenes
    scenes.close()


@pytest.fixture(scope="session", autouse=True)
def _waiting_begins_early(request: pytest.FixtureRequest) -> None:
    """Let them wait while the other tests here run."""
    if any("waiting_runs" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("waiting_runs")
