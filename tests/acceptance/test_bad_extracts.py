"""Extracts and mappings that cannot be used: nothing is sent, the message says what and what next, results are kept."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command_line import Result, Workspace
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.extract_files import mapping_text, write_csv, write_parquet
from tests.acceptance.oracle import Generator
from tests.foreign.fixtures import StartServer

EARLIER = '{"row_number": 1, "note": "results of an earlier run"}\n'


def _missing(workspace: Workspace) -> None:
    workspace.extract = workspace.folder / "nowhere.csv"


def _empty(workspace: Workspace) -> None:
    workspace.extract.write_bytes(b"")


def _header_only(workspace: Workspace) -> None:
    header = workspace.extract.read_text(encoding="utf-8").splitlines()[0]
    workspace.extract.write_text(header + "\n", encoding="utf-8")


def _wrong_delimiter(workspace: Workspace) -> None:
    workspace.extract.write_text("reference;gross;currency\nA;1.00;EUR\nB;2.00;EUR\n", encoding="utf-8")


def _unknown_column(workspace: Workspace) -> None:
    workspace.mapping.write_text(mapping_text().replace("column: gross", "column: grosz"), encoding="utf-8")


def _broken_utf8(workspace: Workspace) -> None:
    workspace.extract.write_bytes(workspace.extract.read_bytes().replace("ü".encode(), b"\xfc"))


def _truncated_parquet(workspace: Workspace) -> None:
    workspace.extract = write_parquet(Generator(1).extract(5), workspace.folder / "extract.parquet")
    whole = workspace.extract.read_bytes()
    workspace.extract.write_bytes(whole[: len(whole) // 2])


def _directory(workspace: Workspace) -> None:
    workspace.extract = workspace.folder / "folder.csv"
    workspace.extract.mkdir()


def _unknown_mapping_key(workspace: Workspace) -> None:
    workspace.mapping.write_text(mapping_text() + "colour: red\n", encoding="utf-8")


def _unknown_field(workspace: Workspace) -> None:
    workspace.mapping.write_text(mapping_text() + "  amount_requested.colour: gross\n", encoding="utf-8")


def _unknown_conversion(workspace: Workspace) -> None:
    workspace.mapping.write_text(mapping_text().replace("unit: major", "unti: major"), encoding="utf-8")


def _unknown_zone(workspace: Workspace) -> None:
    workspace.mapping.write_text(mapping_text().replace("Europe/Amsterdam", "Europe/Amsterdamn"), encoding="utf-8")


def _broken_yaml(workspace: Workspace) -> None:
    workspace.mapping.write_text("source: [bank\nkey: {", encoding="utf-8")


def _mapping_is_a_list(workspace: Workspace) -> None:
    workspace.mapping.write_text("- source\n- key\n", encoding="utf-8")


def _missing_mapping(workspace: Workspace) -> None:
    workspace.mapping = workspace.folder / "nothing.yaml"


def _mapping_runs_code(workspace: Workspace) -> None:
    workspace.mapping.write_text("source: !!python/object/apply:os.system ['touch ran']\n", encoding="utf-8")


def _unknown_format(workspace: Workspace) -> None:
    workspace.extract = workspace.extract.rename(workspace.folder / "extract.xlsx")


CASES: dict[str, tuple[Callable[[Workspace], None], str]] = {
    "missing file": (_missing, "nowhere.csv"),
    "empty file": (_empty, "extract.csv"),
    "wrong delimiter": (_wrong_delimiter, "created"),
    "unknown column": (_unknown_column, "grosz"),
    "broken UTF-8": (_broken_utf8, "UTF-8"),
    "truncated Parquet": (_truncated_parquet, "extract.parquet"),
    "directory": (_directory, "folder.csv"),
    "unknown mapping key": (_unknown_mapping_key, "colour"),
    "unknown field": (_unknown_field, "amount_requested.colour"),
    "unknown conversion": (_unknown_conversion, "unti"),
    "unknown zone": (_unknown_zone, "fields.initiated_at.timezone"),
    "broken YAML": (_broken_yaml, "mapping.yaml"),
    "mapping is a list": (_mapping_is_a_list, "mapping.yaml"),
    "missing mapping": (_missing_mapping, "nothing.yaml"),
    "mapping runs code": (_mapping_runs_code, "mapping.yaml"),
    "unknown format": (_unknown_format, "extract.xlsx"),
}


def _assert_wrong_usage(result: Result, workspace: Workspace, word: str) -> None:
    result.expect(2)
    assert word in " ".join(result.err.split()), result.err
    assert "Traceback" not in result.err
    assert workspace.results.read_text(encoding="utf-8") == EARLIER


@pytest.mark.parametrize("case", CASES)
def test_it_is_wrong_usage_that_names_the_thing_and_keeps_earlier_results(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, case: str
) -> None:
    spoil, word = CASES[case]
    good_extract(5)
    spoil(workspace)
    workspace.results.write_text(EARLIER, encoding="utf-8")
    server = start_server()
    result = workspace.report(server.url)
    _assert_wrong_usage(result, workspace, word)
    assert server.log() == []
    assert not (workspace.folder / "ran").exists()


def test_a_header_without_rows_is_no_success_in_silence(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    good_extract(5)
    _header_only(workspace)
    server = start_server()
    result = workspace.report(server.url)
    result.expect(0, 2)
    assert server.log() == []
    assert "no rows" in result.err or result.json["rows"] == 0


def _without_superuser_rights() -> None:
    """Give up root's right to read any file (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH); others have none to give up."""
    drop_from_bounding_set = 24
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.mark.parametrize("locked", ["extract", "mapping"])
def test_a_file_that_may_not_be_read_is_named(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, locked: str
) -> None:
    good_extract(5)
    workspace.results.write_text(EARLIER, encoding="utf-8")
    path: Path = getattr(workspace, locked)
    path.chmod(0)
    server = start_server()
    result = workspace.run(workspace.report_arguments(server.url), before=_without_superuser_rights)
    _assert_wrong_usage(result, workspace, path.name)
    assert server.log() == []


