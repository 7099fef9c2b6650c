"""docs/cli.md has every command, every option and every exit code, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from airflow_provider_payrecords.cli.app import app
from airflow_provider_payrecords.cli.exits import ExitCode


def commands_below(group: Any, path: str = "") -> dict[str, Any]:
    """Return every command by what one types for it."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        below = commands_below(command, f"{path}{name} ") if hasattr(command, "commands") else {path + name: command}
        found.update(below)
    return found


COMMANDS = commands_below(typer.main.get_command(app))
BUILT_ON = {
    "report": "plan",
    "replay": "report",
    "reconcile": "plan",
    "export": "status",
    "request": "report",
    "ledger prune": "status",
}
"""Sections that take options of another for said."""


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "cli.md").read_text(encoding="utf-8")


def section(page: str, command: str) -> str:
    """Return the text below the command's heading."""
    return re.split(r"^## ", page.partition(f"\n## {command}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def options_in(text: str) -> set[str]:
    return set(re.findall(r"`(--[a-z-]+)", text))


def options_of(command: str) -> set[str]:
    declared = (option for parameter in COMMANDS[command].params for option in parameter.opts)
    return {option for option in declared if option.startswith("--")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_section_and_its_usage(page: str, command: str) -> None:
    assert f"`payrecords {command} [OPTIONS]" in section(page, command)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_in_the_section_or_in_the_one_it_builds_on(page: str, command: str) -> None:
    text, below = section(page, command), BUILT_ON.get(command)
    while below is not None:
        text, below = text + section(page, below), BUILT_ON.get(below)
    assert options_of(command) - options_in(text) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_table_has_an_option_that_the_command_does_not_take(page: str, command: str) -> None:
    rows = "\n".join(line.partition(" | ")[0] for line in section(page, command).splitlines() if line.startswith("| "))
    assert options_in(rows) - options_of(command) == set()


def test_every_exit_code_is_explained(page: str) -> None:
    explained = re.findall(r"^\| (\d+) \|", section(page, "Exit codes"), re.MULTILINE)
    assert [int(code) for code in explained] == [int(code) for code in ExitCode]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_has_help(command: str) -> None:
    assert COMMANDS[command].help
    assert [parameter.name for parameter in COMMANDS[command].params if not parameter.help] == []
