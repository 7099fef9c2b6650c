"""Several Celery workers on one extract, some of them killed: each payment once, and the account's rate kept."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.bulk.world import payment
from tests.e2e.family import is_alive, kill, session_of
from tests.e2e.rig import SLOTS, Rig, wait_for

pytestmark = pytest.mark.e2e

PAYMENTS = 5_000
PARTS = 8
RATE = 120
ACCOUNT_LIMIT = 150
"""What the account is allowed in any second: as far above our rate as Stripe's 25 are above our default of 20."""
ORPHAN_RATE = 15
JITTER_SECONDS = 0.25
"""What was sent in time may arrive late on a busy machine, and then close to what comes after it."""


def write_extract(folder: Path, first: int, count: int) -> Path:
    """Write payments from number *first* on, as JSONL."""
    extract = folder / f"wires-{first}.jsonl"
    lines = (
        payment(number, **{"processor_details.custom.payment_reference": f"W{number:06}"})
        for number in range(first, first + count)
    )
    extract.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return extract


def most_within(seconds: float, journal: list[dict[str, Any]]) -> int:
    """Return the most effects in any so many seconds, wherever they begin."""
    most = begin = 0
    for end, line in enumerate(journal):
        while journal[begin]["time"] <= line["time"] - seconds:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def assert_rate_was_kept(journal: list[dict[str, Any]], rate: float) -> None:
    """Over ten seconds, wherever they begin, jitter hides no second worker that goes at the whole rate as well."""
    assert most_within(10, journal) <= rate * (10 + JITTER_SECONDS) + 1


def kill_process_group(rig: Rig, name: str) -> None:
    """Kill what ``kill -9 -<pid>`` reaches: a worker and the supervisors of its tasks. The tasks live on as orphans."""
    orphans = rig.task_processes(name)
    os.killpg(rig.workers[name].process.pid, signal.SIGKILL)
    rig.workers[name].process.wait()
    assert all(is_alive(orphan) for orphan in orphans.values())


def kill_machine(rig: Rig, name: str) -> None:
    """Kill a worker with everything it started, as when its machine is lost."""
    kill(session_of(rig.workers[name].process.pid))


def assert_exactly_once(rig: Rig, journal: list[dict[str, Any]], keys: set[str]) -> None:
    """The API recorded each payment once, and the ledger has the id of each record."""
    assert Counter(line["payrecords_key"] for line in journal) == Counter(keys)
    ledger = {entry["key"]: entry for entry in rig.entries() if entry["key"] in keys}
    assert {entry["state"] for entry in ledger.values()} == {"confirmed"}
    recorded = {line["payrecords_key"]: line["payment_record"] for line in journal}
    assert {key: entry["payment_record"] for key, entry in ledger.items()} == recorded


def test_extract_over_eight_tasks_survives_two_killed_workers_at_the_rate_of_the_account(
    rig: Rig, tmp_path: Path
) -> None:
    extract = write_extract(tmp_path, 1, PAYMENTS)
    run = rig.trigger("eight_tasks", extract=str(extract), rate=RATE)
    # A task that is lost before it runs is only tried again when it was queued for ten minutes.
    wait_for(lambda: len(rig.journal()) > PAYMENTS // 10 and rig.is_full("worker-1", "eight_tasks", run), "a tenth")
    kill_process_group(rig, "worker-1")
    rig.start_worker("worker-1")
    wait_for(lambda: len(rig.journal()) > PAYMENTS // 4 and rig.is_full("worker-2", "eight_tasks", run), "a quarter")
    kill_machine(rig, "worker-2")
    rig.start_worker("worker-2")
    assert rig.finish("eight_tasks", run) == "success"
    tasks, journal = rig.tasks("eight_tasks", run), rig.journal()
    assert_exactly_once(rig, journal, {f"W{number:06}" for number in range(1, PAYMENTS + 1)})
    assert len(tasks) == PARTS
    assert sum(task["try_number"] > 1 for task in tasks) >= 2 * SLOTS
    ids = [one for task in tasks for one in rig.xcom(task, "record_ids")]
    assert Counter(ids) == Counter(line["payment_record"] for line in journal)
    assert {tuple(rig.xcom(task)["counts"]) for task in tasks} == {("confirmed",)}
    assert most_within(1, journal) <= ACCOUNT_LIMIT
    assert_rate_was_kept(journal, RATE)


def test_orphan_whose_supervisor_was_killed_and_the_second_try_report_each_payment_once(
    rig: Rig, tmp_path: Path
) -> None:
    before, first, count = len(rig.journal()), 10_001, 600
    extract = write_extract(tmp_path, first, count)
    run = rig.trigger("one_task", extract=str(extract), rate=ORPHAN_RATE)
    name, orphan = wait_for(lambda: running_task(rig), "the task")
    wait_for(lambda: len(rig.journal(before)) > 20, "the first payments")
    rig.stop_taking_tasks(name)
    supervisor = orphan.parent()
    assert supervisor is not None
    kill([supervisor])
    (other,) = set(rig.workers) - {name}
    wait_for(lambda: rig.task_processes(other), "the second try on the other worker")
    assert is_alive(orphan), "the first try had ended when the second began"
    began = len(rig.journal(before))
    assert rig.finish("one_task", run) == "success"
    wait_for(lambda: not is_alive(orphan), "the end of the orphan")
    journal, (task,) = rig.journal(before), rig.tasks("one_task", run)
    assert_exactly_once(rig, journal, {f"W{number:06}" for number in range(first, first + count)})
    assert task["try_number"] == 2
    assert 0 < rig.xcom(task)["requests"] < count - began, "the orphan sent nothing beside the second try"
    in_row_order = sorted(journal, key=lambda line: str(line["payrecords_key"]))
    assert rig.xcom(task, "record_ids") == [line["payment_record"] for line in in_row_order]
    assert_rate_was_kept(journal, ORPHAN_RATE)


def running_task(rig: Rig) -> tuple[str, psutil.Process] | None:
    """Return a task that runs, and the worker that it belongs to."""
    return next(((name, task) for name in rig.workers for task in rig.task_processes(name).values()), None)
