"""
The contenders by name.

A contender is a function that takes a ``Job`` and returns an ``Outcome``. It does the job as the documentation of its
library shows it, with the retries that are recommended there, and with one idempotency key for a payment, the same in
every run. Modules are loaded in the process that runs them, and only there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from bench.job import Job, Outcome

BASELINE = "sdk async"


@dataclass(frozen=True)
class Contender:
    """
    One way to do the job.

    Attributes:
        place: Module and function.
        text: What it does, for the table's notes.
        keyed: It sends the same key for a payment in every run.
        airflow: It runs in Airflow, whose start takes longer than the job.
        serial: It sends one request at a time, whatever the concurrency.
        share: Part of a job's rows that it is given, where a whole job would take minutes.
    """

    place: str
    text: str
    keyed: bool = True
    airflow: bool = False
    serial: bool = False
    share: float = 1.0

    def load(self) -> Callable[[Job], Outcome]:
        """Return its function."""
        module, _, name = self.place.partition(":")
        function: Callable[[Job], Outcome] = getattr(import_module(f"bench.contenders.{module}"), name)
        return function


CONTENDERS = {
    "sdk sync": Contender(
        "sdk:sync", "stripe.StripeClient, max_network_retries=2, one call after the other", serial=True
    ),
    "sdk threads": Contender("sdk:threads", "the same in a ThreadPoolExecutor"),
    "sdk async": Contender("sdk:with_httpx", "…_async calls over stripe.HTTPXClient, max_network_retries=2"),
    "sdk async random keys": Contender(
        "sdk:with_random_keys", "the same without a key: the SDK makes a random one for each call", keyed=False
    ),
    "sdk async aiohttp": Contender(
        "sdk:with_aiohttp", "…_async calls over stripe.AIOHTTPClient, max_network_retries=2"
    ),
    "httpx": Contender(
        "httpx_pool:run", "one httpx.AsyncClient, pool as large as the concurrency, retries=2 (connects)"
    ),
    "aiohttp": Contender("aiohttp_bare:run", "one aiohttp.ClientSession, answer read as JSON, no retries"),
    "HttpOperator": Contender(
        "http_operator:single",
        "a task for each payment, retries=2, in dag.test()",
        airflow=True,
        serial=True,
        share=0.02,
    ),
    "HttpOperator mapped": Contender(
        "http_operator:mapped", "one task, expanded, retries=2, in dag.test()", airflow=True, serial=True, share=0.02
    ),
    "ReportExtractOperator": Contender(
        "report_extract:run", "ours as one task, checks, SQLite ledger, results, in dag.test()", airflow=True
    ),
    "payrecords": Contender("ours:run", "payrecords report: checks, SQLite ledger, results file, retries as they come"),
}
