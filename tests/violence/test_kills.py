"""``kill -9`` of a run at random moments, again and again, and then one run to the end."""

from __future__ import annotations

import random
import subprocess
import time

import pytest

from tests.acceptance.command_line import Workspace, kill_group, wait_for_requests, wait_until
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.oracle import Extract
from tests.acceptance.verdicts import assert_adds_up, assert_exactly_once, assert_export_agrees
from tests.foreign.fixtures import StartServer
from tests.foreign.process import ForeignServer

ROWS = 300
MOST_REQUESTS = 12
"""Before a kill. So many kills leave payments over for the next one, however slow this machine is."""


def _temporary(workspace: Workspace) -> dict[str, str]:
    """Return the environment in which temporary files can be counted."""
    (workspace.folder / "tmp").mkdir(exist_ok=True)
    return {"TMPDIR": str(workspace.folder / "tmp")}


def _kill(process: subprocess.Popen[str]) -> bool:
    """Return whether it was alive until now."""
    kill_group(process)
    process.communicate()
    return process.returncode == -9


def _kill_at_a_random_moment(workspace: Workspace, server: ForeignServer, chance: random.Random) -> bool:
    """Start a run; kill it in its first moments, or around some request. Return whether it was alive until then."""
    options = f"--concurrency={chance.choice((1, 4, 8))}", f"--rate={chance.choice((30, 60))}"
    goal = server.requests() + chance.randrange(1, MOST_REQUESTS)
    process = workspace.start(workspace.report_arguments(server.url, *options), environment=_temporary(workspace))
    if chance.random() < 0.8:
        wait_for_requests(server, process, goal)
    time.sleep(chance.uniform(0, 0.1))
    return _kill(process)


def _kill_while_it_ends(workspace: Workspace, extract: Extract, server: ForeignServer, chance: random.Random) -> None:
    """Start a run and kill it about when every payment was made: while it settles, sorts results, or is done."""
    process = workspace.start(workspace.report_arguments(server.url), environment=_temporary(workspace))
    made = len(extract.rows)
    wait_until(lambda: len(server.commits()) == made or process.poll() is not None, "every payment made")
    time.sleep(chance.uniform(0, 0.3))
    if process.poll() is None:
        _kill(process)
    process.communicate()


@pytest.mark.parametrize(
    ("workspace", "mix", "seed", "kills"),
    [
        ("sqlite", "clean", 1001, 13),
        ("sqlite", "network", 1002, 13),
        ("postgresql", "clean", 2001, 13),
        ("postgresql", "network", 2002, 13),
    ],
    indirect=["workspace"],
)
def test_after_kill_9_at_random_moments_a_run_to_the_end_records_each_payment_once(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, mix: str, seed: int, kills: int
) -> None:
    extract = good_extract(ROWS, seed)
    server = start_server(f"--mix={mix}", f"--seed={seed}", "--most-faults=1")
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for kill in range(kills):
        alive = _kill_at_a_random_moment(workspace, server, chance)
        assert alive, f"seed {seed}: the run ended before kill {kill}"
        assert max(server.stamped().values(), default=1) == 1, f"seed {seed}: doubled by kill {kill}"
    for _ in range(2):
        _kill_while_it_ends(workspace, extract, server, chance)
    result = workspace.run(workspace.report_arguments(server.url), environment=_temporary(workspace))
    result.expect(0)
    assert_exactly_once(extract, server, workspace)
    assert_adds_up(result, extract)
    assert_export_agrees(workspace)
    left = [path.name for path in workspace.folder.rglob("*") if path.suffix in (".partial", ".sorted")]
    assert left + [path.name for path in (workspace.folder / "tmp").iterdir()] == []
