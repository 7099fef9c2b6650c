"""Lines come out in order whatever order they came in, and nothing but them is left."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.bulk import ordered
from airflow_provider_payrecords.bulk.ordered import OrderedLines


def text(ordinal: int) -> bytes:
    """Return a line whose length depends on its number."""
    return b"%d:%s\n" % (ordinal, b"x" * (ordinal % 7))


@given(
    ordinals=st.sets(st.integers(0, 60)).flatmap(lambda chosen: st.permutations(sorted(chosen))),
    window=st.integers(0, 5),
    head=st.sampled_from([b"", b"number,text\n"]),
)
def test_lines_of_every_order_and_with_every_gap_come_out_in_order(
    ordinals: list[int], window: int, head: bytes
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as changed:
        changed.setattr(ordered, "WINDOW_LINES", window)
        path = Path(folder, "lines")
        lines = OrderedLines(path, head)
        for ordinal in ordinals:
            lines.add(ordinal, text(ordinal))
        lines.finish()
        expected = head + b"".join(map(text, sorted(ordinals)))
        assert path.read_bytes() == b"".join(lines.lines()) == expected
        lines.close()
        assert list(Path(folder).iterdir()) == []


def test_a_file_that_was_moved_stays_and_can_still_be_read(tmp_path: Path) -> None:
    lines = OrderedLines(tmp_path / "lines")
    lines.add(0, text(0))
    lines.finish()
    lines.path.replace(tmp_path / "moved")
    assert list(lines.lines()) == [text(0)]
    lines.close()
    assert [path.name for path in tmp_path.iterdir()] == ["moved"]


def test_lines_in_order_wait_for_nothing(tmp_path: Path) -> None:
    lines = OrderedLines(tmp_path / "lines")
    long = b"x" * (1 << 17) + b"\n"
    lines.add(0, long)
    assert lines.path.stat().st_size > 1 << 16
    lines.close()
