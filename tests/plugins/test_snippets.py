"""What is copied, when it is run, makes the same request: operator, task, mapping and command line."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords._airflow import Connection
from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.core.form import decode_form
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, run_task
from tests.plugins.conftest import API_KEY
from tests.plugins.payments import PAYMENT, draft

TRICKY = "{{ 7*7 }}{% raw %}{# x #} \\ \"'é\r\nend\n"
AT = {"time": "2026-11-25T10:00:00", "zone": "Europe/Amsterdam"}


def compose(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = client.post("api/compose", json=body).json()
    assert told["problems"] == []
    return told


@pytest.fixture
def record(admin: httpx.Client) -> str:
    """Return the id of a record that is pending."""
    values = {**PAYMENT, "outcome": "", "processor_details.custom.payment_reference": "before"}
    values = {path: entry for path, entry in values.items() if not path.startswith("guaranteed")}
    return str(admin.post("api/send", json=draft(values)).json()["payment_record"])


@pytest.fixture
def supervisor(sandbox: RunningSandbox, ledger_path: Path) -> MemorySupervisor:
    """Return a supervisor that knows the same connection as the page."""
    found = Connection(conn_id="payrecords_default", conn_type="payrecords", host=sandbox.url, password=API_KEY)
    return MemorySupervisor(connections={"payrecords_default": found})


def calls(record: str) -> dict[str, dict[str, Any]]:
    """Return a form for every call that reports something."""
    tricky = {
        **PAYMENT,
        "processor_details.custom.payment_reference": "{{ run_id }} 47-11",
        "description": TRICKY,
        "metadata": [["a=b", "1"], ["{{ x }}", TRICKY], ["order.no", "007"]],
    }
    refund = {
        "payment_record": record,
        "amount": {"amount": "1.25", "currency": "eur"},
        "processor_details.custom.refund_reference": "re-1",
    }
    on_record = {"payment_record": record}
    named = {"key": "{{ ds }} named", "source": "by-hand"}
    return {
        "payment": draft(),
        "tricky payment": draft(tricky, **named),
        "guaranteed": draft({**on_record, "guaranteed_at": AT}, "report_payment_attempt_guaranteed", **named),
        "failed": draft({**on_record, "failed_at": AT}, "report_payment_attempt_failed", **named),
        "canceled": draft({**on_record, "canceled_at": AT}, "report_payment_attempt_canceled", **named),
        "informational": draft(
            {**on_record, "description": {"erase": True}, "customer_details.name": "Ann {# B #}"},
            "report_payment_attempt_informational",
            **named,
        ),
        "refund": draft(refund, "report_refund"),
    }


def run_as_dag(code: str, folder: Path, supervisor: MemorySupervisor) -> Any:
    """Paste *code* into a DAG file, parse that as Airflow does, and run its task."""
    from airflow.dag_processing.dagbag import DagBag

    (folder / "pasted.py").write_text(code)
    bag = DagBag(str(folder))
    assert bag.import_errors == {}
    ((dag_id, dag),) = bag.dags.items()
    assert dag_id.endswith("_once")
    (task,) = dag.tasks
    return run_task(task, supervisor=supervisor)


@pytest.mark.parametrize("kind", ["operator", "task"])
@pytest.mark.parametrize("name", calls("pr_1"))
def test_copied_code_makes_the_request_of_the_page(
    admin: httpx.Client,
    sandbox: RunningSandbox,
    supervisor: MemorySupervisor,
    record: str,
    name: str,
    kind: str,
    tmp_path: Path,
) -> None:
    told = compose(admin, calls(record)[name])
    before = len(sandbox.journal)
    if name == "refund":
        admin.post("api/send", json=calls(record)["guaranteed"])
        before += 1
    ran = run_as_dag(told["copy"][kind], tmp_path, supervisor)
    assert ran.state == "success", ran.error
    (line,) = list(sandbox.journal)[before:]
    assert line.idempotency_key == told["request"]["idempotency_key"], "the key is made of the whole body"
    assert ran.result == line.payment_record


@pytest.mark.parametrize("name", calls("pr_1"))
def test_copied_command_line_composes_the_request_of_the_page(
    admin: httpx.Client, record: str, name: str, tmp_path: Path
) -> None:
    told = compose(admin, calls(record)[name])
    command = told["copy"]["cli"]
    payrecords = shlex.quote(str(Path(sys.executable).parent / "payrecords"))
    script = command.replace("payrecords request", f"{payrecords} request --json", 1)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    composed = json.loads(done.stdout)["request"]
    assert {name: composed[name] for name in ("method", "url", "body", "idempotency_key")} == {
        name: told["request"][name] for name in ("method", "url", "body", "idempotency_key")
    }


def test_copied_mapping_takes_the_same_payment_from_an_extract(
    admin: httpx.Client, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    told = compose(admin, draft())
    (tmp_path / "mapping.yaml").write_text(told["copy"]["yaml"])
    columns = {
        "amount_requested": "49.50",
        "initiated_at": "2026-11-23 10:00:00",
        "guaranteed_at": "2026-11-24 10:00:00",
        "payment_reference": "wire 4711",
        "order": "7",
    }
    extract = ",".join(columns) + "\n" + ",".join(columns.values()) + "\n"
    (tmp_path / "extract.csv").write_text(extract)
    command = [str(Path(sys.executable).parent / "payrecords"), "report", "extract.csv", "--mapping", "mapping.yaml"]
    command += ["--api-base", sandbox.url, "--account", "payrecords_default", "--ledger", "l.db"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"STRIPE_API_KEY": API_KEY}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = sandbox.journal
    assert line.idempotency_key == told["request"]["idempotency_key"]


@pytest.mark.parametrize("name", calls("pr_1"))
def test_every_mapping_that_is_copied_is_a_mapping(admin: httpx.Client, name: str) -> None:
    import yaml

    from airflow_provider_payrecords.extract import ExtractMapping

    told = compose(admin, calls("pr_1")[name])
    mapping = ExtractMapping.model_validate(yaml.safe_load(told["copy"]["yaml"]))
    assert mapping.endpoint == calls("pr_1")[name]["endpoint"]


def test_a_read_is_copied_as_a_task_and_has_neither_operator_nor_mapping(
    admin: httpx.Client, supervisor: MemorySupervisor, record: str, tmp_path: Path
) -> None:
    told = compose(admin, draft({"payment_record": record}, "retrieve_payment_record"))
    assert told["copy"]["operator"] is told["copy"]["yaml"] is None
    ran = run_as_dag(told["copy"]["task"], tmp_path, supervisor)
    assert ran.result["id"] == record


def test_what_an_operator_cannot_say_is_not_copied_as_one(admin: httpx.Client) -> None:
    entries = {"payment_record": "pr_1", "failed_at": AT, "expand": ["customer"]}
    told = compose(admin, draft(entries, "report_payment_attempt_failed", key="k"))
    assert told["copy"]["operator"] is None
    assert "expand" in told["copy"]["task"]


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_no_copy_holds_a_key_of_the_api(admin: httpx.Client, endpoint: str) -> None:
    answers = [admin.post("api/compose", json=draft({}, endpoint)), admin.post("api/compose", json=draft())]
    assert all(API_KEY not in answer.text for answer in answers)


def test_the_form_that_is_shown_decodes_to_what_was_entered(admin: httpx.Client) -> None:
    told = compose(admin, calls("pr_1")["tricky payment"])
    assert decode_form(told["request"]["body"])["description"] == TRICKY
