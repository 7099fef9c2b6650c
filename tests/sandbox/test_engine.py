"""The order of things, and what every answer carries."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox.config import InvoiceSeed, RateLimits
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.exchange import Incoming
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from tests.sandbox.samples import PAYMENT, REPORT, START, Api, make_sandbox, refund


def test_key_is_checked_before_the_rate_and_the_rate_before_the_route() -> None:
    sandbox = make_sandbox(rate_limits=RateLimits(test=1))
    assert Api(sandbox, "pk_test_1").get("/v1/nothing").status == 401
    api = Api(sandbox)
    assert [api.get("/v1/nothing").status for _ in range(2)] == [404, 429]


def test_saved_answer_is_found_before_parameters_are_checked(api: Api) -> None:
    api.report("k")
    assert api.post(REPORT, {"foo": "1"}, "k").error["type"] == "idempotency_error"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("POST", "/v1/payment_records"),
        ("POST", "/v1/payment_records/pr_1"),
        ("DELETE", "/v1/payment_records/pr_1"),
        ("POST", "/v1/payment_records/pr_1/report_dispute"),
        ("POST", "/v1/payment_attempt_records/par_1/report_failed"),
        ("GET", "/v1/payment_attempt_record_entries"),
        ("POST", "/v1/payment_records//report_refund"),
        ("GET", "/v1/payment_records/"),
        ("POST", "/v1/credit_notes"),
    ],
)
def test_route_that_does_not_exist_is_named(api: Api, method: str, path: str) -> None:
    answer = api.send(Incoming(method, path, "", api.headers, b""))
    assert answer.blame == (404, None, None)
    assert answer.error["message"].startswith(f"Unrecognized request URL ({method}: {path}). ")


def test_reading_report_payment_is_reading_a_record_of_that_name(api: Api) -> None:
    answer = api.get(REPORT)
    assert answer.blame == (404, "resource_missing", "id")
    assert answer.error["message"] == "No such payment_record: 'report_payment'"


def test_id_in_the_path_is_decoded(api: Api) -> None:
    assert "'a/b'" in api.get("/v1/payment_records/a%2Fb").error["message"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/payment_records/x", "payment_record"), ("/v1/payment_attempt_records/x", "payment_attempt_record")],
)
def test_object_that_does_not_exist_is_named(api: Api, path: str, kind: str) -> None:
    assert api.get(path).error["message"] == f"No such {kind}: 'x'"


def test_every_answer_of_the_api_has_an_id_of_its_own(api: Api) -> None:
    answers = [api.get("/v1/payment_records"), api.get("/v1/x"), api.post(REPORT, PAYMENT), api.post(REPORT, {})]
    assert len({answer.headers["request-id"] for answer in answers}) == 4
    error = answers[1].error
    assert error["request_log_url"].endswith(
        f"/acct_sandbox/test/workbench/logs?object={answers[1].headers['request-id']}"
    )


@pytest.mark.parametrize(("kind", "advice"), [("key_in_use", "true"), ("lock", "true"), ("error_before", None)])
def test_server_gives_advice_on_retrying(api: Api, kind: str, advice: str | None) -> None:
    assert api.post(REPORT, PAYMENT).headers["stripe-should-retry"] == "false"
    assert api.post(REPORT, {}).headers["stripe-should-retry"] == "false"
    api.sandbox.faults.add(Fault(kind=FaultKind(kind)))
    assert api.post(REPORT, PAYMENT, "k").headers.get("stripe-should-retry") == advice


def test_journal_has_one_line_for_each_effect(api: Api) -> None:
    record = api.report(
        "k", metadata={"payrecords_key": "row-1"}, outcome="guaranteed", guaranteed={"guaranteed_at": START}
    )
    api.post(REPORT, {**PAYMENT, "foo": "1"})
    api.act(record["id"], "report_payment_attempt")
    api.act(record["id"], "report_refund", refund("r", 950), "r")
    api.act(record["id"], "report_payment_attempt_informational")
    api.get("/v1/payment_records")
    lines = list(api.sandbox.journal)
    assert [line.sequence for line in lines] == [1, 2, 3]
    assert [(line.endpoint, line.amount, line.currency) for line in lines] == [
        ("report_payment", 4950, "eur"),
        ("report_refund", 950, "eur"),
        ("report_payment_attempt_informational", None, None),
    ]
    assert {line.payment_record for line in lines} == {record["id"]}
    first = lines[0]
    assert (first.method, first.path, first.idempotency_key) == ("POST", REPORT, "k")
    assert (first.account, first.mode, first.payrecords_key, first.time) == ("acct_sandbox", "test", "row-1", START)


def test_reset_forgets_everything_and_brings_seeds_back() -> None:
    sandbox = make_sandbox(invoices=(InvoiceSeed(id="in_1", amount_due=100, currency="eur"),))
    api = Api(sandbox)
    api.report("k")
    sandbox.add_invoice(InvoiceSeed(amount_due=1, currency="usd"))
    sandbox.reset()
    assert (sandbox.records(), len(sandbox.journal)) == ([], 0)
    assert "idempotent-replayed" not in api.post(REPORT, PAYMENT, "k").headers
    assert api.get("/v1/invoices/in_1").status == 200
    with pytest.raises(UsageError, match="in_1"):
        sandbox.add_invoice(InvoiceSeed(id="in_1", amount_due=100, currency="eur"))


def test_records_are_listed_oldest_first(sandbox: Sandbox) -> None:
    ids = [Api(sandbox).report()["id"] for _ in range(3)]
    assert [record["id"] for record in sandbox.records()] == ids
