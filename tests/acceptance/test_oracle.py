"""The oracle itself: repeatable, complete, and in agreement with the foreign server about what a good row is."""

from __future__ import annotations

import httpx

from tests.acceptance.command_line import API_KEY
from tests.acceptance.oracle import BAD_ANYWHERE, BAD_TYPED, DECIMALS, STATUSES, Generator
from tests.foreign.fixtures import StartServer


def test_the_same_seed_makes_the_same_extract() -> None:
    assert Generator(5).extract(30, BAD_ANYWHERE) == Generator(5).extract(30, BAD_ANYWHERE)
    assert Generator(5).extract(30) != Generator(6).extract(30)


def test_an_extract_holds_every_currency_outcome_and_kind_of_bad_row() -> None:
    extract = Generator(11).extract(120, BAD_ANYWHERE, BAD_TYPED)
    assert set(extract.money) == set(DECIMALS)
    assert {sent.form["outcome"] for sent in extract.good} == set(STATUSES.values())
    assert len(extract.bad) == len(BAD_ANYWHERE) + len(BAD_TYPED) + 1
    assert [row.number for row in extract.rows] == list(range(1, len(extract.rows) + 1))


def test_the_foreign_server_takes_every_good_row_as_the_oracle_writes_it(start_server: StartServer) -> None:
    server, extract = start_server(), Generator(11).extract(60)
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {API_KEY}"}) as client:
        for sent in extract.good:
            client.post("/v1/payment_records/report_payment", data=sent.form).raise_for_status()
    assert set(server.payments()) == extract.keys
