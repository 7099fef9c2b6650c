"""The page that composes a request, as a person works with it."""

from __future__ import annotations

from typing import Any

from tests.e2e.standalone import Standalone

PLACE = "/plugin/payrecords-request"


class RequestForm:
    """One open page of it."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def choose(self, endpoint: str = "report_payment") -> RequestForm:
        """Open the form of a call."""
        self.page.goto(f"{PLACE}?endpoint={endpoint}")
        self.page.get_by_role("form").or_(self.page.locator("form[aria-label]")).first.wait_for()
        return self

    def fill_payment(self, reference: str, amount: str = "49.50") -> RequestForm:
        """Fill in a payment that is guaranteed."""
        self.enter("Amount requested", amount)
        self.page.get_by_label("Amount requested: currency").select_option("eur")
        self.enter_time("Initiated at", "2026-11-23T10:00:00", "Europe/Amsterdam")
        self.page.get_by_label("Outcome").select_option("guaranteed")
        self.enter_time("Guaranteed at", "2026-11-24T10:00:00", "UTC")
        self.enter("Display name", "iDEAL")
        self.enter("Payment reference", reference)
        return self

    def enter(self, label: str, text: str) -> None:
        """Type into the field with this label."""
        self.page.get_by_label(label).first.fill(text)

    def enter_time(self, label: str, time: str, zone: str) -> None:
        """Enter a time and its zone."""
        self.page.get_by_label(label).first.fill(time)
        self.page.get_by_label(f"{label}: time zone").fill(zone)

    def wait_until_ready(self) -> RequestForm:
        """Wait until the server has nothing to say against it."""
        self.page.get_by_role("region", name="Request", exact=True).get_by_text("ready").wait_for()
        return self

    @property
    def send_button(self) -> Any:
        """The button that sends."""
        return self.page.get_by_role("button", name="Test request")

    @property
    def answer(self) -> Any:
        """What came back."""
        return self.page.get_by_test_id("answer")

    def text_of(self, label: str) -> str:
        """Return the text of a box of code."""
        return str(self.page.get_by_role("region", name=label, exact=True).text_content())

    def scrolls_sideways(self) -> bool:
        """Return whether the page is wider than its window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def recorded(airflow: Standalone, reference: str) -> list[dict[str, Any]]:
    """Return what the sandbox recorded of the payment with this reference."""
    return [line for line in airflow.journal() if line["payrecords_key"] == reference]
