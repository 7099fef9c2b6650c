"""Settings that cannot work are refused in words a person can act on, and the key is never one of them."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.errors import Disposition, SettingsError
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.settings import Settings, is_loopback, make_settings

KEY = "sk_test_51CanaryKey"
WHERE = "connection payrecords_default"


def make(**values: Any) -> Settings:
    return make_settings({"api_key": KEY, **values}, WHERE)


def refusal(**values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        make_settings(values, WHERE)
    assert refused.value.disposition is Disposition.ABORT
    assert str(refused.value).startswith(f"In {WHERE}: ")
    return str(refused.value).removeprefix(f"In {WHERE}: ")


def test_a_key_is_enough() -> None:
    settings = make()
    assert (settings.api_base, settings.host, settings.mode) == ("https://api.stripe.com", "api.stripe.com", "test")
    assert settings.stripe_version == STRIPE_VERSION
    assert settings.rate_limit == 20
    assert settings.retry_policy == RetryPolicy(max_retries=6, max_total_seconds=90)


@pytest.mark.parametrize(
    ("key", "mode"),
    [("sk_test_1", "test"), ("rk_test_live_1", "test"), ("sk_live_1", "live"), ("rk_live_test_1", "live")],
)
def test_the_key_says_the_mode(key: str, mode: str) -> None:
    assert make(api_key=key).mode == mode


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "api_key is missing."),
        ({"api_key": ""}, "api_key is missing: give a secret (sk_…) or restricted (rk_…) key."),
        (
            {"api_key": "pk_test_51Canary"},
            "api_key is a publishable key (pk_…), which cannot report payments: use sk_… or rk_….",
        ),
        *[
            (
                {"api_key": key},
                "api_key does not look like a key: it must begin with sk_test_, rk_test_, sk_live_ or rk_live_.",
            )
            for key in (
                "51Canary",
                "sk_test_",
                "sk_prod_51Canary",
                "sk_test_51 Canary",
                "sk_test_51Canary\n",
                "SK_TEST_x",
            )
        ],
        ({"api_key": 51}, "api_key: Input should be a valid string."),
    ],
)
def test_a_key_that_cannot_work_is_named_but_not_shown(values: dict[str, Any], words: str) -> None:
    said = refusal(**values)
    assert said == words
    assert "51" not in said
    assert "Canary" not in said


@pytest.mark.parametrize("key", ["sk_test_\x00", "sk_test_ü", "sk_test_\u0661"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    assert refusal(api_key=key).startswith("api_key does not look like a key")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("api.stripe.com", "api_base has no scheme: write https://api.stripe.com."),
        ("localhost:12111", "api_base has no scheme: write https://localhost:12111."),
        ("user:secret@host", "api_base has no scheme: write https://api.stripe.com."),
        ("", "api_base has no scheme: write https://api.stripe.com."),
        (
            "http://api.stripe.com",
            "api_base is plain http, which is refused except to this machine: use https://.",
        ),
        ("http://10.0.0.1:80", "api_base is plain http, which is refused except to this machine: use https://."),
        ("http://127.0.0.1.example", "api_base is plain http, which is refused except to this machine: use https://."),
        ("http://0.0.0.0", "api_base is plain http, which is refused except to this machine: use https://."),
        *[
            (
                base,
                "api_base must be scheme, host and port only, without a user, a path, a query or a fragment.",
            )
            for base in (
                "https://user:secret@host",
                "https://@host",
                "https://host/v1",
                "https://host?secret=1",
                "https://host#secret",
            )
        ],
        *[
            (base, "api_base must be an https:// address with a host.")
            for base in ("ftp://host", "https://", "https://:80", "https://ho%20st", "https://api.stripe.com.")
        ],
        *[
            (base, "api_base must not hold spaces or line breaks.")
            for base in ("https://host\n", "https://ho st", "\thttps://host")
        ],
        ("https://host:0", "api_base must not name port 0."),
        ("https://host:70000", "api_base: Port out of range 0-65535."),
        ("https://[bad", "api_base: Invalid IPv6 URL."),
    ],
)
def test_an_api_base_that_is_unsafe_or_no_address_is_refused(base: str, words: str) -> None:
    said = refusal(api_key=KEY, api_base=base)
    assert said == words
    assert "secret" not in said.replace("secret (sk_…)", "")


@pytest.mark.parametrize(
    ("base", "kept"),
    [
        ("https://api.stripe.com/", "https://api.stripe.com"),
        ("https://API.stripe.com:443", "https://API.stripe.com:443"),
        ("http://localhost:12111", "http://localhost:12111"),
        ("http://127.0.0.1:12111/", "http://127.0.0.1:12111"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:12111", "http://[::1]:12111"),
        ("https://my_gateway.internal:8443", "https://my_gateway.internal:8443"),
    ],
)
def test_an_address_with_tls_or_on_this_machine_is_taken(base: str, kept: str) -> None:
    assert make(api_base=base).api_base == kept


def test_an_unknown_setting_is_named_with_those_that_exist() -> None:
    said = refusal(api_key=KEY, timeout=5, ratelimit=1)
    assert said.count("is not a setting; known are api_key, api_base, stripe_version") == 2
    assert "timeout is not a setting" in said
    assert "ratelimit is not a setting" in said


def test_everything_wrong_is_said_at_once() -> None:
    said = refusal(api_base="http://host", max_retries=-1)
    assert "api_key is missing" in said
    assert "api_base is plain http" in said
    assert "max_retries: Input should be greater than or equal to 0" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stripe_version", "latest"),
        ("stripe_version", "\uff12\uff10\uff12\uff16-10-28"),
        ("stripe_version", "2026-10-28.endive; x"),
        ("stripe_account", "acme"),
        ("stripe_account", "acct_1\n"),
        ("account", ""),
        ("account", "  "),
        ("account", "a@b"),
        ("account", "a\x00b"),
        ("account", "x" * 101),
        ("connect_timeout_seconds", 0),
        ("read_timeout_seconds", 301),
        ("write_timeout_seconds", "soon"),
        ("pool_timeout_seconds", float("nan")),
        ("max_retries", 1.5),
        ("max_retries", 101),
        ("max_total_seconds", float("inf")),
        ("rate_limit", 0),
        ("rate_limit", float("nan")),
        ("rate_limit", 10_001),
    ],
)
def test_a_setting_out_of_its_range_is_named(name: str, value: Any) -> None:
    assert refusal(api_key=KEY, **{name: value}).startswith(name)


def test_text_from_a_connection_is_read_as_numbers() -> None:
    settings = make(max_retries="3", rate_limit="12.5", read_timeout_seconds="7")
    assert (settings.max_retries, settings.rate_limit, settings.read_timeout_seconds) == (3, 12.5, 7.0)


@pytest.mark.parametrize("version", [STRIPE_VERSION, "2026-10-28", "2025-03-31.preview;feature_beta=v1"])
def test_an_api_version_can_be_pinned(version: str) -> None:
    assert make(stripe_version=version).stripe_version == version


@pytest.mark.parametrize(
    ("values", "scope"),
    [
        ({}, "api.stripe.com"),
        ({"account": "acme-eu"}, "acme-eu"),
        ({"stripe_account": "acct_1"}, "acct_1"),
        ({"account": "acme-eu", "stripe_account": "acct_1"}, "acct_1"),
        ({"api_base": "https://API.stripe.com:443/"}, "api.stripe.com"),
        ({"api_base": "http://127.0.0.1:12111"}, "@127.0.0.1"),
        ({"api_base": "http://127.0.0.1:12111", "account": "acme-eu"}, "acme-eu@127.0.0.1"),
        ({"api_base": "https://mock.example", "stripe_account": "acct_1"}, "acct_1@mock.example"),
    ],
)
def test_the_ledger_s_account_is_the_connected_one_or_the_name_or_the_host(values: dict[str, str], scope: str) -> None:
    assert make(**values).account_scope == scope


NAMES = (
    st.none()
    | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
    | st.sampled_from(["127.0.0.1", "@127.0.0.1", "localhost", "acme@127.0.0.1"])
)


@given(NAMES, NAMES, st.sampled_from(["http://127.0.0.1:1", "http://localhost", "https://mock.example"]))
def test_entries_of_a_sandbox_never_pass_for_stripe_s(live: str | None, tried: str | None, base: str) -> None:
    try:
        there, here = make(account=live), make(account=tried, api_base=base)
    except SettingsError:
        return
    assert there.account_scope != here.account_scope


def test_a_rolled_key_is_the_same_account() -> None:
    assert make(api_key="sk_test_new").account_scope == make().account_scope


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make().max_retries = 3  # type: ignore[misc]  # what is frozen cannot be assigned


def test_the_key_does_not_show_in_any_text_of_the_settings() -> None:
    settings = make()
    texts = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json(), f"{settings!r:>9}"]
    assert "Canary" not in " ".join(texts)
    assert settings.api_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    "values",
    [
        {"api_key": KEY, "unknown": KEY},
        {"api_key": KEY, "api_base": f"http://host/{KEY}"},
        {"api_key": KEY, "api_base": KEY},
        {"api_key": KEY, "stripe_version": KEY},
        {"api_key": KEY, "stripe_account": KEY},
        {"api_key": KEY, "account": KEY + "@"},
        {"api_key": KEY, "max_retries": KEY},
        {"api_key": KEY + " ", "rate_limit": KEY},
        {"api_key": [KEY]},
    ],
)
def test_the_key_does_not_show_in_an_error_nor_in_its_pickle_nor_in_its_trace(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        make_settings(values, WHERE)
    copy = pickle.loads(pickle.dumps(refused.value))
    shown = [str(refused.value), repr(refused.value), str(vars(copy)), *traceback.format_exception(refused.value)]
    assert "Canary" not in "".join(shown)
    assert str(copy) == str(refused.value)
    with pytest.raises(ValidationError) as raw:
        Settings.model_validate(values)
    assert "Canary" not in str(raw.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.1", "::1"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "10.0.0.1", "localhost.example", "2130706433", "::", "api.stripe.com"])  # noqa: S104  # an address to refuse
def test_other_machines_are_told_from_it(host: str) -> None:
    assert not is_loopback(host)
