"""The benchmark's server keeps the rules of the API, and its trouble is what it says."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bench.book import Book, Reply
from bench.faults import STORED, Fault, fault_of

NOW = 1_795_000_000.0


def body(reference: str = "W1", value: int = 150) -> bytes:
    return (
        f"amount_requested%5Bvalue%5D={value}&amount_requested[currency]=eur&metadata[payrecords_key]={reference}"
        f"&processor_details[custom][payment_reference]={reference}"
    ).encode()


def met(fault: Fault) -> tuple[int, str]:
    """Return a seed and a reference whose first request meets *fault*, and whose second meets none."""
    return next(
        (seed, "W1")
        for seed in range(100_000)
        if fault_of(seed, "W1", 1) is fault and all(fault_of(seed, "W1", attempt) is None for attempt in (2, 3))
    )


def test_a_payment_is_recorded_with_what_was_sent() -> None:
    record = json.loads(Book().report(body(), b"k", NOW).body)
    assert record["object"] == "payment_record"
    assert record["amount_requested"] == {"currency": "eur", "value": 150}
    assert record["processor_details"]["custom"]["payment_reference"] == "W1"
    assert record["metadata"] == {"payrecords_key": "W1"}


def test_the_same_key_replays_the_same_answer_and_makes_no_second_record() -> None:
    book = Book()
    first, second = (book.report(body(), b"k", NOW) for _ in range(2))
    assert (second.status, second.body, second.replayed) == (200, first.body, True)
    assert len(book.records["W1"]) == 1


def test_another_key_makes_a_second_record_and_the_book_shows_it() -> None:
    book = Book()
    for key in (b"a", b"b", None):
        book.report(body(), key, NOW)
    assert len(set(book.records["W1"])) == 3


def test_a_key_with_other_content_is_refused() -> None:
    book = Book()
    book.report(body(), b"k", NOW)
    assert book.report(body(value=151), b"k", NOW).status == 400
    assert len(book.records["W1"]) == 1


def test_what_is_above_the_limit_is_turned_away_until_time_has_passed() -> None:
    book = Book(limit=2)
    answers = [book.report(body(f"W{number}"), None, NOW).status for number in range(3)]
    assert answers == [200, 200, 429]
    assert book.report(body("W9"), None, NOW + 0.5).status == 200
    assert sorted(book.records) == ["W0", "W1", "W9"]


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_does_to_the_record_what_it_says(fault: Fault) -> None:
    seed, reference = met(fault)
    book = Book(seed=seed)
    first = book.report(body(reference), b"k", NOW)
    recorded = fault in (Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.SLOW, Fault.TRUNCATED, Fault.STORED_AFTER)
    assert (reference in book.records) is recorded
    assert (first.status == 200) is (fault in (Fault.RESET_AFTER, Fault.SLOW, Fault.TRUNCATED))
    again = book.report(body(reference), b"k", NOW)
    assert (again.status, again.replayed) == ((500 if fault in STORED else 200), recorded or fault in STORED)
    assert len(book.records.get(reference, [])) == (0 if fault is Fault.STORED_BEFORE else 1)


def test_faults_meet_the_shares_they_say_whatever_the_order() -> None:
    total = 100_000
    found = Counter(fault_of(7, f"W{number}", 1) for number in range(total))
    for fault in Fault:
        assert found[fault] / total == pytest.approx(fault.share, rel=0.2)
    assert fault_of(7, "W1", 2) == fault_of(7, "W1", 2)


def test_records_are_listed_newest_first_by_pages() -> None:
    book = Book()
    made = [json.loads(book.report(body(f"W{number}"), None, NOW).body)["id"] for number in range(5)]
    ids: list[str] = []
    more = True
    while more:
        page = json.loads(book.listing(ids[-1] if ids else None, 2).body)
        ids += [record["id"] for record in page["data"]]
        more = page["has_more"]
    assert ids == made[::-1]


def test_answers_are_counted() -> None:
    book = Book()
    replies = [book.report(body(), b"k", NOW) for _ in range(2)]
    assert all(isinstance(reply, Reply) for reply in replies)
    assert book.counts == {"status 200": 2, "replayed": 1}
