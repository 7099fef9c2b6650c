"""An Airflow connection becomes settings, or an error that says what to write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import Connection
from airflow_provider_payrecords.connection import read_extras, read_ledger_url, read_settings
from airflow_provider_payrecords.core.errors import SettingsError
from airflow_provider_payrecords.settings import STRIPE_API_BASE

KEY = "rk_test_connectionCanary99"


def connection(**fields: Any) -> Connection:
    extra = fields.pop("extra", None)
    text = json.dumps(extra) if isinstance(extra, dict) else extra
    return Connection(**{"conn_id": "shop", "conn_type": "payrecords", "password": KEY, "extra": text, **fields})


def refusal(**fields: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(connection(**fields))
    message = caught.value.message
    assert "'shop'" in message
    assert KEY not in message
    return message


def test_password_alone_is_enough() -> None:
    settings = read_settings(connection())
    assert settings.api_key.get_secret_value() == KEY
    assert settings.api_base == STRIPE_API_BASE


def test_all_extras_are_taken() -> None:
    extra = {
        "stripe_version": "2026-09-30.endive",
        "stripe_account": "acct_1A",
        "account": "eu",
        "timeout": 7,
        "max_retries": 2,
        "rate_limit": 12.5,
    }
    settings = read_settings(connection(extra=extra))
    assert settings.stripe_version == "2026-09-30.endive"
    assert settings.stripe_account == "acct_1A"
    assert settings.account == "eu"
    assert (settings.read_timeout_seconds, settings.connect_timeout_seconds) == (7, 7)
    assert (settings.max_retries, settings.rate_limit) == (2, 12.5)


def test_long_timeout_does_not_make_a_dead_host_slow_to_notice() -> None:
    settings = read_settings(connection(extra={"timeout": 120}))
    assert (settings.read_timeout_seconds, settings.connect_timeout_seconds) == (120, 10)


def test_text_extras_of_a_connection_uri_are_converted() -> None:
    uri = f"payrecords://:{KEY}@https%3A%2F%2Fapi.stripe.com/?timeout=5&max_retries=3&rate_limit=2.5"
    settings = read_settings(Connection(conn_id="shop", uri=uri))
    assert settings.api_base == "https://api.stripe.com"
    assert (settings.read_timeout_seconds, settings.max_retries, settings.rate_limit) == (5, 3, 2.5)


def test_what_the_form_leaves_empty_is_unset() -> None:
    extra = dict.fromkeys(("stripe_version", "stripe_account", "account", "ledger_conn_id"), "")
    assert read_settings(connection(extra={**extra, "timeout": None})) == read_settings(connection())


def test_account_is_the_connection_id_where_none_is_named() -> None:
    assert read_settings(connection()).account_scope == "shop"
    assert read_settings(connection(extra={"account": "eu"})).account_scope == "eu"
    assert read_settings(connection(extra={"account": "eu", "stripe_account": "acct_1A"})).account_scope == "acct_1A"


def test_account_of_another_host_never_passes_for_stripes() -> None:
    assert read_settings(connection(host="http://127.0.0.1:12111")).account_scope == "shop@127.0.0.1"


@pytest.mark.parametrize(
    ("host", "port", "api_base"),
    [
        ("http://127.0.0.1:12111", None, "http://127.0.0.1:12111"),
        ("http://127.0.0.1", 12111, "http://127.0.0.1:12111"),
        ("http://127.0.0.1:12111", 12111, "http://127.0.0.1:12111"),
        ("http://[::1]", 12111, "http://[::1]:12111"),
        ("https://api.stripe.com/", None, "https://api.stripe.com"),
        ("https://api.stripe.com/", 443, "https://api.stripe.com:443"),
        ("", None, STRIPE_API_BASE),
    ],
)
def test_host_and_port_make_the_address(host: str, port: int | None, api_base: str) -> None:
    assert read_settings(connection(host=host, port=port)).api_base == api_base


def test_host_without_a_scheme_is_refused_and_the_address_is_spelled_out() -> None:
    message = refusal(host="api.stripe.com")
    assert "write https://api.stripe.com" in message
    assert "https%3A%2F%2Fapi.stripe.com" in message


def test_two_ports_are_refused() -> None:
    assert "contradict" in refusal(host="http://127.0.0.1:1", port=2)


def test_port_behind_a_path_is_refused() -> None:
    assert "contradict" in refusal(host="https://proxy.test/stripe", port=8443)


def test_port_without_a_host_is_refused() -> None:
    assert "without a host" in refusal(port=12111)


def test_plain_http_to_another_machine_is_refused() -> None:
    assert "plain http" in refusal(host="http://api.stripe.com")


def test_port_that_is_no_number_is_refused() -> None:
    assert "not an address" in refusal(host="http://127.0.0.1:port", port=1)


@pytest.mark.parametrize("password", [None, ""])
def test_missing_key_is_named(password: str | None) -> None:
    assert "the API key is missing; put it into the password field" in refusal(password=password)


def test_key_in_the_login_is_noticed_and_not_repeated() -> None:
    message = refusal(password=None, login=KEY)
    assert "not the login" in message


@pytest.mark.parametrize("key", ["pk_test_51HxPublic", "51HxWhatever", "sk_test_", "sk_test_with space"])
def test_wrong_key_is_refused_and_not_repeated(key: str) -> None:
    assert key not in refusal(password=key).replace("sk_test_,", "")


def test_unknown_extra_is_refused_and_the_known_ones_are_named() -> None:
    message = refusal(extra={"time_out": 5})
    assert "time_out is not a known extra" in message
    assert all(name in message for name in ("timeout", "max_retries", "ledger_conn_id"))


@pytest.mark.parametrize(
    "extra",
    [{"timeout": "soon"}, {"timeout": "nan"}, {"max_retries": -1}, {"max_retries": 1.5}, {"rate_limit": 0}],
)
def test_wrong_extra_is_named(extra: dict[str, Any]) -> None:
    assert next(iter(extra)) in refusal(extra=extra)


@pytest.mark.parametrize("extra", ['{"timeout": 5', "[1]", '"text"', "null"])
def test_extra_that_is_no_json_object_is_refused(extra: str) -> None:
    assert "not a JSON object" in refusal(extra=extra)


def test_ledger_connection_is_read() -> None:
    assert read_extras(connection(extra={"ledger_conn_id": "books"})).ledger_conn_id == "books"


@pytest.mark.parametrize("kind", ["postgres", "postgresql"])
def test_postgres_connection_is_a_ledger_url(kind: str) -> None:
    books = Connection(
        conn_id="books", conn_type=kind, host="db.test", port=5433, login="me", password="p@ss/1", schema="pay",
        extra=json.dumps({"sslmode": "require", "cursor": "x", "connect_timeout": 3}),
    )  # fmt: skip
    assert read_ledger_url(books) == "postgresql://me:p%40ss%2F1@db.test:5433/pay?sslmode=require&connect_timeout=3"


def test_sqlite_connection_is_a_ledger_url() -> None:
    assert read_ledger_url(Connection(conn_id="books", conn_type="sqlite", host="/data/l.db")) == "sqlite:////data/l.db"


def test_ledger_in_another_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="mysql"):
        read_ledger_url(Connection(conn_id="books", conn_type="mysql", host="db"))
