"""What each API version knows."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.versions import RELEASES
from tests.sandbox.samples import CALLS, PAYMENT, REPORT, START, Api, refund

CANCELED = {"outcome": "canceled", "canceled": {"canceled_at": START}}


def at(sandbox: Sandbox, version: str) -> Api:
    return Api(sandbox, stripe_version=version)


@pytest.mark.parametrize("version", RELEASES)
def test_every_release_reports_and_is_echoed(sandbox: Sandbox, version: str) -> None:
    answer = at(sandbox, version).post(REPORT, PAYMENT)
    assert (answer.status, answer.headers["stripe-version"]) == (200, version)


def test_account_has_a_default_version(api: Api) -> None:
    assert api.get("/v1/payment_records").headers["stripe-version"] == "2026-10-28.endive"


@pytest.mark.parametrize(
    "version", ["2026-07-08.preview", "2026-10-28", "tomorrow", "2027-01-01.fig", "2026-10-28.endive;x=v1"]
)
def test_version_that_does_not_exist_is_named_in_a_400(sandbox: Sandbox, version: str) -> None:
    answer = at(sandbox, version).post(REPORT, PAYMENT)
    assert answer.status == 400
    assert version in answer.error["message"]


@pytest.mark.parametrize("version", ["2024-06-20", "2025-09-30.clover", "2025-03-31.basil"])
def test_older_versions_do_not_have_the_routes(sandbox: Sandbox, version: str) -> None:
    status = at(sandbox, version).post(REPORT, PAYMENT).status
    assert status == (400 if version.endswith("clover") else 404)


@pytest.mark.parametrize(("version", "status"), [("2026-06-24.dahlia", 404), ("2026-07-29.dahlia", 200)])
def test_list_of_records_came_with_2026_07_29(sandbox: Sandbox, version: str, status: int) -> None:
    assert at(sandbox, version).get("/v1/payment_records").status == status


@pytest.mark.parametrize(("version", "status"), [("2026-08-26.dahlia", 400), ("2026-09-30.endive", 200)])
def test_canceled_outcome_came_with_2026_09_30(sandbox: Sandbox, version: str, status: int) -> None:
    assert at(sandbox, version).post(REPORT, {**PAYMENT, **CANCELED}).status == status


def test_canceled_is_an_unknown_field_before(sandbox: Sandbox) -> None:
    old = at(sandbox, "2026-08-26.dahlia")
    assert old.post(REPORT, {**PAYMENT, **CANCELED}).blame == (400, "parameter_unknown", "canceled")
    answer = old.post(REPORT, {**PAYMENT, "outcome": "canceled"})
    assert answer.error["message"] == "Invalid outcome: must be one of failed or guaranteed"


def test_canceling_an_attempt_was_always_there(sandbox: Sandbox) -> None:
    old = at(sandbox, RELEASES[0])
    assert old.act(old.report()["id"], "report_payment_attempt_canceled").status == 200


@pytest.mark.parametrize(("version", "status"), [("2026-05-27.dahlia", 400), ("2026-06-24.dahlia", 200)])
def test_refunded_is_optional_since_2026_06_24(sandbox: Sandbox, version: str, status: int) -> None:
    one = at(sandbox, version)
    record = one.report(outcome="guaranteed", guaranteed={"guaranteed_at": START})
    assert one.act(record["id"], "report_refund", refund("r")).status == status
    dated = {**refund("s", 1), "refunded": {"refunded_at": START}}
    assert (one.act(record["id"], "report_refund", dated).status == 200) is (status == 400)


@pytest.mark.parametrize(("version", "shown"), [("2025-11-17.clover", False), ("2025-12-15.clover", True)])
def test_record_says_who_reported_it_since_2025_12_15(sandbox: Sandbox, version: str, shown: bool) -> None:
    one = at(sandbox, version)
    record = one.report()
    attempt = one.get(f"/v1/payment_attempt_records/{record['latest_payment_attempt_record']}").body
    assert ("reported_by" in record, "reported_by" in attempt) == (shown, True)


def test_every_call_is_known_to_the_first_release(sandbox: Sandbox) -> None:
    first = at(sandbox, RELEASES[0])
    assert {first.act("pr_none", call, {**params, **_refunded(call)}).status for call, params in CALLS.items()} == {404}


def _refunded(call: str) -> dict[str, dict[str, int]]:
    return {"refunded": {"refunded_at": START}} if call == "report_refund" else {}
