"""The hook: settings, clients, ledger, and a test of the connection that only reads."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from airflow_provider_payrecords._airflow import Connection, airflow_home
from airflow_provider_payrecords.core.commands import ListPaymentRecords
from airflow_provider_payrecords.core.errors import LedgerError, LedgerUnavailableError, SettingsError
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox, SandboxConfig, start_sandbox
from tests.ledger.wire import wire_to

KEY = "sk_test_hookCanary77"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a connection known to Airflow, as an operator of a deployment does."""

    def make(conn_id: str = "payrecords_default", **fields: Any) -> PaymentRecordsHook:
        values = {"conn_type": "payrecords", "password": KEY, **fields}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(values))
        return PaymentRecordsHook(conn_id)

    return make


@pytest.fixture
def strict_sandbox() -> Iterator[RunningSandbox]:
    config = SandboxConfig(keys=frozenset({KEY, "rk_test_readonly"}), permissions={"rk_test_readonly": frozenset()})
    with start_sandbox(config) as running:
        yield running


def test_nothing_is_read_before_it_is_needed() -> None:
    assert PaymentRecordsHook("no_such_connection").payrecords_conn_id == "no_such_connection"


def test_settings_come_from_the_connection_and_its_json_extra(connect: Any) -> None:
    settings = connect("shop", extra={"timeout": 7, "stripe_account": "acct_1A"}).settings
    assert (settings.read_timeout_seconds, settings.stripe_account) == (7, "acct_1A")


def test_clients_reach_the_host_of_the_connection(connect: Any, sandbox: RunningSandbox) -> None:
    hook = connect(host=sandbox.url)
    with hook.client() as client:
        assert client.send(ListPaymentRecords(limit=1)).data == []

    async def ask() -> Any:
        async with hook.async_client() as client:
            return await client.send(ListPaymentRecords(limit=1))

    assert asyncio.run(ask()).data == []


def test_ledger_is_in_airflow_home_where_nothing_else_is_said(connect: Any) -> None:
    with_default = connect().ledger()
    with_default.close()
    assert with_default.name == str(airflow_home() / "payrecords" / "ledger.db")


def test_ledger_is_the_one_of_the_configuration(connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", f"sqlite:///{tmp_path}/configured.db")
    ledger = connect().ledger()
    ledger.close()
    assert ledger.name == f"{tmp_path}/configured.db"


def test_ledger_may_be_configured_by_connection_id(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", "books")
    connect("books", conn_type="sqlite", password=None, host=f"{tmp_path}/books.db")
    ledger = connect().ledger()
    ledger.close()
    assert ledger.name == f"{tmp_path}/books.db"


def test_ledger_of_the_connection_wins(connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", f"{tmp_path}/configured.db")
    connect("books", conn_type="sqlite", password=None, host=f"{tmp_path}/books.db")
    ledger = connect("shop", extra={"ledger_conn_id": "books"}).ledger()
    ledger.close()
    assert ledger.name == f"{tmp_path}/books.db"


def test_ledger_may_be_a_postgres_connection_with_its_extras(connect: Any, empty_postgresql: Callable[[], str]) -> None:
    with wire_to(empty_postgresql()) as wire:
        books = {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": wire.port,
            "login": "postgres",
            "schema": "postgres",
        }
        connect("books", **books, password="hunter2", extra={"sslmode": "disable", "cursor": "dictcursor"})
        ledger = connect("shop", extra={"ledger_conn_id": "books"}).ledger()
        assert ledger.runs() == []
        ledger.close()
        assert ledger.name == f"postgresql+psycopg://postgres@127.0.0.1:{wire.port}/postgres"
        connect("books", **books, password="hunter2", extra={"sslmode": "require"})
        with pytest.raises(LedgerUnavailableError, match="SSL") as caught:
            connect("shop", extra={"ledger_conn_id": "books"}).ledger()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_wrong_connection_is_an_error_when_it_is_used(connect: Any) -> None:
    with pytest.raises(SettingsError, match="'shop'"):
        _ = connect("shop", host="api.stripe.com").settings


def test_connection_test_says_host_and_mode(connect: Any, sandbox: RunningSandbox) -> None:
    assert connect(host=sandbox.url).test_connection() == (True, f"{sandbox.url} accepts the key. Mode: test.")


def test_connection_test_says_live_and_the_connected_account(connect: Any, sandbox: RunningSandbox) -> None:
    hook = connect(host=sandbox.url, password="sk_live_hookCanary78", extra={"stripe_account": "acct_1A"})
    assert hook.test_connection() == (
        True,
        f"{sandbox.url} accepts the key. Mode: live, connected account acct_1A.",
    )


def test_connection_test_only_reads(connect: Any, sandbox: RunningSandbox) -> None:
    connect(host=sandbox.url).test_connection()
    assert (len(sandbox.journal), sandbox.records) == (0, [])


def test_connection_test_survives_an_account_without_the_list(connect: Any, sandbox: RunningSandbox) -> None:
    # The list route came with 2026-07-29; before it, it is a 404 of the router.
    hook = connect(host=sandbox.url, extra={"stripe_version": "2025-10-29.clover"})
    assert hook.test_connection()[0]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"password": "sk_test_unknownToIt"}, "not accepted"),
        ({"password": "rk_test_readonly"}, "permission"),
        ({"password": None}, "API key is missing"),
        ({"host": "127.0.0.1"}, "no scheme"),
        ({"extra": {"nonsense": 1}}, "nonsense"),
    ],
)
def test_connection_test_explains_what_is_wrong(
    connect: Any, strict_sandbox: RunningSandbox, fields: dict[str, Any], expected: str
) -> None:
    works, message = connect(**{"host": strict_sandbox.url, **fields}).test_connection()
    assert not works
    assert expected in message
    assert KEY not in message
    assert "unknownToIt" not in message


def test_connection_test_of_an_unknown_connection_is_a_sentence() -> None:
    works, message = PaymentRecordsHook("no_such_connection").test_connection()
    assert not works
    assert "no_such_connection" in message


def test_connection_test_does_not_wait_for_an_api_that_fails(connect: Any, sandbox: RunningSandbox) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_BEFORE, times=5))
    assert not connect(host=sandbox.url).test_connection()[0]
    assert sandbox.faults.script[0].times == 4


@pytest.mark.skipif(not hasattr(Connection, "test_connection"), reason="came with Airflow 3.3")
def test_connection_test_of_the_form_needs_no_stored_connection(sandbox: RunningSandbox) -> None:
    temporary = Connection(conn_id="form", conn_type="payrecords", host=sandbox.url, password=KEY)
    assert temporary.test_connection()[0]


def test_password_of_a_configured_ledger_is_masked_in_logs(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", "postgresql://me:p%40ssword@127.0.0.1:1/books")
    with mock.patch("airflow_provider_payrecords.hooks.payrecords.mask_secret") as masked, pytest.raises(LedgerError):
        connect().ledger()
    assert masked.call_args_list == [mock.call("p@ssword")]


def test_key_is_masked_in_logs(connect: Any) -> None:
    with mock.patch("airflow_provider_payrecords.hooks.payrecords.mask_secret") as masked:
        _ = connect().settings
    assert masked.call_args_list == [mock.call(KEY)]
