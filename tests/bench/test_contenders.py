"""Every contender does a tiny job, and what it says and what the server saw add up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import tables
from bench.contenders import BASELINE, CONTENDERS
from bench.job import Outcome, all_in_all
from bench.run import Measured, Scenario, Server, judge, measure, running_server

ROWS = 12
SLOW = [name for name, one in CONTENDERS.items() if one.airflow]
QUICK = [name for name in CONTENDERS if name not in SLOW]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Return the running server."""
    with running_server(None) as running:
        yield running


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.airflow) for name in SLOW)])
def test_contender_reports_every_payment_to_a_healthy_server(server: Server, name: str) -> None:
    rows = ROWS if CONTENDERS[name].share == 1 else round(2 / CONTENDERS[name].share)
    one = measure(server, name, Scenario("healthy", 4, rows), None)
    assert one.rows == round(rows * CONTENDERS[name].share)
    assert one.requests == one.rows
    assert (one.lost, one.twice, one.wrong, one.review, one.errors) == (0, 0, 0, 0, {})
    assert 1 <= one.connections <= (one.rows if CONTENDERS[name].serial else 4 + 2)
    assert one.wall_seconds > 0
    assert one.cpu_seconds > 0
    assert one.peak_mb >= one.start_mb > 0


@pytest.mark.parametrize("name", QUICK)
def test_contender_survives_a_server_with_faults_and_doubles_nothing(server: Server, name: str) -> None:
    one = measure(server, name, Scenario("faults", 8, 60, seed=3), None)
    assert one.requests >= 60 - one.review
    assert (one.twice, one.wrong) == (0, 0)
    assert one.unseen <= one.lost == sum(one.errors.values()) - one.review


def test_ours_loses_nothing_to_a_server_with_faults(server: Server) -> None:
    one = measure(server, "payrecords", Scenario("faults", 8, 200, seed=5), None)
    assert (one.lost, one.twice, one.wrong) == (0, 0, 0)


def test_ours_loses_nothing_to_a_server_with_a_limit(server: Server) -> None:
    one = measure(server, "payrecords", Scenario("limit", 8, 60, limit=20), None)
    assert (one.lost, one.twice, one.wrong, one.review) == (0, 0, 0, 0)
    assert one.requests == one.rows + one.throttled


def told(ids: dict[str, str], records: dict[str, list[str]], review: tuple[str, ...] = ()) -> dict[str, object]:
    book = {"connections": 1, "requests": 4, "cpu_seconds": 0.1, "counts": {"status 429": 2}, "records": records}
    outcome = {"ids": ids, "review": list(review), "errors": {}}
    return {"wall": 2.0, "cpu": 0.5, "peak_mb": 9.0, "start_mb": 8.0, "outcome": outcome, "book": book}


def test_what_is_lost_doubled_and_wrong_is_counted() -> None:
    one = judge(
        ["a", "b", "c", "d", "e"],
        told({"a": "1", "b": "9", "c": "3"}, {"a": ["1"], "b": ["2"], "c": ["3", "4"], "d": ["5"]}, review=()),
    )
    assert (one.lost, one.unseen, one.twice, one.wrong) == (2, 1, 1, 1)


def test_what_is_in_review_is_not_lost() -> None:
    one = judge(["a", "b"], told({"a": "1"}, {"a": ["1"]}, review=("b",)))
    assert (one.lost, one.review) == (0, 1)


def test_what_was_known_once_stays_known() -> None:
    first, second = Outcome({"a": "1"}, ["b"], {"x": 2}), Outcome({"b": "2"}, ["a", "c"], {"y": 1})
    assert all_in_all([first, second]) == Outcome({"a": "1", "b": "2"}, ["c"], {"y": 1})


def test_a_second_run_of_ours_sends_nothing_that_is_confirmed(server: Server) -> None:
    one = measure(server, "payrecords", Scenario("again", 4, ROWS, runs=2), None)
    assert (one.requests, one.lost, one.twice) == (ROWS, 0, 0)


def test_a_second_run_with_random_keys_doubles_every_payment(server: Server) -> None:
    one = measure(server, "sdk async random keys", Scenario("again", 4, ROWS, runs=2), None)
    assert (one.requests, one.lost, one.twice) == (2 * ROWS, 0, ROWS)


def test_rates_are_of_rows() -> None:
    one = judge(["a", "b", "c", "d"], told({}, {}))
    assert (one.rate, one.cpu_ms_per_1000, one.throttled, one.server_share) == (2.0, 125_000.0, 2, 0.05)


def test_tables_show_ratios_to_the_same_round() -> None:
    def taken(wall: float) -> Measured:
        return judge(["a"], told({"a": "1"}, {"a": ["1"]}) | {"wall": wall})

    rounds = {BASELINE: [taken(1.0), taken(8.0)], "payrecords": [taken(0.5), taken(2.0)]}
    table = tables.healthy(rounds)
    assert [row[:2] for row in table[1:]] == [[BASELINE, "1.00 (1.00 to 1.00)"], ["payrecords", "3.00 (2.00 to 4.00)"]]
    assert tables.markdown(table).count("\n") == 3
    assert "payrecords" in tables.plain(table)


def test_the_overview_has_a_column_for_all_that_was_measured() -> None:
    calm = {BASELINE: [judge(["a"], told({"a": "1"}, {"a": ["1"]}))]}
    bad = {BASELINE: [judge(["a", "b"], told({"a": "1"}, {"a": ["1", "2"]}))]}
    head, row = tables.overview({"healthy-8": calm, "faults": bad, "again": bad})
    assert dict(zip(head, row, strict=True)) == {
        "": BASELINE,
        "speed, 8 at once": "1",
        "CPU ms per 1,000 rows": "500,000",
        "peak MB": "9",
        "connections": "1",
        "lost, faults": "50.0%",
        "twice, again": "50.0%",
    }


def test_a_table_of_trouble_adds_the_rounds() -> None:
    rounds = {"aiohttp": [judge(["a", "b"], told({"a": "1"}, {"a": ["1"], "b": ["2"]})) for _ in range(2)]}
    assert tables.trouble(rounds)[1][:3] == ["aiohttp", "2 of 4", "2"]
