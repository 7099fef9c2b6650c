"""Commands that a page tells a person to type exist, and take the options they are given."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer

from airflow_provider_payrecords._airflow import Connection
from airflow_provider_payrecords.cli.app import app
from airflow_provider_payrecords.connection import read_settings
from airflow_provider_payrecords.extract import mapping_from_options
from tests.docs.page import PAGES, REPOSITORY, Block, blocks_in, command_lines, prose, spans

COMMAND_LINE: Any = typer.main.get_command(app)
NOT_OURS = {
    "airflow": "Airflow's own",
    "git": "the person's",
    "pip": "installs",
    "python3": "installs",
    "uv": "installs",
    ".venv/bin/pip": "installs",
    ".venv/bin/python": "runs tests",
    "curl": "talks to a running sandbox",
    "cat": "shows a file",
}
"""Commands that are not tried here, and why."""
SHELL = ("", "sh", "bash", "shell", "console")
OURS = ("payrecords", ".venv/bin/payrecords")


def is_shell(block: Block) -> bool:
    """Say whether a block is typed and not printed: its first word is a command."""
    words = block.text.removeprefix("$ ").split()
    return bool(words) and words[0] in {*NOT_OURS, *OURS, "make", "export"}


BLOCKS = [block for block in blocks_in(*SHELL) if is_shell(block)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_block_can_be_typed(block: Block) -> None:
    for words in command_lines(block.text):
        check(words)


def check(words: list[str]) -> None:
    """Check one command: its name, options and arguments."""
    name, *rest = words
    if name == "make":
        assert rest[0] in make_targets()
    elif name == "export":
        check_variable(rest[0])
    elif name in OURS:
        check_ours(rest)
    else:
        assert name in NOT_OURS, f"{name} is neither ours nor explained"


def check_ours(arguments: list[str]) -> None:
    """Parse the options of one of our commands, without running it."""
    name, *rest = arguments
    if name in ("--version", "--help", "-h"):
        return
    given = COMMAND_LINE.commands[name].make_context(name, rest).params
    if name in ("plan", "report"):
        mapped = {option: given[option] for option in ("source", "key", "endpoint", "where", "sql", "delimiter")}
        mapping_from_options(**mapped, fields=given["field"] or (), constants=given["constant"] or ())


def check_variable(assignment: str) -> None:
    """Check that a connection in an environment variable is one."""
    name, _, value = assignment.partition("=")
    if not name.startswith("AIRFLOW_CONN_"):
        assert name in ("STRIPE_API_KEY", "PAYRECORDS_LEDGER") or name.startswith("AIRFLOW__PAYRECORDS__"), name
        return
    conn_id, value = name.removeprefix("AIRFLOW_CONN_").lower(), value.replace("…", "x")
    made = Connection.from_json(value, conn_id) if value.startswith("{") else Connection.from_uri(value, conn_id)
    assert made.conn_type == "payrecords"
    assert read_settings(made).api_base.startswith(("https://api.stripe.com", "http://127.0.0.1:12111"))


def make_targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z0-9]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_exist(page: str) -> None:
    for span in spans(prose(page)):
        words = span.split()
        if words[0] == "make" and len(words) > 1:
            assert words[1] in make_targets(), span
        if words[0] in OURS and len(words) > 1 and words[1] != "…":
            check_options(words[1:])


def check_options(words: list[str]) -> None:
    """Check the command's name and its options' names; arguments may be left out in a text."""
    if words[0].startswith("-"):
        return
    command = COMMAND_LINE.commands[words[0]]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    assert {word.partition("=")[0] for word in words[1:] if word.startswith("-")} <= known, words


def test_the_pages_have_commands_at_all() -> None:
    typed = [words for block in BLOCKS for words in command_lines(block.text) if words[0] in OURS]
    assert len(typed) >= 4
