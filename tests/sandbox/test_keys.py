"""Who may call, on which account, and to do what."""

from __future__ import annotations

import base64

import pytest

from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.exchange import Incoming
from airflow_provider_payrecords.sandbox.keys import mask
from tests.sandbox.samples import PAYMENT, REPORT, START, Answer, Api, make_sandbox

ATTACH = "/v1/invoices/in_1/attach_payment"


def listed(sandbox: Sandbox, **headers: str) -> Answer:
    return Api(sandbox).send(Incoming("GET", "/v1/payment_records", "", headers, b""))


@pytest.mark.parametrize("key", ["sk_test_1", "rk_test_1", "sk_live_1", "rk_live_abc_DEF"])
def test_any_secret_or_restricted_key_is_accepted(sandbox: Sandbox, key: str) -> None:
    assert listed(sandbox, authorization=f"Bearer {key}").status == 200


@pytest.mark.parametrize("key", ["pk_test_123", "sk_test_", "sk_prod_123", "nonsense", "rk_123"])
def test_anything_else_is_a_wrong_key(sandbox: Sandbox, key: str) -> None:
    answer = listed(sandbox, authorization=f"Bearer {key}")
    assert answer.blame == (401, None, None)
    assert answer.error["message"].startswith("Invalid API Key provided: ")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer "}, {"authorization": "Digest x"}])
def test_request_without_a_key_is_told_how_to_send_one(sandbox: Sandbox, headers: dict[str, str]) -> None:
    answer = listed(sandbox, **headers)
    assert answer.status == 401
    assert answer.error["message"].startswith("You did not provide an API key.")


def test_basic_authentication_takes_the_key_as_user(sandbox: Sandbox) -> None:
    pair = base64.b64encode(b"sk_test_123:").decode()
    assert listed(sandbox, authorization=f"Basic {pair}").status == 200
    assert listed(sandbox, authorization="Basic %%%").status == 401


def test_only_listed_keys_are_accepted_if_there_is_a_list() -> None:
    sandbox = make_sandbox(keys={"sk_test_known"})
    assert Api(sandbox, "sk_test_known").get("/v1/payment_records").status == 200
    assert Api(sandbox, "sk_test_other").get("/v1/payment_records").status == 401


def test_revoked_key_is_expired() -> None:
    answer = Api(make_sandbox(revoked_keys={"sk_test_rolled_0123"}), "sk_test_rolled_0123").post(REPORT, PAYMENT)
    assert answer.blame == (401, "api_key_expired", None)
    assert answer.error["message"] == "Expired API Key provided: sk_test_****0123"


def test_restricted_key_does_what_it_may() -> None:
    key = "rk_test_restricted"
    reading = Api(make_sandbox(permissions={key: {"payment_records_read"}}), key)
    assert reading.get("/v1/payment_records").status == 200
    refused = reading.post(REPORT, PAYMENT, "k")
    assert refused.status == 403
    assert "rak_payment_records_write" in refused.error["message"]
    assert len(reading.sandbox.journal) == 0


def test_writing_includes_reading_but_not_invoices() -> None:
    key = "rk_test_restricted"
    writing = Api(make_sandbox(permissions={key: {"payment_records_write"}}), key)
    record = writing.report()["id"]
    assert writing.get(f"/v1/payment_records/{record}").status == 200
    assert writing.get("/v1/payment_attempt_records", payment_record=record).status == 200
    answer = writing.post(ATTACH, {"payment_record": record})
    assert answer.status == 403
    assert "rak_invoice_write" in answer.error["message"]


def test_objects_of_modes_do_not_see_each_other(sandbox: Sandbox) -> None:
    record = Api(sandbox, "sk_test_1").report()
    live = Api(sandbox, "sk_live_1")
    answer = live.get(f"/v1/payment_records/{record['id']}")
    assert answer.blame == (404, "resource_missing", "id")
    assert answer.error["message"].endswith(
        "a similar object exists in test mode, but a live mode key was used to make this request."
    )
    assert (record["livemode"], live.report()["livemode"]) == (False, True)
    assert len(live.get("/v1/payment_records").body["data"]) == 1


@pytest.mark.parametrize("header", ["stripe_account", "stripe_context"])
def test_objects_of_accounts_do_not_see_each_other(sandbox: Sandbox, header: str) -> None:
    connected = Api(sandbox, **{header: "acct_connected"})
    record = connected.report(outcome="failed", failed={"failed_at": START})
    assert Api(sandbox).get(f"/v1/payment_records/{record['id']}").status == 404
    assert Api(sandbox, stripe_account="acct_connected").get(f"/v1/payment_records/{record['id']}").status == 200


def test_account_that_is_none_is_refused(sandbox: Sandbox) -> None:
    assert Api(sandbox, stripe_account="somebody").get("/v1/payment_records").blame == (403, "account_invalid", None)


@pytest.mark.parametrize(
    ("key", "shown"), [("sk_test_1234567890abcd", "sk_test_****abcd"), ("sk_live_short", "sk_live_****"), ("x", "****")]
)
def test_masked_key_shows_its_kind_and_its_end(key: str, shown: str) -> None:
    assert mask(key) == shown
