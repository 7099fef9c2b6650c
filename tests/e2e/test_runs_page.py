"""A person looks what happened to every payment, and decides, in a browser: both modes of colour and both widths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from airflow_provider_payrecords.core.lifecycle import State
from tests.e2e.accessibility import violations
from tests.e2e.past_runs import Past
from tests.e2e.standalone import Standalone, wait_for

pytestmark = pytest.mark.e2e

PLACE = "/plugin/payrecords-runs"
SIZES = [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")]
CANARY = "<img src=x onerror=\"window.canary='ran'\"><script>window.canary='ran'</script>"
EXTRACT_DAG, LIST_DAG = "example_csv_extract", "example_task_list"


@pytest.fixture(scope="session")
def past(airflow: Standalone) -> Past:
    """Return what writes the ledger; an example with rejects has run."""
    run = airflow.trigger(EXTRACT_DAG)
    assert airflow.finish(EXTRACT_DAG, run) == "success"
    return Past(airflow)


def scrolls_sideways(page: Any) -> bool:
    """Return whether the page itself is wider than its window; tables may scroll in their own boxes."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def of_payment(past: Past, key: str) -> str:
    """Return the address of the page of one payment."""
    one = past.entry(key)
    scope = one.scope
    named = {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source}
    return f"{PLACE}?{urlencode({**named, 'key': key})}"


def go_to_run(page: Any) -> None:
    """Open the newest run of the shipped extract from the list."""
    page.goto(PLACE)
    page.get_by_role("link", name="adyen_settlements.csv").first.click()
    page.get_by_role("heading", name="adyen_settlements.csv").wait_for()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_runs_a_run_and_a_payment_are_shown(
    past: Past, open_page: Callable[..., Any], shoot: Callable[[Any, str], None], width: int, scheme: str
) -> None:
    page = open_page(width, scheme, height=1600)
    page.goto(PLACE)
    page.get_by_role("link", name="adyen_settlements.csv").first.wait_for()
    page.get_by_text("216 confirmed").first.wait_for()
    shoot(page, f"runs-{width}-{scheme}")
    assert not scrolls_sideways(page)
    assert violations(page) == []
    page.get_by_role("link", name="adyen_settlements.csv").first.click()
    page.get_by_role("group", name="Confirmed payments").locator("canvas").wait_for()
    page.get_by_text("12 rejected", exact=False).first.wait_for()
    assert page.locator("canvas").count() == 3
    page.get_by_text("26,074.25 EUR").wait_for()
    assert (
        page.get_by_role("link", name="Log of the task").get_attribute("href").startswith(f"/dags/{EXTRACT_DAG}/runs/")
    )
    page.get_by_role("button", name="Show as a table").click()
    page.get_by_role("columnheader", name="throttled").wait_for()
    page.get_by_role("button", name="Hide the table").click()
    shoot(page, f"run-{width}-{scheme}")
    assert not scrolls_sideways(page)
    assert violations(page) == []
    past.refuse_one("bank", f"LOOK-{width}-{scheme}")
    page.goto(of_payment(past, f"LOOK-{width}-{scheme}-1"))
    page.get_by_role("link", name="Open in the Dashboard").wait_for()
    page.get_by_text("requested", exact=True).first.wait_for()
    shoot(page, f"payment-{width}-{scheme}")
    assert not scrolls_sideways(page)
    assert violations(page) == []


def test_back_and_reload_keep_the_place(past: Past, page: Any) -> None:
    summary = past.refuse_one("bank", "PLACE")
    page.goto(f"{PLACE}?run={summary.run_id}")
    page.get_by_role("link", name="PLACE", exact=True).click()
    page.get_by_role("heading", name="PLACE").wait_for()
    page.reload()
    page.get_by_role("heading", name="PLACE").wait_for()
    page.go_back()
    page.get_by_role("heading", name="rows", exact=True).wait_for()
    assert page.url.endswith(f"{PLACE}?run={summary.run_id}")
    page.go_forward()
    page.get_by_role("link", name="Back to the run").click()
    page.get_by_role("heading", name="rows", exact=True).wait_for()


def test_a_payment_is_found_by_key_and_by_record_with_the_keyboard(airflow: Standalone, past: Past, page: Any) -> None:
    past.refuse_one("bank", "FIND-ME")
    record = past.entry("FIND-ME-1").payment_record
    page.goto(PLACE)
    page.get_by_label("Find a payment").press_sequentially("FIND-")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="FIND-ME", exact=True).wait_for()
    page.get_by_label("Find a payment").fill(str(record))
    page.keyboard.press("Enter")
    page.get_by_role("link", name="FIND-ME-1", exact=True).focus()
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Open in the Dashboard")
    assert link.get_attribute("href") == f"{airflow.sandbox}/records/{record}"
    page.goto(f"{PLACE}?text=nobody-has-this")
    page.get_by_text("No payment of this ledger has this key.").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (375, "light")])
def test_a_run_that_goes_on_is_followed_and_no_longer_once_it_ended(
    past: Past, open_page: Callable[..., Any], width: int, scheme: str, shoot: Callable[[Any, str], None]
) -> None:
    page = open_page(width, scheme, height=1600)
    run_id, asked = f"run-20261126T000000-{width}-{scheme}", []
    past.begin(run_id, "s3://finance/adyen/2026-11-25.csv.gz")
    rows = max(past.tell(run_id, second) for second in range(1, 59))
    page.on("request", lambda request: asked.append(request.url) if "/api/runs/" in request.url else None)
    page.goto(f"{PLACE}?run={run_id}")
    page.get_by_text("running", exact=True).wait_for()
    page.get_by_text(f"{rows:,} of 2,000").wait_for()
    page.get_by_role("group", name="Confirmed payments").locator("canvas").wait_for()
    shoot(page, f"run-going-on-{width}-{scheme}")
    rows = past.tell(run_id, 59)
    page.get_by_text(f"{rows:,} of 2,000").wait_for()
    past.finish(run_id)
    page.get_by_text("finished", exact=True).wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_000)
    before = len(asked)
    page.wait_for_timeout(6_000)  # three times as long as it waited before
    assert len(asked) == before


