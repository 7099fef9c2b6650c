"""``payrecords request``: what is shown is what would be sent, and what is sent goes through the ledger."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.form import decode_form
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.server import RunningSandbox, start_sandbox
from tests.cli.command import API_KEY
from tests.cli.conftest import Run

PAYMENT = (
    "request",
    "report_payment",
    "amount_requested.value=4950",
    "amount_requested.currency=eur",
    "initiated_at=1750000000",
    "payment_method_details.type=custom",
    "processor_details.type=custom",
    "processor_details.custom.payment_reference=chq 4711 ü",
)


def test_without_send_the_exact_request_is_shown_and_nothing_leaves(
    run: Run, sandbox: RunningSandbox, api: list[str]
) -> None:
    shown = run(*PAYMENT, *api)
    assert shown.exit_code == 0
    assert f"POST {sandbox.url}/v1/payment_records/report_payment" in shown.out
    assert "Authorization: Bearer sk_test_…" in shown.out
    assert "Idempotency-Key: payrecords-" in shown.out
    assert "Not sent" in shown.out
    assert len(sandbox.journal) == 0


def test_it_needs_no_key_to_compose(run: Run) -> None:
    told = run(*PAYMENT, "--json").json
    assert told["sent"] is False
    assert told["answer"] is None
    assert told["request"]["url"] == "https://api.stripe.com/v1/payment_records/report_payment"
    assert decode_form(told["request"]["body"])["amount_requested"] == {"currency": "eur", "value": "4950"}


def test_the_curl_line_carries_the_same_body_and_headers(run: Run, api: list[str]) -> None:
    told = run(*PAYMENT, *api, "--json").json["request"]
    words = shlex.split(told["curl"].replace("\\\n", ""))
    assert "&".join(words[place + 1] for place, word in enumerate(words) if word == "-d") == told["body"]
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    assert headers.pop("Authorization") == "Bearer $STRIPE_API_KEY"
    assert headers == {name: told["headers"][name] for name in headers}
    assert {"Idempotency-Key", "Stripe-Version", "Content-Type"} <= headers.keys()


def test_what_is_sent_is_what_was_shown(run: Run, sandbox: RunningSandbox, api: list[str]) -> None:
    composed = run(*PAYMENT, *api, "--json").json["request"]
    sent = run(*PAYMENT, *api, "--send", "--json").json
    assert sent["request"] == composed
    (line,) = sandbox.journal
    assert line.idempotency_key == composed["idempotency_key"]
    assert sent["answer"]["payment_record"] == line.payment_record == sent["answer"]["body"]["id"]


def test_sent_again_it_gives_the_same_id_and_sends_nothing(run: Run, sandbox: RunningSandbox, api: list[str]) -> None:
    first = run(*PAYMENT, *api, "--send", "--json").json["answer"]
    again = run(*PAYMENT, *api, "--send", "--json").json["answer"]
    assert (first["new"], again["new"]) == (True, False)
    assert again["payment_record"] == first["payment_record"]
    assert len(sandbox.journal) == 1
    assert f"nothing was sent: {first['payment_record']}" in run(*PAYMENT, *api, "--send").out


def test_a_read_prints_the_answer(run: Run, sandbox: RunningSandbox, api: list[str]) -> None:
    record = run(*PAYMENT, *api, "--send", "--json").json["answer"]["payment_record"]
    read = run("request", "retrieve_payment_record", f"payment_record={record}", *api, "--send", "--json").json
    assert read["request"]["method"] == "GET"
    assert read["answer"]["body"]["id"] == record
    shown = run("request", "list_payment_records", "limit=1", *api, "--send").out
    assert "?limit=1" in shown
    assert record in shown


def test_fields_come_from_a_file_and_words_win(run: Run, tmp_path: Path) -> None:
    values = {
        "amount_requested": {"value": 1, "currency": "eur"},
        "initiated_at": 1750000000,
        "payment_method_details": {"type": "custom"},
    }
    (tmp_path / "p.json").write_text(json.dumps(values))
    told = run("request", "report_payment", "--from", "p.json", "amount_requested.value=2", "--key", "k", "--json").json
    assert decode_form(told["request"]["body"])["amount_requested"] == {"currency": "eur", "value": "2"}
    assert decode_form(told["request"]["body"])["metadata"]["payrecords_key"] == "k"


@pytest.mark.parametrize(
    ("text", "said"), [("- 1", "one mapping"), ("{", "neither JSON nor YAML"), (None, "No such file")]
)
def test_a_file_that_cannot_be_used_is_wrong_usage(run: Run, tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "p.yaml").write_text(text)
    shown = run("request", "report_payment", "--from", "p.yaml")
    assert shown.exit_code == 2
    assert said in shown.err


def test_a_call_that_breaks_a_rule_names_each_field(run: Run) -> None:
    told = run("request", "report_payment", "amount_requested.value=0", "amount_requested.currency=eur", "--json")
    assert told.exit_code == 2
    assert {one["field"] for one in told.json["error"]["problems"]} == {
        "amount_requested.value",
        "initiated_at",
        "payment_method_details",
    }


def test_a_payment_that_nothing_names_asks_for_a_key(run: Run) -> None:
    shown = run(*PAYMENT[:-2])
    assert shown.exit_code == 2
    assert "--key" in shown.err


def test_a_refusal_of_the_api_is_one_and_shows_its_code(run: Run, api: list[str]) -> None:
    shown = run("request", "retrieve_payment_record", "payment_record=pr_404", *api, "--send", "--json")
    assert shown.exit_code == 1
    assert shown.json["error"]["code"] == "resource_missing"
    assert shown.json["error"]["request_id"].startswith("req_")


def test_send_needs_a_key(run: Run) -> None:
    shown = run(*PAYMENT, "--send")
    assert shown.exit_code == 2
    assert "STRIPE_API_KEY" in shown.err


def test_a_live_key_sends_only_when_it_is_allowed(run: Run, sandbox: RunningSandbox, api: list[str]) -> None:
    live = [*PAYMENT, *api, "--api-key", "sk_live_canaryKey51Hx", "--send"]
    refused = run(*live)
    assert refused.exit_code == 2
    assert "--allow-live" in refused.err
    assert len(sandbox.journal) == 0
    assert run(*live, "--allow-live").exit_code == 0
    assert [line.mode for line in sandbox.journal] == ["live"]


def test_a_stated_mode_that_the_key_contradicts_is_refused(run: Run) -> None:
    shown = run(*PAYMENT, "--api-key", API_KEY, "--mode", "live")
    assert shown.exit_code == 2
    assert "test key" in shown.err


def test_a_rejected_key_is_three(run: Run) -> None:
    with start_sandbox(SandboxConfig(revoked_keys=frozenset({API_KEY}))) as sandbox:
        told = run(*PAYMENT, "--api-base", sandbox.url, "--api-key", API_KEY, "--ledger", "l.db", "--send", "--json")
    assert told.exit_code == 3
    assert told.json["error"]["type"] == "AuthenticationError"
    assert API_KEY not in told.out + told.err


def test_the_key_of_the_environment_is_used_and_not_shown(
    run: Run, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", API_KEY)
    shown = run(*PAYMENT, "--api-base", sandbox.url, "--send")
    assert shown.exit_code == 0
    assert len(sandbox.journal) == 1
    assert API_KEY not in shown.out + shown.err
