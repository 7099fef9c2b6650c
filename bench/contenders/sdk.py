"""The official SDK: one call after the other, in threads, and by its asynchronous clients."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import aiohttp
import stripe

from bench.job import API_KEY, Job, Outcome, in_window
from bench.loop import in_loop
from bench.payments import key_of, params_of, read_extract

RETRIES = 2
"""What the README of the SDK shows."""


def sync(job: Job) -> Outcome:
    """Report one payment after the other."""
    return _blocking(job, 1)


def threads(job: Job) -> Outcome:
    """Report from as many threads as requests may be under way. The SDK keeps a session for each."""
    return _blocking(job, job.concurrency)


def with_httpx(job: Job) -> Outcome:
    """Report by the asynchronous calls, over httpx: what the SDK takes by itself."""
    return in_loop(_asynchronous(job, stripe.HTTPXClient(), stripe.StripeError))


def with_random_keys(job: Job) -> Outcome:
    """Report as ``with_httpx`` does, and give no key: the SDK makes a random one for every call."""
    return in_loop(_asynchronous(job, stripe.HTTPXClient(), stripe.StripeError, keyed=False))


def with_aiohttp(job: Job) -> Outcome:
    """Report by the asynchronous calls, over aiohttp."""
    # The SDK reads the body outside of its handler: an answer that is cut short comes out as aiohttp's own error.
    return in_loop(_asynchronous(job, stripe.AIOHTTPClient(), stripe.StripeError, aiohttp.ClientError))


def _blocking(job: Job, workers: int) -> Outcome:
    outcome = Outcome()
    client = stripe.StripeClient(API_KEY, base_addresses={"api": job.base}, max_network_retries=RETRIES)

    def send(row: dict[str, str]) -> None:
        try:
            record = client.v1.payment_records.report_payment(
                params_of(row),  # type: ignore[arg-type] # a plain mapping
                {"idempotency_key": key_of(row)},
            )
        except stripe.StripeError as error:
            outcome.failed(type(error).__name__)
        else:
            outcome.ids[row["reference"]] = record.id

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(send, read_extract(job.extract)):
            pass
    return outcome


async def _asynchronous(job: Job, http: stripe.HTTPClient, *errors: type[Exception], keyed: bool = True) -> Outcome:
    outcome = Outcome()
    client = stripe.StripeClient(
        API_KEY, base_addresses={"api": job.base}, max_network_retries=RETRIES, http_client=http
    )

    async def send(row: dict[str, str]) -> None:
        try:
            record = await client.v1.payment_records.report_payment_async(
                params_of(row),  # type: ignore[arg-type] # a plain mapping
                {"idempotency_key": key_of(row)} if keyed else None,
            )
        except errors as error:
            outcome.failed(type(error).__name__)
        else:
            outcome.ids[row["reference"]] = record.id

    try:
        await in_window(read_extract(job.extract), job.concurrency, send)
    finally:
        await http.close_async()  # type: ignore[no-untyped-call] # Stripe's
    return outcome