def test_a_reject_is_sent_again_once_by_clearing_the_task(
    airflow: Standalone, past: Past, page: Any, shoot: Callable[[Any, str], None]
) -> None:
    run = airflow.trigger(LIST_DAG)
    assert airflow.finish(LIST_DAG, run) == "success"
    key = "S-0412"
    first = past.entry(key).run_id
    assert first is not None
    past.forget_an_answer(key, first)
    before = effects(airflow)
    page.goto(f"{PLACE}?run={first}")
    page.get_by_role("button", name="Send again …").click()
    shoot(page, "replay-dialog")
    page.get_by_role("button", name="Let the next run send them").dblclick()
    page.get_by_text("1 will be sent by the next run that has their rows").wait_for()
    assert past.entry(key).state is State.PLANNED
    page.get_by_role("button", name="Clear the task, so that it runs again …").click()
    page.get_by_role("button", name="Clear the task", exact=True).dblclick()
    page.get_by_text("Airflow runs the task again").wait_for()
    shoot(page, "replay-asked")
    wait_for(lambda: past.entry(key).state is State.CONFIRMED, "the payment")
    assert effects(airflow) == before  # the same idempotency key: the API gave the record it had
    page.goto(of_payment(past, key))
    page.get_by_text("replay_asked", exact=False).first.wait_for()
    shoot(page, "payment-with-history")


def test_a_payment_in_review_is_resolved_with_the_record_a_person_found(
    airflow: Standalone, past: Past, page: Any, shoot: Callable[[Any, str], None]
) -> None:
    record = past.review_one("bank", "REVIEW-1")
    before = effects(airflow)
    page.goto(f"{PLACE}?view=open")
    page.get_by_role("link", name="REVIEW-1").click()
    page.get_by_role("button", name="I found its record …").click()
    page.get_by_label("Id of the Payment Record").fill("pr_nothing")
    page.get_by_role("button", name="This record is the payment").click()
    page.get_by_text("This is not the record of this payment").wait_for()
    assert past.entry("REVIEW-1").state is State.REVIEW
    page.get_by_role("button", name="I found its record …").click()
    page.get_by_label("Id of the Payment Record").fill(record)
    shoot(page, "resolve-dialog")
    page.get_by_role("button", name="This record is the payment").dblclick()
    page.get_by_text("The payment is confirmed now").wait_for()
    page.get_by_role("link", name="Open in the Dashboard").wait_for()
    assert past.entry("REVIEW-1").payment_record == record
    assert effects(airflow) == before


def test_absent_needs_a_typed_word(past: Past, page: Any) -> None:
    past.review_one("bank", "REVIEW-2")
    page.goto(of_payment(past, "REVIEW-2"))
    page.get_by_role("button", name="There is no record …").click()
    button = page.get_by_role("button", name="There is no record: the next run sends it")
    assert button.is_disabled()
    page.get_by_label("Type absent to confirm").fill("absent")
    button.click()
    page.get_by_text("The payment is confirmed now").wait_for()  # the list had it


def test_an_export_is_downloaded(past: Past, page: Any) -> None:
    summary = past.refuse_one("bank", "EXPORT")
    page.goto(f"{PLACE}?run={summary.run_id}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export all (CSV)").click()
    assert download.value.suggested_filename == f"{summary.run_id}.csv"
    text = download.value.path().read_text("utf-8")
    assert [line.split(",")[4] for line in text.splitlines()[1:]] == ["EXPORT", "EXPORT-1"]


@pytest.mark.parametrize("width", [1280, 375])
def test_names_from_outside_are_text_and_nothing_of_them_runs(
    past: Past, open_page: Callable[..., Any], width: int
) -> None:
    page = open_page(width)
    summary = past.refuse_one(CANARY, f"{CANARY}{width}")
    for place in (PLACE, f"{PLACE}?run={summary.run_id}", f"{PLACE}?{urlencode({'text': CANARY})}"):
        page.goto(place)
        page.get_by_text(CANARY, exact=False).first.wait_for()
    page.goto(of_payment(past, f"{CANARY}{width}"))
    page.get_by_role("heading", name=f"{CANARY}{width}").wait_for()
    assert page.evaluate("window.canary") is None


def test_an_id_that_does_not_exist_is_said(past: Past, page: Any) -> None:
    page.goto(f"{PLACE}?run=run-nobody")
    page.get_by_text("There is no such run").wait_for()
    page.goto(f"{PLACE}?connection=nobody")
    page.get_by_text("There is no such connection").wait_for()
    page.get_by_role("button", name="Try again").wait_for()


def test_an_expired_login_is_said_and_the_page_stays(past: Past, page: Any) -> None:
    go_to_run(page)
    expired = {"status": 401, "title": "You are not logged in", "detail": "Token Expired", "next_step": "Log in again."}
    page.route("**/payrecords/api/open*", lambda route: route.fulfill(status=401, json=expired))
    page.get_by_role("link", name="Open payments").click()
    page.get_by_text("You are not logged in").wait_for()
    assert page.get_by_role("link", name="Log in in a new tab").get_attribute("target") == "_blank"
    page.unroute("**/payrecords/api/open*")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Open payments").wait_for()


def effects(airflow: Standalone) -> Counter[tuple[str, str]]:
    """Return what the sandbox made, by endpoint and idempotency key."""
    return Counter((line["endpoint"], line["idempotency_key"]) for line in airflow.journal())
