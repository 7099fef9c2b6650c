"""A whole run over an extract of many rows needs hardly more memory than over one of few."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PLAN = """
import resource, sys
from airflow_provider_payrecords.bulk import plan_extract
from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.settings import Settings

fields = {"payment_record": "record", "failed_at": "at", "metadata.text": "text"}
how = ExtractMapping.load({"key": "id", "fields": fields, "endpoint": "report_payment_attempt_failed"})
settings = Settings(api_key="sk_test_1", api_base="http://127.0.0.1:1")
ledger = open_ledger(sys.argv[1] + "/ledger.db")
extract, results = make_extract(sys.argv[1] + "/extract.csv"), sys.argv[1] + "/results.csv"
summary = plan_extract(extract, how, settings=settings, ledger=ledger, results=results)
print(summary.rows, len(summary.counts), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
FEW, MANY = 5_000, 60_000


def peak_mebibytes(folder: Path, rows: int) -> int:
    """Plan an extract in which every third row is refused, and return the most memory that took."""
    folder.mkdir()
    with (folder / "extract.csv").open("w", encoding="utf-8") as file:
        file.write("id,record,at,text\n")
        file.writelines(
            f"{number},pr_1,{1769853600 if number % 3 else 'never'},{number}{'x' * 300}\n" for number in range(rows)
        )
    done = subprocess.run([sys.executable, "-c", PLAN, str(folder)], capture_output=True, text=True, check=True)
    planned, states, peak = map(int, done.stdout.split())
    assert (planned, states) == (rows, 2)
    with (folder / "results.csv").open(encoding="utf-8") as file:
        assert sum(1 for _ in file) == rows + 1
    return peak


def test_a_plan_of_twelve_times_the_rows_takes_little_more_memory(tmp_path: Path) -> None:
    few = peak_mebibytes(tmp_path / "few", FEW)
    assert peak_mebibytes(tmp_path / "many", MANY) - few < 60
