"""Keys that are refused, hosts that are not safe, redirects and proxies; and no key is ever written anywhere."""

from __future__ import annotations

import pytest

from tests.acceptance.command_line import API_KEY, Result, Workspace
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer

ROWS = 40


def _assert_secret(workspace: Workspace, result: Result, api_key: str) -> None:
    secret = api_key.partition("_test_")[2] or api_key.partition("_live_")[2] or api_key
    assert secret not in result.out + result.err
    assert secret.encode() not in workspace.everything_on_disk()


@pytest.mark.parametrize(("option", "word"), [("--revoked", "key"), ("--forbidden", "permission")])
def test_a_refused_key_stops_the_run_at_once_and_another_key_completes_it(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, option: str, word: str
) -> None:
    extract, server = good_extract(ROWS), start_server(f"{option}={API_KEY}")
    result = workspace.report(server.url, "--concurrency=4")
    result.expect(3)
    assert word in result.json["stop_reason"] + result.err
    assert 1 <= len(server.log()) <= 8
    assert server.commits() == []
    _assert_secret(workspace, result, API_KEY)
    again = workspace.run(workspace.report_arguments(server.url, api_key="rk_test_other"))
    again.expect(0)
    assert_exactly_once(extract, server, workspace)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_refused_in_the_middle_keeps_what_was_done(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, status: int
) -> None:
    extract = good_extract(ROWS)
    server = start_server("--refuse-after=15", f"--refuse-status={status}")
    result = workspace.report(server.url, "--concurrency=4")
    result.expect(3)
    assert len(server.log()) <= 15 + 8
    assert result.json["counts"]["confirmed"] == len(server.commits()) == 15
    assert sum(result.json["counts"].values()) == result.json["rows"]
    _assert_secret(workspace, result, API_KEY)
    again = workspace.run(workspace.report_arguments(server.url, api_key="sk_test_new"))
    again.expect(0)
    assert_exactly_once(extract, server, workspace)


@pytest.mark.parametrize(
    ("api_key", "word"),
    [
        ("pk_test_canaryPublishable", "publishable"),
        ("", "key"),
        ("canaryNonsense", "sk_test_"),
        ("sk_test_line\nbreak", "key"),
        ("sk_live_canaryLive77", "live"),
    ],
)
def test_a_key_that_cannot_or_may_not_be_used_is_wrong_usage(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, api_key: str, word: str
) -> None:
    good_extract(3)
    server = start_server()
    result = workspace.run(workspace.report_arguments(server.url, api_key=api_key))
    result.expect(2)
    assert word in result.err
    assert "Traceback" not in result.err
    assert server.log() == []
    if api_key:
        _assert_secret(workspace, result, api_key)


def test_without_any_key_the_message_names_the_ways_to_give_one(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    good_extract(3)
    arguments = [one for one in workspace.report_arguments(start_server().url) if not one.startswith("--api-key")]
    result = workspace.run(arguments)
    result.expect(2)
    assert "STRIPE_API_KEY" in result.err


def test_the_key_may_come_from_the_environment(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(3), start_server()
    arguments = [one for one in workspace.report_arguments(server.url) if not one.startswith("--api-key")]
    result = workspace.run(arguments, environment={"STRIPE_API_KEY": API_KEY})
    result.expect(0)
    assert_exactly_once(extract, server, workspace)
    _assert_secret(workspace, result, API_KEY)


@pytest.mark.parametrize(
    "api_base",
    [
        "http://192.0.2.1",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "127.0.0.1:9",
    ],
)
def test_an_unsafe_host_is_wrong_usage(workspace: Workspace, good_extract: MakeExtract, api_base: str) -> None:
    good_extract(3)
    result = workspace.report(api_base)
    result.expect(2)
    assert "https://" in result.err
    assert "Traceback" not in result.err


def test_a_password_in_the_host_is_refused_and_not_repeated(workspace: Workspace, good_extract: MakeExtract) -> None:
    good_extract(3)
    result = workspace.report("https://user:canaryPassword@api.stripe.com")
    result.expect(2)
    _assert_secret(workspace, result, "canaryPassword")


def test_a_redirect_is_not_followed(start_server: StartServer, workspace: Workspace, good_extract: MakeExtract) -> None:
    good_extract(ROWS)
    elsewhere = start_server()
    server = start_server(f"--redirect-to={elsewhere.url}")
    result = workspace.report(server.url, "--concurrency=4")
    result.expect(3)
    assert elsewhere.log() == []
    assert "redirect" in result.json["stop_reason"] + result.err
    _assert_secret(workspace, result, API_KEY)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_call_to_this_machine_does_not_go_through_a_proxy(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, name: str
) -> None:
    extract, server, proxy = good_extract(3), start_server(), start_server()
    result = workspace.run(workspace.report_arguments(server.url), environment={name: proxy.url})
    result.expect(0)
    assert proxy.log() == []
    assert_exactly_once(extract, server, workspace)
