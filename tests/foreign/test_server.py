"""The foreign server says what the API reference says, seen through httpx."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.foreign.faults import MIXES, Fault, FaultPlan
from tests.foreign.fixtures import StartServer
from tests.foreign.process import ForeignServer

REPORT = "/v1/payment_records/report_payment"
PAYMENT = {
    "amount_requested[value]": "4950",
    "amount_requested[currency]": "eur",
    "initiated_at": "1793610000",
    "payment_method_details[type]": "custom",
    "payment_method_details[custom][display_name]": "Überweisung",
    "processor_details[type]": "custom",
    "processor_details[custom][payment_reference]": "wire-1",
    "metadata[payrecords_key]": "wire-1",
}


def _headers(key: str = "", api_key: str = "sk_test_x") -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}", **({"Idempotency-Key": key} if key else {})}


def _report(server: ForeignServer, key: str = "k", changes: dict[str, str | None] | None = None) -> httpx.Response:
    form = {name: value for name, value in {**PAYMENT, **(changes or {})}.items() if value is not None}
    return httpx.post(server.url + REPORT, data=form, headers=_headers(key))


def _error(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["error"]
    return found


def test_a_payment_is_recorded_and_can_be_read_back(start_server: StartServer) -> None:
    server = start_server()
    made = _report(server).json()
    read = httpx.get(f"{server.url}/v1/payment_records/{made['id']}", headers=_headers())
    assert read.json() == made
    assert made["amount_requested"] == {"currency": "eur", "value": 4950}
    assert made["payment_method_details"]["custom"]["display_name"] == "Überweisung"
    attempt = httpx.get(
        f"{server.url}/v1/payment_attempt_records/{made['latest_payment_attempt_record']}", headers=_headers()
    )
    assert attempt.json()["payment_record"] == made["id"]


def test_the_same_key_replays_the_same_answer_and_commits_once(start_server: StartServer) -> None:
    server = start_server()
    first, second = _report(server), _report(server)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(server.commits()) == 1


def test_the_same_key_with_other_parameters_is_an_idempotency_error(start_server: StartServer) -> None:
    server = start_server()
    _report(server)
    clash = _report(server, changes={"amount_requested[value]": "1"})
    assert (clash.status_code, _error(clash)["type"]) == (400, "idempotency_error")
    assert len(server.commits()) == 1


def test_a_request_without_idempotency_key_commits_every_time(start_server: StartServer) -> None:
    server = start_server()
    assert _report(server, "").json()["id"] != _report(server, "").json()["id"]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"initiated_at": None}, "parameter_missing", "initiated_at"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"description": ""}, "parameter_invalid_empty", "description"),
        ({"amount_requested[value]": "49.5"}, "parameter_invalid_integer", "amount_requested[value]"),
        ({"amount_requested[currency]": "xyz"}, None, "amount_requested[currency]"),
        ({"outcome": "failed"}, "parameter_missing", "failed[failed_at]"),
        ({"initiated_at": "1793610000000"}, "parameter_invalid_integer", "initiated_at"),
        ({"amount_requested[currency]": "kwd", "amount_requested[value]": "1234"}, None, "amount_requested[value]"),
        ({"metadata[x]": "m" * 501}, None, "metadata[x]"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name_and_not_stored(
    start_server: StartServer, changes: dict[str, str | None], code: str | None, param: str
) -> None:
    server = start_server()
    refused = _report(server, changes=changes)
    assert (refused.status_code, _error(refused).get("code"), _error(refused)["param"]) == (400, code, param)
    assert _report(server).status_code == 200


def test_the_life_of_a_payment_from_failure_to_refund(start_server: StartServer) -> None:
    server = start_server()
    record = _report(server).json()["id"]

    def call(name: str, **form: str) -> httpx.Response:
        url = f"{server.url}/v1/payment_records/{record}/{name}"
        return httpx.post(url, data=form, headers=_headers(str(len(server.log()))))

    assert call("report_refund", **{"outcome": "refunded", "processor_details[type]": "custom"}).status_code == 400
    assert call("report_payment_attempt_failed", failed_at="1793610001").json()["amount_failed"]["value"] == 4950
    assert call("report_payment_attempt", initiated_at="1793610002").json()["amount_failed"]["value"] == 0
    done = call("report_payment_attempt_guaranteed", guaranteed_at="1793610003").json()
    assert done["amount_guaranteed"]["value"] == 4950
    assert call("report_payment_attempt_canceled", canceled_at="1793610004").status_code == 400
    part = {"outcome": "refunded", "processor_details[type]": "custom"}
    some = call("report_refund", **part, **{"amount[value]": "950", "amount[currency]": "eur"}).json()
    assert (some["amount_refunded"]["value"], some["amount_guaranteed"]["value"]) == (950, 4000)
    assert call("report_refund", **part).json()["amount_refunded"]["value"] == 4950
    assert call("report_payment_attempt_informational", description="").json()["description"] is None


def test_pages_run_newest_first_and_forward(start_server: StartServer) -> None:
    server = start_server()
    made = [_report(server, f"k{n}").json()["id"] for n in range(5)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = httpx.get(f"{server.url}/v1/payment_records", params=query, headers=_headers()).json()
        seen += [record["id"] for record in page["data"]]
        if not page["has_more"]:
            break
        query["starting_after"] = seen[-1]
    assert seen == made[::-1]


def test_lists_can_be_unknown_as_on_older_accounts(start_server: StartServer) -> None:
    server = start_server("--no-lists")
    assert httpx.get(f"{server.url}/v1/payment_records", headers=_headers()).status_code == 404


def test_keys_are_refused_by_kind_by_name_and_after_a_while(start_server: StartServer) -> None:
    server = start_server("--revoked=sk_test_old", "--forbidden=rk_test_poor", "--refuse-after=1")
    statuses = {
        api_key: httpx.get(f"{server.url}/v1/payment_records/pr_1", headers=_headers("", api_key)).status_code
        for api_key in ("pk_test_x", "sk_test_old", "rk_test_poor")
    }
    assert statuses == {"pk_test_x": 401, "sk_test_old": 401, "rk_test_poor": 403}
    assert httpx.get(f"{server.url}/v1/payment_records/pr_1").status_code == 401
    assert [_report(server, key).status_code for key in "abc"] == [200, 401, 401]


def test_state_survives_a_kill(start_server: StartServer) -> None:
    server = start_server()
    made = _report(server).json()
    server.restart()
    assert _report(server).json() == made
    assert len(server.commits()) == 1
    assert len(server.log()) == 2


def test_the_log_has_the_request_but_not_the_secret(start_server: StartServer) -> None:
    server = start_server()
    _report(server)
    (line,) = server.log()
    assert line["idempotency_key"] == "k"
    assert line["authorized"] is True
    assert "sk_test_x" not in str(line)
    assert server.payments() == server.stamped() == {"wire-1": 1}


@pytest.mark.parametrize("answers", ["minimal", "extra", "any"])
def test_answers_come_in_odd_shapes_with_odd_ids(start_server: StartServer, answers: str) -> None:
    server = start_server(f"--answers={answers}", "--prefix=prec_")
    bodies = [_report(server, f"k{n}").json() for n in range(8)]
    assert all(body["id"].startswith("prec_") for body in bodies)
    shapes = {
        "minimal" if set(body) == {"id", "object"} else "extra" if "new_field" in body else "full" for body in bodies
    }
    assert shapes == ({"minimal", "extra", "full"} if answers == "any" else {answers})


def test_a_redirect_points_elsewhere(start_server: StartServer) -> None:
    server = start_server("--redirect-to=http://127.0.0.1:9")
    assert _report(server).headers["Location"] == f"http://127.0.0.1:9{REPORT}"


def test_draws_do_not_depend_on_the_order_of_requests() -> None:
    keys = [f"k{n}" for n in range(20)]
    one, two = FaultPlan(7, "mixed", 3), FaultPlan(7, "mixed", 3)
    assert {key: one.draw(key) for key in keys} == {key: two.draw(key) for key in reversed(keys)}


def test_every_kind_of_trouble_is_in_some_mix_and_every_mix_ends() -> None:
    assert {kind for _, kinds in MIXES.values() for kind in kinds} == set(Fault)
    plan = FaultPlan(1, "mixed", 2)
    assert [plan.draw("k") for _ in range(5)][2:] == [None, None, None]


async def _hammer(url: str, payments: int) -> list[str]:
    """Report each payment, with its own key, until an answer with an id is read."""
    limits = httpx.Limits(max_connections=64)
    ids: list[str] = []

    async def report(client: httpx.AsyncClient, number: int) -> None:
        form = {**PAYMENT, "processor_details[custom][payment_reference]": f"wire-{number}"}
        for _ in range(8):
            try:
                answer = await client.post(REPORT, data=form, headers=_headers(f"k{number}"))
                ids.append(answer.json()["id"])
            except (httpx.TransportError, ValueError, KeyError):
                continue
            return

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=10) as client:
        await asyncio.gather(*(report(client, number) for number in range(payments)))
    return ids


@pytest.mark.parametrize("seed", [1, 2])
def test_64_clients_in_a_storm_get_each_payment_once_under_its_key(start_server: StartServer, seed: int) -> None:
    server = start_server(f"--seed={seed}", "--mix=mixed")
    ids = asyncio.run(_hammer(server.url, 192))
    assert len(set(ids)) == len(ids) == 192
    assert set(server.payments().values()) == {1}
    assert len(server.commits()) == 192
    assert {line["fault"] for line in server.log()} == {None, *(kind.value for kind in MIXES["mixed"][1])}


def test_a_stored_error_is_replayed_for_ever_although_the_payment_exists(start_server: StartServer) -> None:
    server = start_server("--mix=stored")
    keys = [f"k{n}" for n in range(12)]
    statuses = {key: {_report(server, key).status_code for _ in range(4)} for key in keys}
    assert {frozenset(seen) for seen in statuses.values()} == {frozenset({200}), frozenset({500})}
    assert len(server.commits()) == len(keys)


def test_a_late_answer_comes_after_the_payment_is_recorded(start_server: StartServer) -> None:
    server = start_server("--mix=late", "--delay-seconds=20", "--most-faults=1")
    late = 0
    for number in range(12):
        try:
            httpx.post(server.url + REPORT, data=PAYMENT, headers=_headers(f"k{number}"), timeout=0.2)
        except httpx.ReadTimeout:
            late += 1
    assert late
    assert len(server.commits()) == 12


def test_an_echo_repeats_everything_that_was_sent(start_server: StartServer) -> None:
    server = start_server("--mix=echo")
    echoes = [answer.text for answer in (_report(server, f"k{n}") for n in range(16)) if answer.status_code != 200]
    assert echoes
    assert all("sk_test_x" in text and "wire-1" in text for text in echoes)
    assert {"Überweisung" in text for text in echoes} == {True, False}  # as people read it, and encoded
