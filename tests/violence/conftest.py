"""A workspace whose ledger is SQLite or PostgreSQL, and servers that die with the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.command_line import Workspace
from tests.acceptance.conftest import good_extract
from tests.foreign.fixtures import start_server

__all__ = ["good_extract", "start_server"]


@pytest.fixture
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return an empty workspace; parametrized indirectly, one with a ledger of the kind that is named."""
    folder = tmp_path / "work"
    folder.mkdir()
    kind = getattr(request, "param", "sqlite")
    return Workspace(folder, request.getfixturevalue("empty_postgresql")() if kind == "postgresql" else None)
