"""What the tests of the command line share: a result, extracts, and a process of its own."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

API_KEY = "sk_test_canaryKey51Hx"
"""Must show nowhere."""
MODULE = (sys.executable, "-m", "airflow_provider_payrecords")
TIMEOUT_SECONDS = 60

MAPPING = """\
source: bank-eu
key: reference
fields:
  amount_requested.value: {column: gross, unit: major}
  amount_requested.currency: currency
  initiated_at: created
  payment_method_details.custom.display_name: {constant: Wire}
  processor_details.custom.payment_reference: reference
"""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object that must be all of the standard output."""
        value: dict[str, Any] = json.loads(self.out)
        return value


def write_extract(folder: Path, rows: int, bad: Sequence[int] = ()) -> tuple[Path, Path]:
    """Write an extract and its mapping; rows whose number is in *bad* have a currency that there is not."""
    extract, mapping = folder / "wires.csv", folder / "wires.yaml"
    with extract.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("reference", "gross", "currency", "created"))
        for number in range(1, rows + 1):
            currency = "XXX" if number in bad else "EUR"
            table.writerow((f"wire-{number:04d}", f"{number}.50", currency, "2026-11-02T07:52:21+01:00"))
    mapping.write_text(MAPPING, encoding="utf-8")
    return extract, mapping


def start(arguments: Sequence[str], folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start the command line as a process of its own."""
    return subprocess.Popen(
        [*MODULE, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> Result:
    """Wait for a process to end; one that does not is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"It did not end.\n{out}\n{err}") from None
    return Result(process.returncode, out, err)
