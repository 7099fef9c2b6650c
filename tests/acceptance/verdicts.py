"""What every run must satisfy, in words of the oracle, the foreign server and the ledger file."""

from __future__ import annotations

import json
from collections import Counter

from tests.acceptance.command_line import Result, Workspace
from tests.acceptance.oracle import Extract
from tests.foreign.process import ForeignServer, form_of


def assert_exactly_once(extract: Extract, server: ForeignServer, workspace: Workspace) -> None:
    """Each good row is one payment at the server, no other payment exists, and the ledger has every id."""
    once = Counter(extract.keys)
    assert server.stamped() == once
    assert server.payments() == once
    made = {commit["form"]["metadata"]["payrecords_key"]: commit["record"] for commit in server.commits()}
    assert workspace.ledger_ids() == made


def assert_export_agrees(workspace: Workspace) -> None:
    """``payrecords export`` says what the ledger file says."""
    exported = workspace.run(["export", f"--ledger={workspace.ledger_url}", "--format=jsonl"])
    exported.expect(0)
    entries = [json.loads(line) for line in exported.out.splitlines()]
    shown = {entry["key"]: entry["payment_record"] for entry in entries if entry["state"] == "confirmed"}
    assert shown == workspace.ledger_ids()


def assert_sent_as_written(extract: Extract, server: ForeignServer) -> None:
    """What arrived at the server is what the oracle worked out, field by field."""
    arrived = {form["metadata[payrecords_key]"]: form for form in map(form_of, server.log())}
    assert arrived == {sent.key: sent.form for sent in extract.good}


def assert_adds_up(result: Result, extract: Extract, *, rejected: int = 0) -> None:
    """The printed summary accounts for every row and every unit of money."""
    summary = result.json
    assert summary["rows"] == len(extract.rows) == sum(summary["counts"].values())
    assert summary["counts"].get("confirmed", 0) == len(extract.good)
    assert summary["counts"].get("rejected", 0) == rejected
    confirmed = {currency: sums.get("confirmed", 0) for currency, sums in summary["money"].items()}
    assert {currency: minor for currency, minor in confirmed.items() if minor} == extract.money
    assert len(json.dumps(summary).encode()) <= 4096


def assert_one_line_a_row(extract: Extract, server: ForeignServer, workspace: Workspace) -> None:
    """The results file has one line for each row: an id for a good one, field and reason for a bad one."""
    lines = {line["row_number"]: line for line in workspace.result_lines()}
    assert len(workspace.result_lines()) == len(lines) == len(extract.rows)
    made = {commit["form"]["metadata"]["payrecords_key"]: commit["record"] for commit in server.commits()}
    for row in extract.rows:
        line = lines[row.number]
        if row.number in extract.bad:
            assert line["state"] == "rejected", line
            assert line["error_param"] in extract.bad[row.number].fields, (row.columns, line)
            assert line["error_code"], line
            assert line["error_message"], line
            assert line["payment_record"] is None, line
        else:
            assert (line["state"], line["error_code"]) == ("confirmed", None), line
            assert line["payment_record"] == made[line["key"]], line
            assert line["source"] == "bank-eu", line
