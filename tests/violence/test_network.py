"""Wrong certificates, servers that never answer, and proxies in between: honest, dying, answering themselves."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command_line import API_KEY, Result, Workspace, finish, wait_for_requests
from tests.acceptance.conftest import MakeExtract
from tests.acceptance.verdicts import assert_exactly_once
from tests.foreign.fixtures import StartServer
from tests.transport.certificates import self_signed
from tests.violence.relay import Relay

ROWS = 48
HOST = "api.payrecords.invalid"  # RFC 6761: no resolver knows it, so only a proxy can reach it
MakeRelay = Callable[..., Relay]


@pytest.fixture
def make_relay() -> Iterator[MakeRelay]:
    """Return what starts a relay; it ends with the test."""
    made: list[Relay] = []

    def make(*arguments: Any, **options: Any) -> Relay:
        made.append(Relay(*arguments, **options))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


def _assert_no_key(result: Result) -> None:
    assert API_KEY[8:] not in result.out + result.err
    assert "Traceback" not in result.err


def _said(result: Result) -> str:
    """Return why a run stopped."""
    reason: str = result.json["stop_reason"]
    return reason


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_with_a_certificate_that_is_not_the_servers_nothing_is_sent_and_with_the_right_one_all_is(
    start_server: StartServer,
    workspace: Workspace,
    good_extract: MakeExtract,
    make_relay: MakeRelay,
    tmp_path: Path,
    host: str,
) -> None:
    """The one is signed by nobody this machine knows; the other is, and is for another host."""
    extract, server = good_extract(ROWS), start_server()
    wrong, file = self_signed(tmp_path, host)
    front = make_relay(server.port, tls=wrong)
    trusted = {"SSL_CERT_FILE": str(file)} if host == "127.0.0.2" else {}
    arguments = workspace.report_arguments(f"https://127.0.0.1:{front.port}")
    stopped = workspace.run(arguments, environment=trusted)
    stopped.expect(3)
    assert "certificate was not accepted, so nothing was sent" in _said(stopped)
    assert "Check the API base" in _said(stopped)
    assert stopped.json["fatal"]
    assert {entry["state"] for entry in workspace.entries()} == {"planned"}
    assert server.requests() == 0
    _assert_no_key(stopped)
    right, file = self_signed(tmp_path)
    right_front = make_relay(server.port, tls=right)
    arguments = workspace.report_arguments(f"https://127.0.0.1:{right_front.port}")
    workspace.run(arguments, environment={"SSL_CERT_FILE": str(file)}).expect(0)
    assert_exactly_once(extract, server, workspace)


@pytest.fixture
def far_away(start_server: StartServer, make_relay: MakeRelay, tmp_path: Path) -> tuple[Any, Relay, dict[str, str]]:
    """Return a server behind TLS under a name that only a proxy knows, the proxy, and the environment to use both."""
    server = start_server()
    tls, file = self_signed(tmp_path, HOST)
    proxy = make_relay(make_relay(server.port, tls=tls).port, connects=True)
    return server, proxy, {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(file)}


def test_through_an_honest_proxy_all_is_sent_and_the_key_travels_inside_tls_only(
    workspace: Workspace, good_extract: MakeExtract, far_away: tuple[Any, Relay, dict[str, str]]
) -> None:
    extract, (server, proxy, environment) = good_extract(ROWS), far_away
    result = workspace.run(workspace.report_arguments(f"https://{HOST}"), environment=environment)
    result.expect(0)
    assert set(proxy.asked) == {f"{HOST}:443"}
    assert_exactly_once(extract, server, workspace)
    _assert_no_key(result)


def test_a_proxy_that_dies_in_the_middle_and_comes_back_loses_and_doubles_nothing(
    workspace: Workspace, good_extract: MakeExtract, far_away: tuple[Any, Relay, dict[str, str]]
) -> None:
    extract, (server, proxy, environment) = good_extract(ROWS), far_away
    arguments = workspace.report_arguments(f"https://{HOST}", "--rate=40", "--concurrency=4")
    process = workspace.start(arguments, environment=environment)
    wait_for_requests(server, process, 12)
    proxy.kill()
    before = server.requests()
    proxy.start()
    result = finish(process)
    result.expect(0, 3)
    if result.exit_code == 3:
        workspace.run(arguments, environment=environment).expect(0)
    assert server.requests() > before
    assert_exactly_once(extract, server, workspace)
    _assert_no_key(result)


def test_a_front_whose_server_dies_answers_502_and_what_it_says_is_taken_for_no_verdict(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract, make_relay: MakeRelay
) -> None:
    extract, server = good_extract(ROWS), start_server()
    front = make_relay(server.port)
    process = workspace.start(workspace.report_arguments(front.url, "--rate=40", "--concurrency=4"))
    wait_for_requests(server, process, 12)
    server.kill()
    front.kill()
    front.start()
    server.start()
    result = finish(process)
    result.expect(0, 3)
    if result.exit_code == 3:
        workspace.report(front.url).expect(0)
    assert_exactly_once(extract, server, workspace)


def test_asked_to_stop_while_the_server_never_answers_it_stops_and_a_rerun_completes(
    start_server: StartServer, workspace: Workspace, good_extract: MakeExtract
) -> None:
    extract, server = good_extract(ROWS), start_server()
    server.kill()
    with socket.create_server(("127.0.0.1", server.port)) as silent:
        process = workspace.start(workspace.report_arguments(server.url, "--concurrency=4"))
        silent.settimeout(60)
        heard = [silent.accept()[0] for _ in range(4)]
        assert all(one.recv(4096).startswith(b"POST ") for one in heard)
        process.send_signal(signal.SIGTERM)
        stopped = finish(process)
        for one in heard:
            one.close()
    stopped.expect(3)
    states = [entry["state"] for entry in workspace.entries()]
    assert (states.count("unknown"), states.count("planned")) == (4, ROWS - 4)
    _assert_no_key(stopped)
    server.start()
    workspace.report(server.url).expect(0)
    assert_exactly_once(extract, server, workspace)
