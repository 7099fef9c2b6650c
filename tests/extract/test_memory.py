"""Memory does not grow with the number of rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MEASURE = """
import resource, sys
from airflow_provider_payrecords.extract import ExtractMapping, make_extract

fields = {"payment_record": "record", "failed_at": "at", "metadata.text": "text"}
how = ExtractMapping.load({"key": "id", "fields": fields, "endpoint": "report_payment_attempt_failed"})

def rows(count):
    for number in range(count):
        yield {"id": number, "record": "pr_1", "at": 1769853600, "text": "x" * 300}

source = sys.argv[1] if sys.argv[1].endswith(".csv") else rows(int(sys.argv[1]))
count = 0
with make_extract(source).open(how) as opened:
    for batch in opened.batches(1000):
        count += len(batch)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mebibytes(source: str, rows: int) -> int:
    done = subprocess.run([sys.executable, "-c", MEASURE, source], capture_output=True, text=True, check=True)
    count, peak = done.stdout.split()
    assert int(count) == rows
    return int(peak)


def csv_of(path: Path, rows: int) -> str:
    with path.open("w") as file:
        file.write("id,record,at,text\n")
        file.writelines(f"{number},pr_1,1769853600,{number}{'x' * 300}\n" for number in range(rows))
    return str(path)


def test_a_file_of_300_000_rows_needs_no_more_than_the_limit(tmp_path):
    small = peak_mebibytes(csv_of(tmp_path / "small.csv", 1000), 1000)
    large = peak_mebibytes(csv_of(tmp_path / "large.csv", 300_000), 300_000)
    assert large - small < 100  # the database's 64 MB and its reading buffers


def test_an_iterable_of_300_000_rows_needs_little(tmp_path):
    small = peak_mebibytes("1000", 1000)
    assert peak_mebibytes("300000", 300_000) - small < 40
