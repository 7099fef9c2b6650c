"""The sandbox of the demo: a process, its URL, and what its journal says was really recorded."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from airflow_provider_payrecords.demo.place import Place, environment
from airflow_provider_payrecords.demo.process import Child

_START_SECONDS = 60
_INVOICES = (
    {"id": "in_Example", "amount_due": 4950, "currency": "eur"},
    {"id": "in_Settlement", "amount_due": 12_000, "currency": "eur"},
)
"""What ``example_attach_to_invoice`` and ``example_approval`` pay."""


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that answers at ``url``."""

    url: str

    def recorded(self) -> Counter[str]:
        """Return how often each payment was recorded, by its ``payrecords_key``."""
        return Counter(line["payrecords_key"] for line in self._journal() if line["endpoint"] == "report_payment")

    def add_invoice(self, invoice: dict[str, Any]) -> None:
        """Make an invoice, unless there is one with its id."""
        request = urllib.request.Request(f"{self.url}/_sandbox/invoices", json.dumps(invoice).encode())  # noqa: S310 - our own loopback URL
        try:
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - that same request
        except urllib.error.HTTPError as error:
            with error:
                if error.code != HTTPStatus.BAD_REQUEST:
                    raise

    def _journal(self) -> Iterator[dict[str, Any]]:
        after, has_more = 0, True
        while has_more:
            with urllib.request.urlopen(f"{self.url}/_sandbox/journal?after={after}", timeout=30) as answer:  # noqa: S310 - our own loopback URL
                page = json.load(answer)
            yield from page["data"]
            after += len(page["data"])
            has_more = page["has_more"] and bool(page["data"])


@contextmanager
def running(place: Place) -> Iterator[RunningSandbox]:
    """Start the sandbox on a free port with the state it had, and stop it at the end."""
    command = [sys.executable, "-m", "airflow_provider_payrecords", "sandbox", "--json", "--port", "0"]
    command += ["--state", str(place.sandbox_state)]
    with Child("sandbox", command, place.home, environment(place, ""), talks=True) as child:
        sandbox = RunningSandbox(json.loads(child.first_line(_START_SECONDS))["url"])
        for invoice in _INVOICES:
            sandbox.add_invoice(invoice)
        yield sandbox
