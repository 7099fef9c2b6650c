"""The frame around all commands: help, version, errors as one line, nothing heavy before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_payrecords import __version__
from tests.cli.command import API_KEY, MODULE, Result, finish, start
from tests.cli.conftest import Run

COMMANDS = ("plan", "report", "status", "export", "request", "schema", "sandbox", "demo")


def test_version_is_the_packages(run: Run) -> None:
    assert run("--version") == Result(0, f"payrecords {__version__}\n", "")


def test_help_names_every_command_and_the_exit_codes(run: Run) -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    assert [name for name in COMMANDS if f"│ {name} " not in shown.out] == []
    assert "Exit codes" in shown.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_an_example_that_begins_with_it(run: Run, command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert f"payrecords {command}" in shown.out.partition("Example")[2]


def test_without_a_command_the_help_is_shown_and_it_is_wrong_usage(run: Run) -> None:
    shown = run()
    assert shown.exit_code == 2
    assert "│ report " in shown.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("report",),
        ("report", "x.csv", "--nonsense"),
        ("report", "x.csv", "--concurrency", "many"),
        ("status", "--mode", "neither"),
    ],
)
def test_wrong_usage_is_two_and_one_line(run: Run, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)
    assert (shown.exit_code, shown.out) == (2, "")
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert "--help." in shown.err


def test_wrong_usage_with_json_is_one_object_on_stdout_and_the_line_on_stderr(run: Run) -> None:
    shown = run("report", "x.csv", "--nonsense", "--json")
    assert shown.json["exit_code"] == shown.exit_code == 2
    assert shown.json["error"]["type"] == "UsageError"
    assert shown.err == f"error: {shown.json['error']['message']}\n"


def test_a_key_in_the_wrong_place_is_not_repeated(run: Run) -> None:
    for arguments in (
        (API_KEY,),
        ("report", "x.csv", API_KEY),
        ("report", "x.csv", f"--{API_KEY}"),
        ("schema", API_KEY),
    ):
        shown = run(*arguments, "--json")
        assert shown.exit_code == 2
        assert API_KEY not in shown.out + shown.err


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from airflow_provider_payrecords.cli.app import run\n"
        "run(['--help'])\n"
        "heavy = {'pydantic', 'duckdb', 'sqlalchemy', 'httpx', 'uvicorn', 'starlette', 'airflow', 'fsspec', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_defect_has_an_exit_code_of_its_own_and_shows_no_key(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from airflow_provider_payrecords.cli.app import app, run\n"
        "@app.command()\n"
        "def broken(): raise RuntimeError('with sk_test_canaryKey51Hx')\n"
        "sys.exit(run(['broken']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "RuntimeError: with sk_test_…" in done.stderr
    assert "report it" in done.stderr.splitlines()[-1]
    assert API_KEY not in done.stdout + done.stderr


def without_a_reader(arguments: list[str], folder: Path, **environment: str) -> Result:
    """Run a command whose standard output nobody reads any more."""
    process = start(arguments, folder, **environment)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    return finish(process)


# Where Python buffers nothing, the very first line fails, inside of typer or rich.
buffering = pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])


@buffering
@pytest.mark.parametrize("arguments", [["schema", "report_payment"], ["--help"]], ids=" ".join)
def test_a_reader_that_goes_away_is_no_error_message(
    tmp_path: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    ended = without_a_reader(arguments, tmp_path, **environment)
    assert (ended.exit_code, ended.err or "") == (141, "")


@buffering
@pytest.mark.parametrize("shape", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize(("options", "exit_code"), [([], 0), (["--canary", "1"], 3)], ids=["finished", "stopped"])
def test_a_reader_that_goes_away_does_not_change_how_a_run_ended(
    tmp_path: Path,
    report_arguments: Callable[..., list[str]],
    environment: dict[str, str],
    shape: list[str],
    options: list[str],
    exit_code: int,
) -> None:
    arguments = report_arguments(3, *shape, *options)
    assert without_a_reader(arguments, tmp_path, **environment).exit_code == exit_code


@buffering
def test_a_reader_that_goes_away_does_not_change_what_an_error_means(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert without_a_reader(["report", "x.csv", "--nonsense", "--json"], tmp_path, **environment).exit_code == 2


def test_an_encoding_without_our_characters_ends_nothing(tmp_path: Path) -> None:
    ended = finish(start(["schema", "report_payment", "--json"], tmp_path, PYTHONIOENCODING="ascii"))
    assert ended.exit_code == 0
    assert json.loads(ended.out)["endpoint"] == "report_payment"
    assert finish(start(["schema", "report_payment"], tmp_path, PYTHONIOENCODING="ascii")).exit_code == 0


def test_the_console_script_is_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "payrecords"
    by_script, by_module = (
        subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, check=True).stdout
        for command in ((str(script),), MODULE)
    )
    assert by_script == by_module
