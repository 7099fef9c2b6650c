"""
One contender, once, in a process of its own: ``python -m bench.child NAME JOB``, where JOB is JSON.

It warms up with a job of a few rows, which loads what is loaded late, then does the job, and leaves what that took in
the job's folder, as ``TOLD``. Processor time is that of the job, in all threads of this process. Memory is the most
this process ever held.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS
from bench.job import Job, all_in_all
from bench.memory import peak_mb
from bench.payments import write_extract

WARM_UP_ROWS = 3
TOLD = "told.json"


def main(name: str, text: str) -> None:
    """Do the job and tell what it took."""
    asked = json.loads(text)
    if asked["core"] is not None:
        os.sched_setaffinity(0, {asked["core"]})
    folder = Path(asked["folder"])
    contender = CONTENDERS[name].load()
    contender(_warm_up(asked["base"], folder))
    control(asked["control"], asked["new"])
    held, cpu, begun = peak_mb(), _cpu_seconds(), time.perf_counter()
    job = Job(asked["base"], Path(asked["extract"]), _made(folder / "job"), asked["concurrency"])
    outcomes = [contender(job) for _ in range(asked["runs"])]
    took = {"wall": time.perf_counter() - begun, "cpu": _cpu_seconds() - cpu, "peak_mb": peak_mb(), "start_mb": held}
    told = {**took, "outcome": asdict(all_in_all(outcomes)), "book": control(asked["control"], "/book")}
    (folder / TOLD).write_text(json.dumps(told), encoding="utf-8")


def control(base: str, target: str) -> Any:
    """Ask the server about itself."""
    with urllib.request.urlopen(base + target, timeout=30) as answer:  # noqa: S310 - on this machine
        return json.load(answer)


def _warm_up(base: str, folder: Path) -> Job:
    extract = folder / "warm-up.csv"
    write_extract(extract, WARM_UP_ROWS)
    return Job(base, extract, _made(folder / "warm-up"), 2)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(*sys.argv[1:])
