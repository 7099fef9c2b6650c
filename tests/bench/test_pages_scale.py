"""Every GET by which the pages read the ledger is measured, through the app as Airflow mounts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.pages_scale import pages

ROOT = Path(__file__).parents[2]
ENTRIES = 1_000


def test_every_page_answers_and_is_timed() -> None:
    command = [sys.executable, "-m", "bench.pages_scale", f"--entries={ENTRIES}", "--times=2"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.endswith(tuple("0123456789"))]
    times = {line[:30].strip(): line[30:].split() for line in lines}
    assert times.keys() == {page.name for page in pages(ENTRIES)}
    for first, median, longest in times.values():
        assert 0 <= float(median) <= float(longest)
        assert float(first) <= float(longest)
