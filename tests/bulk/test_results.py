"""Results files: one line a row in row order, in three formats, replaced in one step."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.bulk import ordered
from airflow_provider_payrecords.bulk.results import FIELDS, Line, Results, _csv_cell, _csv_line
from airflow_provider_payrecords.core.errors import ResultsError, UsageError


def line(number: int, state: str = "confirmed") -> Line:
    """Return the result of row *number*."""
    return Line(number, "s", f'Zoë, "{number}"', state)


def write(target: object, *lines: tuple[int, Line]) -> Results:
    """Write a whole results file."""
    with closing(Results(target)) as results:
        for ordinal, one in lines:
            results.write(ordinal, one)
        results.finish()
        return results


LINES = ((2, line(30)), (0, line(10)), (1, line(20, "rejected")))


def test_lines_come_out_in_row_order_whatever_order_they_went_in(tmp_path: Path) -> None:
    results = write(tmp_path / "r.jsonl", *LINES)
    rows = [json.loads(text) for text in (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["row_number"] for row in rows] == [10, 20, 30]
    assert tuple(rows[0]) == FIELDS
    assert results.rejects_path == str(tmp_path / "r.rejects.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.jsonl", "r.rejects.jsonl"]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0")) | st.sampled_from(["", "a,b", '"', "#1", "é\n", None, 7]),
        min_size=1,
        max_size=5,
    )
)
def test_csv_keeps_apart_nothing_and_empty_text_and_reads_back_as_written(values: list[Any]) -> None:
    line = _csv_line(tuple(values))
    assert line == ",".join(map(_csv_cell, values)) + "\n"
    (read,) = csv.reader([line]) if values != [None] else [[""]]
    assert read == ["" if value is None else str(value) for value in values]


def test_csv_and_parquet_hold_the_same(tmp_path: Path) -> None:
    write(tmp_path / "r.csv", *LINES)
    write(tmp_path / "r.parquet", *LINES)
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == ['Zoë, "10"', 'Zoë, "20"', 'Zoë, "30"']
    query = f"SELECT row_number, key FROM '{tmp_path / 'r.parquet'}'"
    assert duckdb.sql(query).fetchall() == [(n, f'Zoë, "{n}"') for n in (10, 20, 30)]


def test_an_earlier_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "r.jsonl"
    write(target, *LINES)
    before = target.read_bytes()
    results = Results(target)
    results.write(0, line(1))
    results.close()
    assert target.read_bytes() == before


def test_rejects_of_an_earlier_run_go_away_with_the_last_reject(tmp_path: Path) -> None:
    write(tmp_path / "r.jsonl", *LINES)
    assert write(tmp_path / "r.jsonl", (0, line(1))).rejects_path is None
    assert not (tmp_path / "r.rejects.jsonl").exists()


def test_results_go_to_object_storage() -> None:
    write("memory://results/r.csv", *LINES)
    with fsspec.open("memory://results/r.rejects.csv", "rt", encoding="utf-8") as file:
        assert "rejected" in file.read()
    with fsspec.open("memory://results/r.csv", "rt", encoding="utf-8") as file:
        assert file.read().count("\n") == 4


def test_a_suffix_nobody_knows_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="jsonl"):
        Results(tmp_path / "r.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="folder"):
        Results(tmp_path / "folder.csv")


def test_a_place_that_cannot_be_written_is_named_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"r\.jsonl cannot be written.*Choose another place"):
        Results(tmp_path / "file" / "r.jsonl")


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r.parquet", "r.rejects.csv"])
def test_a_file_of_something_else_is_never_replaced(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("psp_reference,gross\n1,2.50\n")
    with pytest.raises(UsageError, match="not a results file"):
        Results(tmp_path / name.replace(".rejects", ""))
    assert path.read_text() == "psp_reference,gross\n1,2.50\n"


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_results_of_an_earlier_run_are_replaced(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"r.{ending}", *LINES)
    write(tmp_path / f"r.{ending}", *LINES)


def test_a_scheme_that_nothing_here_can_write_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        Results("nowhere://bucket/out.jsonl")


def test_half_a_character_does_not_end_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    write(out, (0, line(1)._replace(key="a\ud800")))
    assert json.loads(out.read_text())["key"] == "a?"


def test_two_runs_with_one_results_file_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "r.jsonl"
    with closing(Results(target)) as one, closing(Results(target)) as other:
        for results, number in ((one, 1), (other, 2), (one, 3)):
            results.write(number, line(number))
        one.finish()
        assert [json.loads(text)["row_number"] for text in target.read_text().splitlines()] == [1, 3]
        other.finish()
    assert [json.loads(text)["row_number"] for text in target.read_text().splitlines()] == [2]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("late", [0, 7])
def test_rows_that_come_long_after_their_neighbours_are_in_their_place(
    tmp_path: Path, late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "WINDOW_LINES", 3)
    order = [number for number in range(0, 40, 2) if number != late * 2]
    results = write(tmp_path / "r.jsonl", *((one, line(one)) for one in [*order[::-1][-3:], *order[3:], late * 2]))
    rows = [json.loads(text)["row_number"] for text in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert rows == list(range(0, 40, 2))
    assert results.rejects_path is None


@pytest.mark.parametrize("key", ["a,b", 'a"b', "a\nb", "a\r", " a ", "#a", None, "=1", "NULL", "\\", "\u2028"])
def test_every_text_comes_out_as_it_went_in(tmp_path: Path, key: str | None) -> None:
    for ending in ("csv", "jsonl", "parquet"):
        write(tmp_path / f"r.{ending}", (0, line(1)._replace(key=key)), (1, line(2, "rejected")))
        found = duckdb.sql(f"SELECT key FROM '{tmp_path / f'r.{ending}'}' WHERE row_number = 1").fetchall()
        assert found == [(key,)], ending


def test_a_run_knows_its_first_rejects_and_ids_though_another_replaced_its_file(tmp_path: Path) -> None:
    for ending in ("csv", "jsonl", "parquet"):
        target = tmp_path / f"r.{ending}"
        refused = line(3, "rejected")._replace(error_code="c", error_param="p", error_message="a\nb")
        with closing(Results(target)) as results:
            results.write(1, refused)
            results.write(0, line(2)._replace(payment_record="pr_1"))
            results.finish()
            write(target, (0, line(9)))
            assert results.record_ids(5) == ["pr_1"]
            assert results.first_rejects(5) == [
                {"row_number": 3, "key": 'Zoë, "3"', "code": "c", "field": "p", "message": "a\nb"}
            ]
