"""Our own sandbox killed and started again under a run: what it keeps in its file is each payment once."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.acceptance.command_line import Workspace, finish, kill_group, wait_until
from tests.acceptance.conftest import MakeExtract

ROWS = 120


@contextmanager
def _sandbox(workspace: Workspace, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``payrecords sandbox`` with its state in a file."""
    process = workspace.start(["sandbox", f"--port={port}", f"--state={workspace.folder / 'sandbox.db'}", "--json"])
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"], process
    finally:
        if process.poll() is None:
            kill_group(process)
        process.communicate()


def _effects(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/_sandbox/journal", timeout=30) as answer:  # noqa: S310 - our own loopback URL
        effects: list[dict[str, Any]] = json.load(answer)["data"]
    return effects


def test_a_sandbox_killed_and_started_again_in_the_middle_records_each_payment_once(
    workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract = good_extract(ROWS)
    with _sandbox(workspace) as (url, sandbox):
        process = workspace.start(workspace.report_arguments(url, "--rate=40", "--concurrency=6"))
        wait_until(lambda: len(_effects(url)) >= 20 or process.poll() is not None, "payments at the sandbox")
        kill_group(sandbox)
        sandbox.wait(timeout=60)
    with _sandbox(workspace, int(url.rpartition(":")[2])) as (again, _):
        assert again == url
        result = finish(process)
        result.expect(0, 3)
        if result.exit_code == 3:
            workspace.report(url).expect(0)
        effects = _effects(url)
    assert Counter(effect["payrecords_key"] for effect in effects) == Counter(extract.keys)
    assert workspace.ledger_ids() == {effect["payrecords_key"]: effect["payment_record"] for effect in effects}
