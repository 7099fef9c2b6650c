"""A state file: everything comes back, after ``kill -9`` too, and only one sandbox uses it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox.config import InvoiceSeed, SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.storage import FileStorage
from tests.sandbox.samples import PAYMENT, REPORT, START, Api, Clock, refund

Opened = Callable[[str], Sandbox]

SERVE = """
import sys
from airflow_provider_payrecords.sandbox import SandboxConfig, serve
config = SandboxConfig(rate_limits=None)
serve(port=0, state_file=sys.argv[1], config=config, on_ready=lambda url: print(url, flush=True))
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open sandboxes by the name of their state file, and close them in the end."""
    sandboxes = []

    def make(name: str) -> Sandbox:
        seed = InvoiceSeed(id="in_1", amount_due=4950, currency="eur")
        config = SandboxConfig(rate_limits=None, invoices=(seed,))
        sandboxes.append(Sandbox(config, storage=FileStorage(tmp_path / name), clock=Clock()))
        return sandboxes[-1]

    yield make
    for sandbox in sandboxes:
        sandbox.close()


def test_everything_comes_back(opened: Opened) -> None:
    first = opened("state")
    api = Api(first)
    record = api.report(
        "k", outcome="guaranteed", guaranteed={"guaranteed_at": START}, metadata={"payrecords_key": "1"}
    )
    api.act(record["id"], "report_refund", refund("r", 1), "r")
    api.post("/v1/invoices/in_1/attach_payment", {"payment_record": api.report()["id"]})
    lines, records, paid = list(first.journal), first.records(), api.get("/v1/invoices/in_1").body
    first.close()

    again = Api(opened("state"))
    assert (list(again.sandbox.journal), again.sandbox.records()) == (lines, records)
    assert again.get("/v1/invoices/in_1").body == paid
    assert again.act(record["id"], "report_refund", refund("r", 1), "other").status == 400
    assert len(again.get("/v1/invoice_payments").body["data"]) == 1
    replay = again.act(record["id"], "report_refund", refund("r", 1), "r")
    assert replay.headers["idempotent-replayed"] == "true"
    assert again.report()["created"] >= record["created"]
    assert list(again.sandbox.journal)[-1].sequence == len(lines) + 1


def test_kept_failure_comes_back(opened: Opened) -> None:
    first = opened("state")
    first.faults.add("error_after")
    assert Api(first).post(REPORT, PAYMENT, "k").status == 500
    first.close()
    again = Api(opened("state"))
    assert again.post(REPORT, PAYMENT, "k").status == 500
    assert len(again.sandbox.records()) == 1


def test_reset_empties_the_file(opened: Opened) -> None:
    first = opened("state")
    Api(first).report()
    first.reset()
    first.close()
    assert opened("state").records() == []


def test_file_is_used_by_one_sandbox_at_a_time(opened: Opened) -> None:
    first = opened("state")
    Api(first).report()
    with pytest.raises(UsageError, match="another sandbox"):
        opened("state")


def test_file_of_something_else_is_refused(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "notes").write_text("not a database, but long enough to be looked at as one" * 50, "utf-8")
    with pytest.raises(UsageError, match="notes"):
        opened("notes")


def test_file_of_another_version_is_refused(tmp_path: Path, opened: Opened) -> None:
    with sqlite3.connect(tmp_path / "state") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="another version"):
        opened("state")


def test_answered_requests_survive_kill_9(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "state"
    headers = {"authorization": "Bearer sk_test_1"}
    form = {
        "amount_requested[value]": "4950",
        "amount_requested[currency]": "eur",
        "initiated_at": str(START),
        "payment_method_details[type]": "custom",
    }
    answered: dict[str, str] = {}
    for life in range(2):
        with subprocess.Popen([sys.executable, "-c", SERVE, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            for number in range(20 + 20 * life):
                key = f"k{number}"
                reply = httpx.post(url + REPORT, data=form, headers={**headers, "idempotency-key": key})
                assert answered.setdefault(key, reply.json()["id"]) == reply.json()["id"]
            os.kill(process.pid, signal.SIGKILL)
    survived = opened("state")
    assert sorted(line.payment_record for line in survived.journal) == sorted(answered.values())
