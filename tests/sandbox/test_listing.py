"""Pages: newest first, both ways, with filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.samples import START, Api, Clock

RECORDS = "/v1/payment_records"
ATTEMPTS = "/v1/payment_attempt_records"


@pytest.fixture
def ids(api: Api, clock: Clock) -> list[str]:
    """Return the ids of twelve records, oldest first, one a minute but the last two in one second."""
    made = []
    for number in range(12):
        clock.now = START + 60 * min(number, 10)
        made.append(api.report()["id"])
    return made


def shown(page: dict[str, Any]) -> list[str]:
    return [one["id"] for one in page["data"]]


def test_ten_newest_come_first(api: Api, ids: list[str]) -> None:
    page = api.get(RECORDS).body
    assert (page["object"], page["url"], page["has_more"]) == ("list", RECORDS, True)
    assert shown(page) == ids[:1:-1]


def test_following_pages_give_every_record_once(api: Api, ids: list[str]) -> None:
    found, page = [], api.get(RECORDS, limit=5).body
    while True:
        found += shown(page)
        if not page["has_more"]:
            break
        page = api.get(RECORDS, limit=5, starting_after=found[-1]).body
    assert found == ids[::-1]


def test_preceding_page_still_comes_newest_first(api: Api, ids: list[str]) -> None:
    page = api.get(RECORDS, limit=3, ending_before=ids[4]).body
    assert (shown(page), page["has_more"]) == ([ids[7], ids[6], ids[5]], True)
    page = api.get(RECORDS, limit=3, ending_before=ids[9]).body
    assert (shown(page), page["has_more"]) == ([ids[11], ids[10]], False)


def test_time_filters_exclude_their_own_second(api: Api, ids: list[str]) -> None:
    between = {"created_after": START + 60 * 2, "created_before": START + 60 * 5}
    assert shown(api.get(RECORDS, **between).body) == [ids[4], ids[3]]
    assert shown(api.get(RECORDS, created_after=START + 60 * 9).body) == [ids[11], ids[10]]
    assert shown(api.get(RECORDS, created_before=START).body) == []


def test_filters_and_cursors_go_together(api: Api, ids: list[str]) -> None:
    page = api.get(RECORDS, created_after=START + 60 * 2, starting_after=ids[6], limit=2).body
    assert (shown(page), page["has_more"]) == ([ids[5], ids[4]], True)
    page = api.get(RECORDS, created_after=START + 60 * 2, starting_after=ids[1]).body
    assert (shown(page), page["has_more"]) == ([], False)
    page = api.get(RECORDS, created_before=START + 60 * 2, ending_before=ids[5]).body
    assert (shown(page), page["has_more"]) == ([], False)


@pytest.mark.parametrize(("limit", "code"), [(0, "parameter_invalid_integer"), (101, "parameter_invalid_integer")])
def test_limit_is_1_to_100(api: Api, ids: list[str], limit: int, code: str) -> None:
    assert api.get(RECORDS, limit=limit).blame == (400, code, "limit")
    assert len(shown(api.get(RECORDS, limit=100).body)) == 12


def test_limit_that_is_too_large_is_repeated_in_the_message(api: Api) -> None:
    message = "This value must be less than or equal to 100 (it currently is '101')."
    assert api.get(RECORDS, limit=101).error["message"] == message


def test_unknown_cursor_is_blamed(api: Api) -> None:
    assert api.get(RECORDS, starting_after="pr_none").blame == (400, "resource_missing", "starting_after")
    assert api.get(RECORDS, ending_before="pr_none").blame == (400, "resource_missing", "ending_before")


def test_cursors_exclude_each_other(api: Api, ids: list[str]) -> None:
    answer = api.get(RECORDS, starting_after=ids[0], ending_before=ids[1])
    assert answer.blame == (400, "parameters_exclusive", "ending_before")


def test_attempts_are_listed_for_one_record(api: Api) -> None:
    record = api.report()["id"]
    api.report()
    for _ in range(3):
        api.act(record, "report_payment_attempt_failed")
        api.act(record, "report_payment_attempt")
    page = api.get(ATTEMPTS, payment_record=record, limit=3).body
    assert (page["url"], page["has_more"], len(page["data"])) == (ATTEMPTS, True, 3)
    assert page["data"][0]["id"] == api.get(f"{RECORDS}/{record}").body["latest_payment_attempt_record"]
    assert [one["amount_failed"]["value"] for one in page["data"]] == [0, 4950, 4950]
    last = api.get(ATTEMPTS, payment_record=record, limit=3, starting_after=shown(page)[-1]).body
    assert (len(last["data"]), last["has_more"]) == (1, False)


def test_list_of_attempts_needs_its_record_and_runs_forward_only(api: Api) -> None:
    record = api.report()["id"]
    assert api.get(ATTEMPTS).blame == (400, "parameter_missing", "payment_record")
    assert api.get(ATTEMPTS, payment_record="pr_none").blame == (404, "resource_missing", "payment_record")
    answer = api.get(ATTEMPTS, payment_record=record, ending_before="par_1")
    assert answer.blame == (400, "parameter_unknown", "ending_before")
    answer = api.get(ATTEMPTS, payment_record=record, starting_after="par_none")
    assert answer.blame == (400, "resource_missing", "starting_after")
