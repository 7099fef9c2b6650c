"""Nothing answers, and goes on not answering: the run ends by itself, says why, and has lost nothing."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import API_KEY, finish
from tests.acceptance.verdicts import assert_adds_up, assert_exactly_once
from tests.violence.patience import Scenes

NOTHING_WAS_SENT = "so nothing was sent"


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("no such name", "planned", NOTHING_WAS_SENT),
        ("connection refused", "planned", NOTHING_WAS_SENT),
        ("a proxy that answers 502", "planned", NOTHING_WAS_SENT),
        ("a proxy that is gone", "planned", NOTHING_WAS_SENT),
        ("a front that answers 502", "unknown", "502"),
        ("never an answer", "unknown", "It may have taken effect"),
    ],
)
def test_a_run_that_nobody_answers_ends_says_why_and_completes_when_somebody_does(
    waiting_runs: Scenes, name: str, state: str, words: str
) -> None:
    scene = waiting_runs.by_name[name]
    stopped = finish(scene.process, timeout_seconds=300)
    stopped.expect(3)
    assert words in stopped.json["stop_reason"]
    assert "Run again" in stopped.json["stop_reason"]
    assert stopped.json["rows"] == len(scene.extract.rows)
    assert {entry["state"] for entry in scene.workspace.entries()} <= {"planned", state}
    assert state in {entry["state"] for entry in scene.workspace.entries()}
    assert API_KEY[8:] not in stopped.out + stopped.err
    scene.heal()
    result = finish(scene.again())
    result.expect(0)
    assert_exactly_once(scene.extract, scene.server, scene.workspace)
    assert_adds_up(result, scene.extract)
