"""A workspace a test, and servers that die with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command_line import Workspace
from tests.acceptance.extract_files import write_good_extract
from tests.acceptance.oracle import Extract
from tests.foreign.fixtures import start_server

__all__ = ["start_server"]

MakeExtract = Callable[..., Extract]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Workspace(folder)


@pytest.fixture
def good_extract(workspace: Workspace) -> MakeExtract:
    """Return a function that writes a CSV extract of good rows, with its mapping, into the workspace."""
    return lambda rows, seed=1: write_good_extract(workspace, rows, seed)
