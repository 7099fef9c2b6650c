"""Pages, switches and who may reach them, on a running server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.server import RunningSandbox, start_sandbox
from tests.sandbox.samples import PAYMENT, REPORT, START, Api

EVIL = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with start_sandbox(SandboxConfig(rate_limits=None)) as sandbox:
        yield sandbox


@pytest.fixture
def api(running: RunningSandbox) -> Iterator[Api]:
    yield Api(running.sandbox)
    running.sandbox.reset()
    running.faults.clear()


@pytest.fixture
def browser(running: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url) as client:
        yield client


def test_empty_home_page_says_what_to_do(api: Api, browser: httpx.Client) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "No payment record yet" in page.text


def test_home_page_lists_records_newest_first_in_major_units(api: Api, browser: httpx.Client) -> None:
    old = api.report(metadata={"payrecords_key": "row-1"})
    yen = {"currency": "jpy", "value": 1234567}
    new = api.report(amount_requested=yen, outcome="guaranteed", guaranteed={"guaranteed_at": START})
    text = browser.get("/").text
    assert text.index(new["id"]) < text.index(old["id"])
    for shown in ("49.50", "EUR", "WIRE-1", "row-1", "1,234,567", "JPY", "guaranteed", "pending", "test mode"):
        assert shown in text
    assert f'href="/records/{old["id"]}"' in text


def test_page_of_a_record_shows_its_attempts(api: Api, browser: httpx.Client) -> None:
    record = api.report(outcome="failed", failed={"failed_at": START})
    again = api.act(record["id"], "report_payment_attempt").body
    text = browser.get(f"/records/{record['id']}").text
    assert text.index(again["latest_payment_attempt_record"]) < text.index(record["latest_payment_attempt_record"])
    assert browser.get("/records/pr_none").status_code == 404


def test_pages_escape_what_was_reported(api: Api, browser: httpx.Client) -> None:
    details = {"type": "custom", "custom": {"payment_reference": EVIL}}
    record = api.report(processor_details=details, metadata={"payrecords_key": EVIL}, description=EVIL)
    for path in ("/", f"/records/{record['id']}", "/records/<script>alert(1)"):
        page = browser.get(path)
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_long_lists_are_cut(api: Api, browser: httpx.Client) -> None:
    first = api.report()["id"]
    for _ in range(200):
        api.report()
    text = browser.get("/").text
    assert "Payment records: 201, the newest 200 shown" in text
    assert first not in text


@pytest.mark.parametrize("path", ["/", "/records/pr_1", "/_sandbox/state", "/_sandbox/journal"])
@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"host": "127.0.0.1.evil.example"}, {"host": ""}, {"host": "[::"}]
)
def test_pages_answer_to_loopback_names_only(browser: httpx.Client, path: str, headers: dict[str, str]) -> None:
    assert browser.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80"])
def test_loopback_has_several_names(browser: httpx.Client, host: str) -> None:
    assert browser.get("/_sandbox/state", headers={"host": host}).status_code == 200


def test_switches_take_nothing_from_another_site(api: Api, browser: httpx.Client) -> None:
    api.report()
    assert browser.post("/_sandbox/reset", headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post("/_sandbox/reset", headers={"origin": "null"}).status_code == 403
    assert len(api.sandbox.journal) == 1
    assert browser.post("/_sandbox/reset", headers={"origin": "http://localhost:12111"}).status_code == 200


def test_state_counts_what_is_held(api: Api, browser: httpx.Client) -> None:
    api.report()
    realm = {
        "account": "acct_sandbox",
        "mode": "test",
        "payment_records": 1,
        "payment_attempt_records": 1,
        "invoices": 0,
    }
    assert browser.get("/_sandbox/state").json() == {"realms": [realm], "journal_lines": 1}
    assert browser.post("/_sandbox/reset").json() == {"realms": [], "journal_lines": 0}


def test_journal_is_read_in_parts(api: Api, browser: httpx.Client) -> None:
    ids = [api.report()["id"] for _ in range(3)]
    part = browser.get("/_sandbox/journal", params={"after": 1, "limit": 1}).json()
    assert ([line["payment_record"] for line in part["data"]], part["has_more"]) == ([ids[1]], True)
    rest = browser.get("/_sandbox/journal", params={"after": 2}).json()
    assert ([line["sequence"] for line in rest["data"]], rest["has_more"]) == ([3], False)
    assert browser.get("/_sandbox/journal", params={"from": 2}).status_code == 400


def test_faults_are_set_shown_and_cleared(api: Api, browser: httpx.Client) -> None:
    order = {"faults": [{"kind": "lock", "times": 2}], "mix": {"rates": {"slow": 0.5}, "seed": 3}}
    shown = browser.post("/_sandbox/faults", json=order).json()
    assert (shown["faults"][0]["times"], shown["mix"]["seed"]) == (2, 3)
    assert api.post(REPORT, PAYMENT).status == 429
    assert browser.get("/_sandbox/faults").json()["faults"][0]["times"] == 1
    assert browser.delete("/_sandbox/faults").json() == {"faults": [], "mix": None}


@pytest.mark.parametrize("body", [b"", b"{", b'{"faults": [{"kind": "meteor"}]}', b'{"fault": []}'])
def test_faults_that_make_no_sense_are_refused(api: Api, browser: httpx.Client, body: bytes) -> None:
    answer = browser.post("/_sandbox/faults", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_invoices_are_made(api: Api, browser: httpx.Client) -> None:
    made = browser.post("/_sandbox/invoices", json={"amount_due": 4950, "currency": "eur"}).json()
    assert api.get(f"/v1/invoices/{made['id']}").body == made
    same = browser.post("/_sandbox/invoices", json={"id": made["id"], "amount_due": 1, "currency": "eur"})
    assert same.status_code == 400


def test_everything_else_is_the_api(browser: httpx.Client) -> None:
    assert browser.get("/elsewhere").json()["error"]["message"].startswith("You did not provide an API key.")
    assert browser.get("/elsewhere", headers={"authorization": "Bearer sk_test_1"}).status_code == 404
