"""``payrecords schema``."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.commands import COMMANDS
from tests.cli.conftest import Run


def test_without_an_endpoint_all_calls_are_listed(run: Run) -> None:
    shown = run("schema")
    assert shown.exit_code == 0
    assert [name for name in COMMANDS if f"  {name}  " not in shown.out] == []
    assert [one["endpoint"] for one in run("schema", "--json").json["endpoints"]] == list(COMMANDS)


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_every_call_can_be_shown_both_ways(run: Run, endpoint: str) -> None:
    command = COMMANDS[endpoint]
    shown, told = run("schema", endpoint), run("schema", endpoint, "--json").json
    assert shown.out.startswith(f"{command.method} {command.path}\n")
    assert [field["path"] for field in told["fields"] if f"  {field['path']} " not in shown.out] == []
    assert set(told["fields"][0]) == {"path", "type", "required", "limits", "choices", "note", "max_length"}


def test_dashes_are_taken_for_underscores(run: Run) -> None:
    assert run("schema", "report-refund").out == run("schema", "report_refund").out


def test_an_unknown_call_names_those_there_are(run: Run) -> None:
    shown = run("schema", "report_payments")
    assert shown.exit_code == 2
    assert "report_payment_attempt" in shown.err
