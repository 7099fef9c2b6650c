"""What a killed process left is removed by the next one, and what a living one uses is not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from airflow_provider_payrecords.scratch import PrivateFolder, open_held, remove_abandoned_partials

_MAKES_ONE_AND_DIES = """
import os, signal
from airflow_provider_payrecords.scratch import PrivateFolder
folder = PrivateFolder()
(folder.path / "copy").write_text("somebody's payments")
print(folder.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let temporary folders be made in a folder of the test's own, here and in its processes."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_of_a_killed_process_is_removed_by_the_next(temporary: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _MAKES_ONE_AND_DIES], capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert (killed.returncode, left.parent, (left / "copy").exists()) == (-9, temporary, True)
    folder = PrivateFolder()
    assert list(temporary.iterdir()) == [folder.path]
    folder.cleanup()


def test_a_folder_in_use_and_folders_of_others_stay(temporary: Path) -> None:
    (temporary / "payrecords-of-somebody").mkdir()
    first, second = PrivateFolder(), PrivateFolder()
    assert first.path.exists()
    first.cleanup()
    second.cleanup()
    second.cleanup()
    assert [path.name for path in temporary.iterdir()] == ["payrecords-of-somebody"]


def test_abandoned_lines_of_results_go_and_all_else_stays(tmp_path: Path) -> None:
    target = tmp_path / "r[1].jsonl"
    endings = ("jsonl.0a0a0a0a.partial", "jsonl.0a0a0a0a.partial.late", "jsonl.0a0a0a0a.sorted")
    names = [f"r[1].{part}{ending}" for part in ("", "rejects.") for ending in endings]
    kept = [
        "r[1].0a0a0a0a.jsonl",
        "r[1].jsonl",
        "r[1].jsonl.0b0b0b0b.partial",
        "r[1].jsonl.0b0b0b0b.sorted",
        "r[1].jsonl.mine.partial",
    ]
    for name in [*names, *kept, "q.jsonl.0a0a0a0b.partial"]:
        (tmp_path / name).touch()
    with open_held(tmp_path / "r[1].jsonl.0b0b0b0b.partial"):
        remove_abandoned_partials(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "q.jsonl.0a0a0a0b.partial"])


def test_a_folder_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path) -> None:
    remove_abandoned_partials(tmp_path / "nowhere" / "r.jsonl")
