"""Both drivers over real sockets: what httpx makes of trouble on the wire, and what we make of that."""

from __future__ import annotations

import gzip
import socket
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.core.commands import ReportPaymentAttemptInformational, RetrievePaymentRecord, build
from airflow_provider_payrecords.core.errors import (
    NotSentError,
    OutcomeUnknownError,
    ServerError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from tests.transport.certificates import self_signed
from tests.transport.drivers import COMMAND, KINDS, Story, drive
from tests.transport.peer import RECORD, Part, Peer, answer, cut, dribble, reset, silence

ONCE = RetryPolicy(max_retries=0)
TWICE = RetryPolicy(max_retries=1)
SHORT: dict[str, Any] = dict.fromkeys(
    ("connect_timeout_seconds", "read_timeout_seconds", "write_timeout_seconds", "pool_timeout_seconds"), 0.05
)
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + RECORD
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

both = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def _nobodys_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.upper, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def ask(kind: str, peer: Peer, policy: RetryPolicy = ONCE, **values: Any) -> Story:
    return drive(kind, policy=policy, **{"api_base": f"http://127.0.0.1:{peer.port}", **values})


@both
def test_the_whole_request_arrives_and_the_answer_is_read(kind: str) -> None:
    with Peer(answer()) as peer:
        story = ask(kind, peer)
    (request,) = peer.requests
    assert request.startswith(b"POST /v1/payment_records/report_payment HTTP/1.1\r\n")
    assert request.partition(b"\r\n\r\n")[2] == encode(COMMAND).content
    assert b"\r\nIdempotency-Key: payrecords-k\r\n" in request
    assert (story.called.answer.id, story.called.request_id) == ("pr_1", "req_1")


@both
def test_a_closed_port_means_that_nothing_was_sent(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    story = drive(kind, policy=ONCE, api_base=f"http://127.0.0.1:{port}")
    assert (type(story.called.error), story.called.uncertain) == (NotSentError, False)


@both
@pytest.mark.parametrize(
    "part",
    [
        reset(),
        reset(HALF),
        cut(b""),
        cut(b"HTTP/1.1 200 OK\r\nConte"),
        cut(HALF),
        cut(b"\x16\x03\x01nonsense"),
        silence,
    ],
    ids=["reset", "reset in the answer", "closed", "cut in the head", "cut in the body", "not HTTP", "silence"],
)
def test_a_lost_answer_leaves_the_outcome_unknown(kind: str, part: Part) -> None:
    with Peer(part) as peer:
        story = ask(kind, peer, read_timeout_seconds=0.05 if part is silence else 5)
        assert peer.asked.wait(5)
    assert (type(story.called.error), story.called.uncertain) == (OutcomeUnknownError, True)
    assert len(peer.requests) == 1


@both
@pytest.mark.parametrize(
    "part",
    [
        reset(),
        cut(HALF),
        answer(200, b"<html>"),
        answer(503, b"<html>"),
        answer(200, b"not gzip", "Content-Encoding: gzip"),
    ],
    ids=["reset", "cut", "page", "503", "broken compression"],
)
def test_the_same_bytes_are_sent_again_and_the_answer_confirms(kind: str, part: Part) -> None:
    with Peer(part, answer()) as peer:
        story = ask(kind, peer, TWICE)
    assert story.called.answer.id == "pr_1"
    assert story.waits == [0.5]
    assert len(peer.requests) == 2
    assert peer.requests[0] == peer.requests[1]


@both
def test_a_503_page_that_stays_is_a_failure_of_the_server(kind: str) -> None:
    with Peer(answer(503, b"<html>")) as peer:
        story = ask(kind, peer, TWICE)
    assert isinstance(story.called.error, ServerError)


@both
def test_a_compressed_answer_is_read(kind: str) -> None:
    with Peer(answer(200, gzip.compress(RECORD), "Content-Encoding: gzip")) as peer:
        assert ask(kind, peer).called.answer.id == "pr_1"


@both
def test_a_body_that_comes_drop_by_drop_is_not_awaited_for_ever(kind: str) -> None:
    with Peer(dribble) as peer:
        story = drive(kind, policy=ONCE, api_base=f"http://127.0.0.1:{peer.port}", real_clock=True, **SHORT)
    assert isinstance(story.called.error, OutcomeUnknownError)


@both
def test_a_redirect_is_not_followed(kind: str) -> None:
    with Peer(answer()) as other, Peer(answer(307, b"", f"Location: http://127.0.0.1:{other.port}/")) as peer:
        story = ask(kind, peer, TWICE)
    assert isinstance(story.called.error, UntrustedServerError)
    assert (len(peer.requests), other.connections) == (1, 0)


@both
def test_a_report_without_fields_has_an_empty_body(kind: str) -> None:
    with Peer(answer()) as peer:
        ask(kind, peer, command=build(ReportPaymentAttemptInformational, {"payment_record": "pr_1"}))
    assert b"\r\nContent-Length: 0\r\n" in peer.requests[0]


@both
def test_a_read_has_no_body_and_no_idempotency_key(kind: str) -> None:
    with Peer(answer()) as peer:
        ask(kind, peer, command=build(RetrievePaymentRecord, {"payment_record": "pr_1", "expand": ["a b", "c"]}))
    request = peer.requests[0]
    assert request.startswith(b"GET /v1/payment_records/pr_1?expand[0]=a+b&expand[1]=c HTTP/1.1\r\n")
    assert b"idempotency-key" not in request.lower()
    assert b"content-" not in request.lower()


@both
def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_sent(kind: str, tmp_path: Path) -> None:
    tls, _ = self_signed(tmp_path)
    with Peer(answer(), tls=tls) as peer:
        story = ask(kind, peer, TWICE, api_base=f"https://127.0.0.1:{peer.port}")
    assert (type(story.called.error), story.called.uncertain) == (UntrustedServerError, False)
    assert (peer.requests, peer.connections, story.waits) == ([], 1, [])


@both
def test_a_certificate_for_another_host_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, file = self_signed(tmp_path, host="127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with Peer(answer(), tls=tls) as peer:
        story = ask(kind, peer, TWICE, api_base=f"https://127.0.0.1:{peer.port}")
    assert isinstance(story.called.error, UntrustedServerError)
    assert peer.requests == []


@both
def test_a_company_s_own_authority_is_trusted_by_the_usual_variable(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, file = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with Peer(answer(), tls=tls) as peer:
        assert ask(kind, peer, api_base=f"https://127.0.0.1:{peer.port}").called.answer.id == "pr_1"


@both
def test_a_server_that_does_not_speak_tls_was_sent_nothing(kind: str) -> None:
    with Peer(cut(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as peer:
        story = ask(kind, peer, api_base=f"https://127.0.0.1:{peer.port}", **SHORT)
    assert (type(story.called.error), story.called.uncertain) == (NotSentError, False)


@both
def test_the_proxy_of_the_environment_is_asked_for_a_tunnel_and_sees_no_key(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Peer(answer(403, b"")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
        story = drive(kind, policy=ONCE, api_base="https://api.stripe.com")
    assert proxy.requests[0].startswith(b"CONNECT api.stripe.com:443 HTTP/1.1\r\n")
    assert b"sk_test" not in proxy.requests[0]
    assert (type(story.called.error), story.called.uncertain) == (NotSentError, False)
    assert "secret" not in str(story.called.error)


@both
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_calls_to_this_machine_never_go_through_a_proxy(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Peer(answer()) as proxy, Peer(answer()) as peer:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert ask(kind, peer).called.answer.id == "pr_1"
    assert proxy.connections == 0
