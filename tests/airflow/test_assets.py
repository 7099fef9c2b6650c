"""``payrecords://`` assets, and the events that reporting leaves in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import Asset, AssetAlias

from airflow_provider_payrecords.assets import create_asset
from airflow_provider_payrecords.operators.extract import PlanExtractOperator, ReportExtractOperator
from airflow_provider_payrecords.operators.report import ReportPaymentOperator
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.payments import EMAIL, NAME, payment, rows

BOOKS = create_asset(account="acme", source="default")
Tell = Callable[..., tuple[RanTask, dict[str, Any]]]


@pytest.fixture
def events(supervisor: MemorySupervisor, in_dag: Callable[..., Any]) -> Tell:
    """Return a function that runs an operator and returns what it left in asset events, by URI."""

    def run(operator: type, **arguments: Any) -> tuple[RanTask, dict[str, Any]]:
        ran = run_task(in_dag(operator, **arguments), supervisor=supervisor)
        return ran, ran.asset_events

    return run


def test_asset_names_account_and_source() -> None:
    assert create_asset(account="acme-eu", source="adyen eu").uri == "payrecords://acme-eu/adyen%20eu"
    assert create_asset(account="books@127.0.0.1", source="a/b").uri == "payrecords://books%40127.0.0.1/a%2Fb"
    assert create_asset(account="a", source="b", extra={"team": "tax"}).extra == {"team": "tax"}


@pytest.mark.parametrize("uri", ["payrecords://acme", "payrecords:///x", "payrecords://a/b/c", "payrecords://a/b?c=1"])
def test_address_that_is_none_is_refused_when_the_dag_is_parsed(uri: str) -> None:
    with pytest.raises(ValueError, match="payrecords://account/source"):
        Asset(uri)


def test_slash_at_the_end_makes_no_other_asset() -> None:
    assert Asset("payrecords://acme/x/").uri == Asset("payrecords://acme/x").uri


def test_run_tells_its_ids_and_counts(events: Tell, sandbox: RunningSandbox) -> None:
    ran, told = events(
        ReportExtractOperator, extract=rows(3), options={"rate_limit": 1000}, outlets=[BOOKS, Asset("file:///other")]
    )
    assert set(told) == {BOOKS.uri}
    event = told[BOOKS.uri]
    assert event["record_ids"] == ran.xcoms["record_ids"]
    assert event["counts"] == {"confirmed": 3}
    assert event["money"] == {"eur": {"confirmed": 306}}
    assert (event["new"], event["rows"], event["mode"]) == (3, 3, "test")
    assert not any(canary in str(event) for canary in (NAME, EMAIL))


def test_call_tells_its_id(events: Tell, sandbox: RunningSandbox) -> None:
    ran, told = events(ReportPaymentOperator, payment=payment(), outlets=[BOOKS])
    assert told[BOOKS.uri]["record_ids"] == [ran.result]
    assert told[BOOKS.uri]["new"] == 1


def test_alias_gets_the_asset_of_the_account_that_was_reported_to(events: Tell, sandbox: RunningSandbox) -> None:
    ran, told = events(ReportPaymentOperator, payment=payment(), source="till", outlets=[AssetAlias("records")])
    assert told["payrecords://payrecords_default%40127.0.0.1/till"]["record_ids"] == [ran.result]


def test_plan_tells_nothing(events: Tell, sandbox: RunningSandbox) -> None:
    ran, told = events(PlanExtractOperator, extract=rows(3), outlets=[BOOKS, AssetAlias("records")])
    assert ran.state == "success"
    assert told == {}


def test_operators_of_other_packages_are_left_alone(in_dag: Callable[..., Any]) -> None:
    from airflow_provider_payrecords.assets import announce

    context: Any = {"outlet_events": {}}
    announce([Asset("s3://bucket/x"), "text"], context, {"a": 1}, account="acme", source="x")
    assert context["outlet_events"] == {}
