"""Plain httpx: one asynchronous client, its pool as large as the concurrency."""

from __future__ import annotations

import httpx

from bench.job import API_KEY, API_VERSION, PATH, Job, Outcome, in_window
from bench.loop import in_loop
from bench.payments import form_of, key_of, read_extract


def run(job: Job) -> Outcome:
    """Report every payment."""
    return in_loop(_run(job))


async def _run(job: Job) -> Outcome:
    outcome = Outcome()
    limits = httpx.Limits(max_connections=job.concurrency, max_keepalive_connections=job.concurrency)
    # The retries that httpx has are of connections that cannot be made, and of nothing else.
    async with httpx.AsyncClient(
        base_url=job.base,
        headers={"Authorization": f"Bearer {API_KEY}", "Stripe-Version": API_VERSION},
        transport=httpx.AsyncHTTPTransport(retries=2, limits=limits),
        timeout=30,
    ) as client:

        async def send(row: dict[str, str]) -> None:
            try:
                answer = await client.post(PATH, data=form_of(row), headers={"Idempotency-Key": key_of(row)})
                outcome.ids[row["reference"]] = answer.raise_for_status().json()["id"]
            except (httpx.HTTPError, ValueError) as error:
                outcome.failed(type(error).__name__)

        await in_window(read_extract(job.extract), job.concurrency, send)
    return outcome
