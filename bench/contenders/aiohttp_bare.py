"""Bare aiohttp: what a loop over a good client costs when it does nothing but send and read."""

from __future__ import annotations

import asyncio

import aiohttp

from bench.job import API_KEY, API_VERSION, Job, Outcome, in_window
from bench.loop import in_loop
from bench.payments import form_of, key_of, read_extract


def run(job: Job) -> Outcome:
    """Report every payment."""
    return in_loop(_run(job))


async def _run(job: Job) -> Outcome:
    outcome = Outcome()
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {API_KEY}", "Stripe-Version": API_VERSION},
        connector=aiohttp.TCPConnector(limit=job.concurrency),
        timeout=aiohttp.ClientTimeout(total=30),
        raise_for_status=True,
    ) as session:

        async def send(row: dict[str, str]) -> None:
            try:
                async with session.post(job.url, data=form_of(row), headers={"Idempotency-Key": key_of(row)}) as answer:
                    outcome.ids[row["reference"]] = (await answer.json())["id"]
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
                outcome.failed(type(error).__name__)

        await in_window(read_extract(job.extract), job.concurrency, send)
    return outcome
