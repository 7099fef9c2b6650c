"""A person composes, tests and copies a request in a browser, in both modes of colour and both widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.accessibility import violations
from tests.e2e.request_form import PLACE, RequestForm, recorded
from tests.e2e.standalone import Standalone

pytestmark = pytest.mark.e2e

LIVE_KEY = "sk_live_pageCanary51Hx"
CANARY = "<img src=x onerror=\"window.canary='ran'\"><script>window.canary='ran'</script>"
SIZES = [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")]


@pytest.fixture
def live_connection(airflow: Standalone) -> str:
    """Return the id of a connection with a live key of the sandbox."""
    made = {"connection_id": "payrecords_live", "conn_type": "payrecords", "host": airflow.sandbox}
    if all(one["connection_id"] != "payrecords_live" for one in airflow.ask("GET", "/connections")["connections"]):
        airflow.ask("POST", "/connections", {**made, "password": LIVE_KEY})
    return "payrecords_live"


def test_both_pages_are_in_the_navigation(page: Any) -> None:
    page.goto("/")
    page.get_by_text("Plugins", exact=True).click()
    page.get_by_text("Payment Records", exact=True).click()
    page.get_by_text("Payment runs", exact=True).wait_for()
    page.get_by_text("New payment request", exact=True).click()
    page.get_by_role("heading", name="New payment request").wait_for()
    assert page.url.endswith(PLACE)


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_payment_is_searched_filled_in_tested_and_copied(
    airflow: Standalone, open_page: Callable[..., Any], shoot: Callable[[Any, str], None], width: int, scheme: str
) -> None:
    page, reference = open_page(width, scheme), f"whole-path-{width}-{scheme}"
    form = RequestForm(page)
    page.goto(PLACE)
    page.get_by_label("Search a call").fill("report guaranteed")
    page.get_by_text("1 of 12 calls").wait_for()
    page.get_by_label("Search a call").fill("")
    page.get_by_text("12 of 12 calls").wait_for()
    shoot(page, f"request-search-{width}-{scheme}")
    assert violations(page) == []
    page.get_by_role("button", name="Report payment", exact=False).first.click()
    form.fill_payment(reference).wait_until_ready()
    page.get_by_text("4,950 minor units of EUR").wait_for()
    page.get_by_text("1795424400 = 2026-11-23 09:00:00 UTC").wait_for()
    assert not form.scrolls_sideways()
    sent = form.text_of("The request as HTTP")
    assert "Authorization: Bearer sk_test_…" in sent
    form.send_button.click()
    form.answer.get_by_text("200", exact=True).wait_for()
    (line,) = recorded(airflow, reference)
    assert f"Idempotency-Key: {line['idempotency_key']}" in sent
    assert line["payment_record"] in form.text_of("Body of the answer")
    form.answer.get_by_role("tab", name="Headers").click()
    form.answer.get_by_text("request-id", exact=True).wait_for()
    form.answer.get_by_role("tab", name="Body").click()
    for tab, word in (
        ("@task", "@task.report_payment"),
        ("YAML mapping", "unit: major"),
        ("Command line", "payrecords"),
    ):
        page.get_by_role("tab", name=tab).click()
        assert word in form.text_of(tab)
    page.get_by_role("tab", name="Operator").click()
    assert "ReportPaymentOperator(" in form.text_of("Operator")
    assert not form.scrolls_sideways()
    shoot(page, f"request-{width}-{scheme}")
    assert violations(page) == []


def test_what_is_wrong_is_said_by_the_field_in_the_words_of_the_library(
    page: Any, shoot: Callable[[Any, str], None]
) -> None:
    form = RequestForm(page).choose()
    page.get_by_text("to fill in").wait_for()
    assert page.get_by_role("alert").count() == 0, "nobody has done anything wrong yet"
    form.fill_payment("wrong", amount="49.505")
    page.get_by_text("More decimals than EUR has: at most 2.", exact=False).first.wait_for()
    form.enter_time("Initiated at", "2026-03-29T02:30:00", "Europe/Amsterdam")
    page.get_by_text("Clocks in Europe/Amsterdam skipped", exact=False).first.wait_for()
    page.get_by_text("2 to correct").wait_for()
    shoot(page, "request-problems")
    page.get_by_label("Outcome").select_option("failed")
    page.get_by_label("Failed at").first.wait_for()
    assert page.get_by_label("Guaranteed at").count() == 0


def test_what_is_missing_is_marked_once_a_person_tries_to_send(airflow: Standalone, page: Any) -> None:
    form = RequestForm(page).choose("report_refund")
    page.get_by_text("to fill in").wait_for()
    missing = page.locator("[data-field='payment_record']").get_by_text("This field is required.")
    assert missing.count() == 0
    before = len(airflow.journal())
    form.send_button.click()
    missing.wait_for()
    assert len(airflow.journal()) == before


def test_a_double_click_and_a_reload_send_nothing_twice(airflow: Standalone, page: Any) -> None:
    form = RequestForm(page).choose().fill_payment("double-click").wait_until_ready()
    form.send_button.dblclick()
    form.answer.wait_for()
    assert len(recorded(airflow, "double-click")) == 1
    page.reload()
    page.get_by_text("to fill in").wait_for()
    assert len(recorded(airflow, "double-click")) == 1
    form.fill_payment("double-click").wait_until_ready()
    form.send_button.click()
    page.get_by_text("The same request was sent before").wait_for()
    assert len(recorded(airflow, "double-click")) == 1


def test_markup_in_names_and_references_is_shown_as_text(airflow: Standalone, page: Any) -> None:
    form = RequestForm(page).choose().fill_payment(CANARY)
    form.enter("Description", CANARY)
    form.enter("Display name", CANARY)
    page.get_by_role("button", name="Add metadata").click()
    page.get_by_label("Metadata 1: name").fill("<b>x</b>")
    page.get_by_label("Metadata 1: value").fill(CANARY)
    form.wait_until_ready()
    form.send_button.click()
    form.answer.get_by_text("200", exact=True).wait_for()
    assert CANARY in form.text_of("Body of the answer").replace('\\"', '"')
    for tab in ("@task", "YAML mapping", "Command line", "Form", "curl"):
        page.get_by_role("tab", name=tab).click()
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("window.canary") is None
    assert len(recorded(airflow, CANARY)) == 1


def test_a_live_key_asks_for_what_is_recorded_and_goes_through_the_ledger(
    airflow: Standalone, page: Any, live_connection: str, shoot: Callable[[Any, str], None]
) -> None:
    form = RequestForm(page).choose().fill_payment("live-once").wait_until_ready()
    page.get_by_label("Connection").select_option(live_connection)
    page.get_by_text("This is a live key").wait_for()
    form.wait_until_ready()
    send = page.get_by_role("region", name="Test request").get_by_role("button", name="Send for real")
    send.click()
    dialog = page.get_by_role("alertdialog")
    dialog.wait_for()
    confirm = dialog.get_by_role("button", name="Send for real")
    assert confirm.is_disabled()
    dialog.get_by_label("to confirm", exact=False).fill("49.50 USD")
    assert confirm.is_disabled()
    dialog.get_by_label("to confirm", exact=False).fill("49.50 EUR")
    shoot(page, "request-live")
    confirm.dblclick()
    form.answer.wait_for()
    (line,) = recorded(airflow, "live-once")
    assert line["mode"] == "live"
    dialog.wait_for(state="hidden")
    send.click()
    dialog.get_by_label("to confirm", exact=False).fill("49.50 EUR")
    confirm.click()
    page.get_by_text("Confirmed before").wait_for()
    dialog.wait_for(state="hidden")
    assert len(recorded(airflow, "live-once")) == 1
    assert LIVE_KEY not in page.content()


def test_a_failure_of_the_api_is_shown_and_the_next_click_goes_under_the_same_key(
    airflow: Standalone, page: Any, shoot: Callable[[Any, str], None]
) -> None:
    form = RequestForm(page).choose().fill_payment("after-500").wait_until_ready()
    script(airflow, {"kind": "error_before", "endpoint": "report_payment"})
    form.send_button.click()
    page.get_by_text("The API failed", exact=True).wait_for()
    form.answer.get_by_text("500", exact=True).wait_for()
    shoot(page, "request-failure")
    form.send_button.click()
    form.answer.get_by_text("200", exact=True).wait_for()
    assert len(recorded(airflow, "after-500")) == 1


def test_a_slow_answer_is_waited_for_and_the_button_is_off_meanwhile(airflow: Standalone, page: Any) -> None:
    form = RequestForm(page).choose().fill_payment("slow").wait_until_ready()
    script(airflow, {"kind": "slow", "seconds": 5, "endpoint": "report_payment"})
    form.send_button.click()
    page.get_by_text("Waiting for the answer, 3 seconds").wait_for()
    assert page.get_by_role("region", name="Test request").get_by_role("button").first.is_disabled()
    form.answer.get_by_text("200", exact=True).wait_for()
    assert len(recorded(airflow, "slow")) == 1


def test_an_expired_login_keeps_what_was_entered_and_says_where_to_log_in(airflow: Standalone, page: Any) -> None:
    form = RequestForm(page).choose().fill_payment("expired").wait_until_ready()
    refused = {"status": 401, "title": "You are not logged in", "detail": "Token Expired", "next_step": "Log in again."}
    page.route("**/payrecords/api/send", lambda route: route.fulfill(status=401, json=refused))
    form.send_button.click()
    link = page.get_by_role("link", name="Log in in a new tab")
    link.wait_for()
    assert link.get_attribute("target") == "_blank"
    page.unroute("**/payrecords/api/send")
    assert page.get_by_label("Payment reference").input_value() == "expired"
    page.get_by_role("button", name="Try again").click()
    form.answer.get_by_text("200", exact=True).wait_for()
    assert len(recorded(airflow, "expired")) == 1


def test_an_answer_that_got_lost_on_the_way_to_the_page_is_not_taken_for_a_failure(
    airflow: Standalone, page: Any
) -> None:
    form = RequestForm(page).choose().fill_payment("lost-on-the-way").wait_until_ready()

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/payrecords/api/send", lose)
    form.send_button.click()
    page.get_by_text("It may have been sent").wait_for()
    page.unroute("**/payrecords/api/send")
    form.send_button.click()
    page.get_by_text("The same request was sent before").wait_for()
    assert len(recorded(airflow, "lost-on-the-way")) == 1


def test_a_call_on_a_record_takes_the_key_that_is_offered(airflow: Standalone, page: Any) -> None:
    record = report_pending(airflow, "to-be-failed")
    form = RequestForm(page).choose("report_payment_attempt_failed")
    form.enter("Payment record", record)
    form.enter_time("Failed at", "2026-11-24T10:00:00", "UTC")
    page.get_by_role("button", name=f"Use {record}:report_payment_attempt_failed").click()
    form.wait_until_ready()
    form.send_button.click()
    form.answer.get_by_text("200", exact=True).wait_for()
    assert [line["endpoint"] for line in airflow.journal() if line["payment_record"] == record][-1:] == [
        "report_payment_attempt_failed"
    ]


def test_every_control_has_a_name_and_the_page_works_by_keyboard(page: Any) -> None:
    page.goto(PLACE)
    page.get_by_text("12 of 12 calls").wait_for()
    page.get_by_label("Search a call").fill("list payment records")
    page.keyboard.press("Enter")
    page.get_by_label("Limit").first.wait_for()
    nameless = page.evaluate(
        """[...document.querySelectorAll("form[aria-label] :is(input, select, textarea, button)")]
           .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
           .map((one) => one.outerHTML)"""
    )
    assert nameless == []
    page.get_by_label("Limit").first.focus()
    page.keyboard.type("2")
    RequestForm(page).wait_until_ready()
    page.get_by_role("button", name="Test request").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("answer").get_by_text("200", exact=True).wait_for()


def script(airflow: Standalone, fault: dict[str, Any]) -> None:
    """Let the sandbox fail once."""
    httpx.post(f"{airflow.sandbox}/_sandbox/faults", json={"faults": [fault]}, timeout=30).raise_for_status()


def report_pending(airflow: Standalone, reference: str) -> str:
    """Report a payment that is pending to the sandbox, and return the id of its record."""
    form = {
        "amount_requested[value]": "100",
        "amount_requested[currency]": "eur",
        "initiated_at": "1795424400",
        "payment_method_details[type]": "custom",
        "metadata[payrecords_key]": reference,
    }
    answer = httpx.post(
        f"{airflow.sandbox}/v1/payment_records/report_payment",
        data=form,
        headers={"Authorization": "Bearer sk_test_sandbox"},
        timeout=30,
    )
    return str(answer.raise_for_status().json()["id"])
