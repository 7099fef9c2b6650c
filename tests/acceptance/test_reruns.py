"""The same payments again: elsewhere, in another order or format, corrected, changed, or after a mistake."""

from __future__ import annotations

import random
import resource

from tests.acceptance.command_line import Workspace, kill_group, wait_until
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.extract_files import write_csv, write_good_extract, write_parquet
from tests.acceptance.oracle import Generator
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer


def test_another_order_file_name_and_format_of_the_same_rows_send_nothing(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(20), start_server()
    workspace.report(server.url).expect(0)
    random.Random(1).shuffle(extract.rows)  # noqa: S311 - repeatable, not secret
    workspace.extract = write_parquet(extract, workspace.folder / "the same.parquet")
    again = workspace.report(server.url)
    again.expect(0)
    assert (again.json["requests"], len(server.log())) == (0, 20)


def test_of_two_extracts_that_overlap_only_the_new_rows_are_sent(
    start_server: StartServer, workspace: Workspace
) -> None:
    server, extract = start_server(), write_good_extract(workspace, 20, 1)
    days = extract.rows[:12], extract.rows[8:]
    for rows, requests in zip(days, (12, 8), strict=True):
        extract.rows = rows
        write_csv(extract, workspace.extract)
        assert workspace.report(server.url).json["requests"] == requests
    assert set(server.stamped().values()) == {1}
    assert len(server.commits()) == 20


def test_the_same_line_twice_in_one_extract_is_one_payment(start_server: StartServer, workspace: Workspace) -> None:
    server, extract = start_server(), write_good_extract(workspace, 6, 1)
    extract.rows.append(extract.rows[2])
    write_csv(extract, workspace.extract)
    result = workspace.report(server.url)
    result.expect(0, 1)
    assert len(server.log()) == 6
    assert sum(result.json["counts"].values()) == result.json["rows"] == 7


def test_a_refused_row_is_not_sent_again_before_it_is_corrected(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(24), start_server("--mix=echo", "--seed=3", "--most-faults=1")
    workspace.report(server.url).expect(1)
    refused = {line["row_number"] for line in workspace.result_lines() if line["state"] == "rejected"}
    assert 0 < len(refused) < 24
    server.restart("--mix=clean")
    before = len(server.log())
    workspace.report(server.url).expect(1)
    assert len(server.log()) == before
    for row in extract.rows:
        if row.number in refused:
            row.columns["description"] = "corrected"
    write_csv(extract, workspace.extract)
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


def test_a_row_changed_while_its_outcome_is_unknown_is_not_sent_with_its_new_content(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(12), start_server("--mix=late", "--seed=5", "--delay-seconds=60", "--no-lists")
    process = workspace.start(workspace.report_arguments(server.url))
    wait_until(lambda: len(server.commits()) == 12, "every payment recorded, some without an answer")
    wait_until(lambda: len(workspace.ledger_ids()) > 0, "the answers that came are settled")
    kill_group(process)
    process.communicate()
    answered = workspace.ledger_ids()
    assert 0 < len(answered) < 12
    for row in extract.rows:
        row.columns["description"] = "changed"
    write_csv(extract, workspace.extract)
    server.restart("--no-lists")
    workspace.report(server.url).expect(1)
    assert set(server.stamped().values()) == {1}
    assert {entry["state"] for entry in workspace.entries()} == {"review"}
    write_good_extract(workspace, 12, 1)
    workspace.report(server.url)
    assert set(server.stamped().values()) == {1}
    assert len(server.commits()) == 12


def test_a_wrong_api_base_poisons_nothing(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(30), start_server()
    mistaken = workspace.report(server.url + "/v1")
    mistaken.expect(2, 3)
    assert server.commits() == []
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


def test_an_api_version_that_does_not_know_the_call_stops_the_run_and_poisons_nothing(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(60), start_server("--no-reports")
    stopped = workspace.report(server.url, "--concurrency=4", "--stripe-version=2024-06-20")
    stopped.expect(2, 3)
    assert len(server.log()) <= 12
    server.restart("--mix=clean")
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


def test_a_ledger_that_cannot_grow_stops_the_run_and_a_rerun_completes(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(400), start_server()

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (160 * 1024, 160 * 1024))

    stopped = workspace.run(workspace.report_arguments(server.url), before=little_room)
    stopped.expect(3)
    assert "ledger" in stopped.err
    assert "Traceback" not in stopped.err
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)


def test_keys_of_another_source_are_other_payments(start_server: StartServer, workspace: Workspace) -> None:
    server, extract = start_server(), Generator(1).extract(3)
    write_good_extract(workspace, 3, 1)
    workspace.report(server.url).expect(0)
    mapping = workspace.mapping.read_text(encoding="utf-8")
    workspace.mapping.write_text(mapping.replace("source: bank-eu", "source: bank-us"), encoding="utf-8")
    workspace.report(server.url).expect(0)
    assert set(server.stamped()) == extract.keys
    assert set(server.stamped().values()) == {2}
