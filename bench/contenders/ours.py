"""Ours: the command a person types, with all it does."""

from __future__ import annotations

import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from airflow_provider_payrecords.cli.app import run as command_line
from bench.job import API_KEY, Job, Outcome
from bench.payments import MAPPING

RATE = 10_000
"""The largest that is taken: what is measured is the engine, and what slows it down is the server."""


def run(job: Job) -> Outcome:
    """Report every payment by ``payrecords report``."""
    mapping, results = job.folder / "mapping.json", job.folder / f"results-{time.time_ns()}.jsonl"
    mapping.write_text(json.dumps(MAPPING), encoding="utf-8")
    arguments = ["report", str(job.extract), "--mapping", str(mapping), "--results", str(results)]
    arguments += ["--ledger", f"sqlite:///{job.folder / 'ledger.db'}", "--api-base", job.base, "--api-key", API_KEY]
    arguments += ["--concurrency", str(job.concurrency), "--rate", str(RATE), "--json"]
    with redirect_stdout(sys.stderr):
        code = command_line(arguments)
    if not results.exists():
        raise RuntimeError(f"payrecords report ended with {code} and no results")
    return read_results(results)


def read_results(results: Path) -> Outcome:
    """Return what a results file says."""
    outcome = Outcome()
    for line in map(json.loads, results.read_text("utf-8").splitlines()):
        if line["state"] == "confirmed":
            outcome.ids[line["key"]] = line["payment_record"]
        elif line["state"] in ("review", "unknown"):
            outcome.review.append(line["key"])
        if line["state"] != "confirmed":
            outcome.failed(f"{line['state']}: {line['error_code'] or ''}")
    return outcome