def test_every_repetition_of_a_key_is_named_and_none_of_them_is_sent_twice(
    start_server: StartServer, workspace: Workspace
) -> None:
    extract = Generator(61).extract(6)
    for number in (2, 4):
        extract.rows[number].columns["reference"] = extract.rows[0].columns["reference"]
    workspace.mapping.write_text(mapping_text(), encoding="utf-8")
    write_csv(extract, workspace.extract)
    server = start_server()
    result = workspace.report(server.url)
    result.expect(1)
    assert set(server.stamped().values()) == {1}
    blamed = {line["row_number"] for line in workspace.result_lines() if line["error_param"] == "key"}
    assert {3, 5} <= blamed <= {1, 3, 5}


def test_a_results_file_that_cannot_be_written_is_found_before_anything_is_sent(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    good_extract(5)
    server = start_server()
    result = workspace.report(server.url, f"--results={workspace.folder / 'no' / 'such' / 'folder' / 'r.unknown'}")
    result.expect(2)
    assert server.log() == []


@pytest.mark.parametrize("victim", ["extract", "ledger"])
def test_results_never_replace_a_file_the_run_needs(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, victim: str
) -> None:
    good_extract(5)
    workspace.ledger = workspace.folder / "ledger.csv"
    before = workspace.extract.read_bytes()
    server = start_server()
    result = workspace.report(server.url, f"--results={getattr(workspace, victim)}")
    assert workspace.extract.read_bytes() == before
    result.expect(2)
    assert server.log() == []


def test_a_ledger_that_is_no_ledger_is_left_alone_and_nothing_is_sent(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    good_extract(5)
    workspace.ledger.write_text("this is somebody's letter", encoding="utf-8")
    server = start_server()
    result = workspace.report(server.url)
    result.expect(2, 3)
    assert "ledger" in result.err
    assert "Traceback" not in result.err
    assert workspace.ledger.read_text(encoding="utf-8") == "this is somebody's letter"
    assert server.log() == []
