"""Every GET by which the pages read the ledger is measured, through the app as Airflow mounts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.pages_scale import pages

ENTRIES = 1_000


def test_every_page_answers_and_is_timed(repository: Path) -> None:
    command = [sys.executable, "-m", "bench.pages_scale", f"--entries={ENTRIES}", "--times=2"]
    ran = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    _, _, table = ran.stdout.partition("longest\n")
    times = {line[:30].strip(): line[30:].split() for line in table.splitlines()}
    assert times.keys() == {page.name for page in pages(ENTRIES)}
    for first, median, longest in times.values():
        assert 0 <= float(median) <= float(longest)
        assert float(first) <= float(longest)
