"""A server without trouble: every good row once, every bad row named, and a second run sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command_line import SCRIPT, Workspace
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.extract_files import mapping_text, write_csv, write_jsonl, write_parquet
from tests.acceptance.oracle import BAD_ANYWHERE, BAD_TYPED, Extract, Generator
from tests.acceptance.verdicts import (
    assert_adds_up,
    assert_exactly_once,
    assert_export_agrees,
    assert_one_line_a_row,
    assert_sent_as_written,
)
from tests.foreign.fixtures import StartServer

WRITERS = {"csv": write_csv, "parquet": write_parquet, "jsonl": write_jsonl}


def _write(workspace: Workspace, writer: Callable[[Extract, Path], Path], suffix: str, extract: Extract) -> None:
    workspace.extract = writer(extract, workspace.folder / f"extract.{suffix}")
    workspace.mapping.write_text(mapping_text(zoned=suffix == "jsonl"), encoding="utf-8")


@pytest.mark.parametrize(("seed", "suffix"), [(11, "csv"), (12, "parquet"), (13, "jsonl"), (14, "csv")])
def test_good_rows_are_recorded_once_and_bad_rows_are_named(
    start_server: StartServer, workspace: Workspace, seed: int, suffix: str
) -> None:
    typed = [BAD_TYPED] if suffix == "jsonl" else []
    extract = Generator(seed, zoned=suffix == "jsonl").extract(60, BAD_ANYWHERE, *typed)
    _write(workspace, WRITERS[suffix], suffix, extract)
    server = start_server("--answers=any", f"--seed={seed}")
    result = workspace.report(server.url)
    result.expect(1)
    assert_sent_as_written(extract, server)
    assert_exactly_once(extract, server, workspace)
    assert_one_line_a_row(extract, server, workspace)
    assert_adds_up(result, extract, rejected=len(extract.bad))


def test_a_second_run_sends_nothing_and_gives_the_same_ids(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(40), start_server()
    first = workspace.report(server.url)
    first.expect(0)
    before, ids = server.log(), [line["payment_record"] for line in workspace.result_lines()]
    second = workspace.run(workspace.report_arguments(server.url), SCRIPT)
    second.expect(0)
    assert server.log() == before
    assert [line["payment_record"] for line in workspace.result_lines()] == ids
    assert_adds_up(second, extract)
    assert (first.json["new"], second.json["new"], second.json["requests"]) == (40, 0, 0)
    assert_export_agrees(workspace)


def test_a_rolled_key_another_machine_and_a_lost_ledger_make_the_same_requests(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(20), start_server()
    workspace.report(server.url).expect(0)
    workspace.ledger = workspace.folder / "another.db"
    again = workspace.run(workspace.report_arguments(server.url, api_key="sk_test_rolledKey99"))
    again.expect(0)
    assert len(server.log()) == 40
    assert_exactly_once(extract, server, workspace)


def test_a_row_changed_after_it_was_recorded_goes_to_review_and_is_not_sent(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(12), start_server()
    workspace.report(server.url).expect(0)
    extract.rows[4].columns["description"] = "another text"
    write_csv(extract, workspace.extract)
    changed = workspace.report(server.url)
    changed.expect(1)
    assert len(server.log()) == 12
    assert changed.json["counts"] == {"confirmed": 11, "review": 1}


def test_float_and_naive_columns_of_a_parquet_file_are_refused_row_by_row(
    start_server: StartServer, workspace: Workspace
) -> None:
    extract = Generator(21).extract(5)
    workspace.mapping.write_text(mapping_text(zoned=True), encoding="utf-8")
    types = {"gross": "DOUBLE", "created": "TIMESTAMP", "booked": "TIMESTAMP"}
    workspace.extract = write_parquet(extract, workspace.folder / "extract.parquet", types)
    server = start_server()
    result = workspace.report(server.url)
    result.expect(1)
    assert server.log() == []
    assert result.json["counts"] == {"rejected": 5}
    assert {line["error_param"] for line in workspace.result_lines()} <= {"amount_requested.value", "initiated_at"}


def test_a_plan_sends_nothing_and_leaves_the_ledger_alone(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    good_extract(10)
    server = start_server()
    plan = workspace.run(workspace.plan_arguments(server.url))
    plan.expect(0, 1)
    assert plan.json["counts"] == {"new": 10}
    assert server.log() == []
    assert not workspace.ledger.exists() or workspace.entries() == []
