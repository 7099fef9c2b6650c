"""
Servers that are late, gone or never there. Each run waits half a minute at most, so all of them wait at the same time.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.command_line import Workspace, finish, kill_group, wait_for_requests
from tests.acceptance.extract_files import write_good_extract
from tests.acceptance.oracle import Extract
from tests.acceptance.verdicts import assert_adds_up, assert_exactly_once
from tests.foreign.process import ForeignServer


@dataclass(frozen=True)
class Scene:
    """One run under way against one server."""

    extract: Extract
    server: ForeignServer
    workspace: Workspace
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Scenes:
    """The runs of this module."""

    late: Scene
    gone: Scene
    never_there: Scene
    frozen: Scene
    beside_frozen: Scene


def _prepare(folder: Path, seed: int, *options: str) -> tuple[Extract, ForeignServer, Workspace]:
    folder.mkdir()
    workspace = Workspace(folder)
    extract = write_good_extract(workspace, 48, seed)
    return extract, ForeignServer(folder.parent / f"{folder.name}.jsonl", *options), workspace


def _late(folder: Path) -> Scene:
    options = ("--mix=late", "--seed=61", "--delay-seconds=90", "--most-faults=1")
    extract, server, workspace = _prepare(folder, 61, *options)
    arguments = workspace.report_arguments(server.url, "--concurrency=48")
    return Scene(extract, server, workspace, workspace.start(arguments))


def _gone(folder: Path) -> Scene:
    extract, server, workspace = _prepare(folder, 62)
    process = workspace.start(workspace.report_arguments(server.url, "--rate=40"))
    wait_for_requests(server, process, 12)
    server.kill()
    return Scene(extract, server, workspace, process)


def _never_there(folder: Path) -> Scene:
    extract, server, workspace = _prepare(folder, 63)
    server.kill()
    return Scene(extract, server, workspace, workspace.start(workspace.report_arguments(server.url)))


def _frozen(folder: Path) -> tuple[Scene, Scene]:
    """Stop one run in the middle as a debugger would, and start a second one on the same ledger."""
    extract, server, workspace = _prepare(folder, 64)
    first = workspace.start(workspace.report_arguments(server.url, "--rate=40"))
    wait_for_requests(server, first, 12)
    first.send_signal(signal.SIGSTOP)
    second = workspace.start(workspace.report_arguments(server.url, f"--results={folder / 'second.jsonl'}"))
    return Scene(extract, server, workspace, first), Scene(extract, server, workspace, second)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """Start every run of this module; each test waits for its own."""
    folder = tmp_path_factory.mktemp("patience")
    pair = _frozen(folder / "frozen")
    started = Scenes(_late(folder / "late"), _gone(folder / "gone"), _never_there(folder / "never"), *pair)
    yield started
    for scene in (started.late, started.gone, started.never_there, *pair):
        if scene.process.poll() is None:
            kill_group(scene.process)
        scene.server.kill()


def test_a_server_that_goes_away_stops_the_run_and_a_rerun_completes(scenes: Scenes) -> None:
    scene = scenes.gone
    stopped = finish(scene.process)
    stopped.expect(3)
    assert stopped.json["status"] == "stopped"
    assert stopped.json["stop_reason"]
    assert sum(stopped.json["counts"].values()) == stopped.json["rows"]
    scene.server.start()
    result = scene.workspace.report(scene.server.url)
    result.expect(0)
    assert_exactly_once(scene.extract, scene.server, scene.workspace)
    assert_adds_up(result, scene.extract)


def test_a_server_that_was_never_there_stops_the_run_and_nothing_is_lost(scenes: Scenes) -> None:
    scene = scenes.never_there
    stopped = finish(scene.process)
    stopped.expect(3)
    assert stopped.json["counts"].get("confirmed", 0) == 0
    assert set(scene.workspace.ledger_ids()) == set()
    scene.server.start()
    scene.workspace.report(scene.server.url).expect(0)
    assert_exactly_once(scene.extract, scene.server, scene.workspace)


def test_an_answer_later_than_our_patience_is_asked_for_again_with_the_same_key(scenes: Scenes) -> None:
    scene = scenes.late
    finish(scene.process).expect(0)
    assert "late" in {line["delivery"] for line in scene.server.log()}
    assert_exactly_once(scene.extract, scene.server, scene.workspace)


def test_what_a_frozen_process_has_claimed_is_left_to_it(scenes: Scenes) -> None:
    second = finish(scenes.beside_frozen.process)
    second.expect(3)
    assert second.json["counts"]["held"] > 0
    scenes.frozen.process.send_signal(signal.SIGCONT)
    finish(scenes.frozen.process).expect(0)
    scenes.frozen.workspace.report(scenes.frozen.server.url).expect(0)
    assert_exactly_once(scenes.frozen.extract, scenes.frozen.server, scenes.frozen.workspace)
