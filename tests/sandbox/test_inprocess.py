"""The in-process transport gives both kinds of httpx client what the server gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.form import encode_form
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.identifiers import CountedIds
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from airflow_provider_payrecords.sandbox.server import start_sandbox
from tests.sandbox.samples import PAYMENT, REPORT, START, Clock

HEADERS = {"authorization": "Bearer sk_test_1"}
FORM = {**HEADERS, "content-type": "application/x-www-form-urlencoded"}
CONFIG = SandboxConfig(rate_limits=None)

Step = tuple[str, str, dict[str, Any], str | None]
Outcome = tuple[int, dict[str, str], bytes] | str

SCRIPT: list[Step] = [
    ("POST", REPORT, PAYMENT, "one"),
    ("POST", REPORT, PAYMENT, "one"),
    ("POST", REPORT, {**PAYMENT, "description": "other"}, "one"),
    ("POST", REPORT, {"foo": "1"}, "two"),
    ("GET", "/v1/payment_records/pr_000001", {}, None),
    ("GET", "/v1/payment_records?limit=1&expand[]=x", {}, None),
    ("GET", "/v1/payment_records/a%2Fb%20c", {}, None),
    ("POST", "/v1/payment_records/pr_000001/report_payment_attempt_failed", {"failed_at": START}, "three"),
    ("POST", "/v1/payment_records/pr_000001/report_payment_attempt_failed", {"failed_at": START}, "four"),
    ("GET", "/v1/nothing", {}, None),
    *(("POST", REPORT, PAYMENT, f"fault-{kind.value}") for kind in FaultKind),
]
TRANSPORT_HEADERS = ("date", "server", "content-length", "connection")


def sandbox_with_faults(sandbox: Sandbox) -> Sandbox:
    """Let the four plain reports of the script pass, then meet each kind of trouble in turn."""
    for number, kind in enumerate(FaultKind):
        sandbox.faults.add(Fault(kind=kind, seconds=0, endpoint="report_payment", skip=0 if number else 4))
    return sandbox


def read(answer: httpx.Response) -> Outcome:
    headers = {name: value for name, value in answer.headers.items() if name not in TRANSPORT_HEADERS}
    return answer.status_code, headers, answer.content


def request(client: httpx.Client | httpx.AsyncClient, step: Step) -> httpx.Request:
    method, path, params, key = step
    headers = {**(FORM if method == "POST" else HEADERS), **({} if key is None else {"idempotency-key": key})}
    return client.build_request(method, path, headers=headers, content=encode_form(params))


def over_a_server() -> list[Outcome]:
    with start_sandbox(CONFIG, clock=Clock(), new_id=CountedIds()) as running:
        sandbox_with_faults(running.sandbox)
        with httpx.Client(base_url=running.url) as client:
            return [blocking(client, step) for step in SCRIPT]


def in_a_sync_client() -> list[Outcome]:
    sandbox = sandbox_with_faults(Sandbox(CONFIG, clock=Clock(), new_id=CountedIds()))
    with httpx.Client(transport=SandboxTransport(sandbox), base_url="http://127.0.0.1") as client:
        return [blocking(client, step) for step in SCRIPT]


def in_an_async_client() -> list[Outcome]:
    async def run() -> list[Outcome]:
        sandbox = sandbox_with_faults(Sandbox(CONFIG, clock=Clock(), new_id=CountedIds()))
        async with httpx.AsyncClient(transport=SandboxTransport(sandbox), base_url="http://127.0.0.1") as client:
            outcomes: list[Outcome] = []
            for step in SCRIPT:
                try:
                    outcomes.append(read(await client.send(request(client, step))))
                except httpx.TransportError as error:
                    outcomes.append(type(error).__name__)
            return outcomes

    return asyncio.run(run())


def blocking(client: httpx.Client, step: Step) -> Outcome:
    try:
        return read(client.send(request(client, step)))
    except httpx.TransportError as error:
        return type(error).__name__


@pytest.mark.parametrize("carry", [in_a_sync_client, in_an_async_client])
def test_answers_are_those_of_the_server_byte_for_byte(carry: Callable[[], list[Outcome]]) -> None:
    expected, found = over_a_server(), carry()
    assert found == expected
    assert [one for one in found if isinstance(one, str)] == ["RemoteProtocolError"] * 3


def client_with(fault: Fault, pauses: list[float], timeout: float | None) -> httpx.Client:
    sandbox = Sandbox(CONFIG)
    sandbox.faults.add(fault)
    transport = SandboxTransport(sandbox, pause=pauses.append)
    return httpx.Client(transport=transport, base_url="http://127.0.0.1", headers=HEADERS, timeout=timeout)


def test_slow_answer_comes_after_a_pause() -> None:
    pauses: list[float] = []
    with client_with(Fault(kind=FaultKind.SLOW, seconds=7), pauses, timeout=None) as client:
        assert client.get("/v1/payment_records").status_code == 200
    assert pauses == [7]


def test_slow_answer_is_a_timeout_for_a_client_with_less_patience() -> None:
    pauses: list[float] = []
    with client_with(Fault(kind=FaultKind.SLOW, seconds=7), pauses, timeout=2) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/v1/payment_records")
        assert client.get("/v1/payment_records").status_code == 200
    assert pauses == [2]


def test_slow_answer_comes_after_a_pause_in_an_async_client_too() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def run() -> int:
        sandbox = Sandbox(CONFIG)
        sandbox.faults.add(Fault(kind=FaultKind.SLOW, seconds=7))
        transport = SandboxTransport(sandbox, async_pause=pause)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=10) as client:
            return (await client.get("/v1/payment_records", headers=HEADERS)).status_code

    assert asyncio.run(run()) == 200
    assert pauses == [7]


def test_transport_brings_a_sandbox_of_its_own() -> None:
    transport = SandboxTransport()
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
        client.post(REPORT, content=encode_form(PAYMENT), headers=FORM)
    assert len(transport.sandbox.records()) == 1
