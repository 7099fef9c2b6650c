"""Who a payment is: the keys and fingerprints of ``core/identity.py``."""

from __future__ import annotations

import copy
import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.commands import COMMANDS, ReportPayment, ReportPaymentAttemptFailed, build
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.identity import (
    KEY_STAMP,
    SOURCE_STAMP,
    canonical_body,
    check_key,
    check_source,
    fingerprint,
    idempotency_key,
    stamp,
    unkeyed_idempotency_key,
)
from tests.core.strategies import VALUES
from tests.core.test_parameters import PAYMENT

SCOPE = Scope("acct_1", "test", "report_payment", "adyen-eu")
# Ledgers hold these: a release that computes others would send every payment again.
FINGERPRINT = "2045741ec687e7c94ea81823760bbb2d"
IDEMPOTENCY_KEY = "payrecords-c2b8189484c0dc6a97bc6f29178a444e4748e0763246a85a"
WRITING = sorted(endpoint for endpoint, command in COMMANDS.items() if command.method == "POST")


def payment(**fields: Any) -> ReportPayment:
    return build(ReportPayment, {**PAYMENT, **fields})


def shuffled(value: Any, chance: random.Random) -> Any:
    if not isinstance(value, dict):
        return value
    names = list(value)
    chance.shuffle(names)
    return {name: shuffled(value[name], chance) for name in names}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


def changed(values: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    other = copy.deepcopy(values)
    node = other
    for name in path[:-1]:
        node = node[name]
    old = node[path[-1]]
    node[path[-1]] = old + 100 if isinstance(old, int) else old + "x"
    return other


@pytest.mark.parametrize("endpoint", WRITING)
def test_the_same_content_has_the_same_key_however_it_was_written(endpoint: str) -> None:
    @given(VALUES[endpoint], st.randoms(use_true_random=False))
    def check(values: dict[str, Any], chance: random.Random) -> None:
        first, second = (build(COMMANDS[endpoint], one) for one in (values, shuffled(values, chance)))
        assert fingerprint(first) == fingerprint(second)
        assert idempotency_key(SCOPE, "k", first) == idempotency_key(SCOPE, "k", second)

    check()


@pytest.mark.parametrize("endpoint", WRITING)
def test_any_other_content_has_another_key(endpoint: str) -> None:
    fixed = {"type", "outcome", "currency", "customer_presence"}

    @given(VALUES[endpoint], st.data())
    def check(values: dict[str, Any], data: st.DataObject) -> None:
        paths = [path for path in leaves(values) if path[-1] not in fixed and path[0] != "expand"]
        path = data.draw(st.sampled_from(paths))
        if values[path[0]] == "" and path[0] in ("metadata", "shipping_details"):
            return
        first, second = (build(COMMANDS[endpoint], one) for one in (values, changed(values, path)))
        assert fingerprint(first) != fingerprint(second)
        assert idempotency_key(SCOPE, "k", first) != idempotency_key(SCOPE, "k", second)

    check()


@given(VALUES["report_payment"], VALUES["report_payment"])
def test_bodies_are_equal_if_and_only_if_the_contents_are(one: dict[str, Any], two: dict[str, Any]) -> None:
    def sent(values: dict[str, Any]) -> Any:
        return {name: sent(inner) for name, inner in values.items() if inner != {}} if type(values) is dict else values

    def without_empty(values: Any) -> Any:
        before, after = None, values
        while before != after:
            before, after = after, sent(after)
        return after

    equal = without_empty(one) == without_empty(two)
    assert (canonical_body(payment(**one)) == canonical_body(payment(**two))) is equal


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"description": "a&b=c"}, {"description": "a", "metadata": {"b": "c"}}),
        ({"metadata": {"a": "1&metadata[b]=2"}}, {"metadata": {"a": "1", "b": "2"}}),
        ({"metadata": {"a=1&b": "2"}}, {"metadata": {"a": "1&b=2"}}),
        ({"metadata": {"a": " "}}, {"metadata": {"a": "+"}}),
        ({"metadata": {"a": "%20"}}, {"metadata": {"a": " "}}),
        ({"metadata": {"a": ""}}, {"metadata": ""}),
        ({"metadata": {"a": "é"}}, {"metadata": {"a": "e\u0301"}}),
        ({"description": "1"}, {"metadata": {"description": "1"}}),
    ],
)
def test_contents_that_look_alike_on_the_wire_have_different_keys(one: dict[str, Any], two: dict[str, Any]) -> None:
    first, second = payment(**one), payment(**two)
    assert fingerprint(first) != fingerprint(second)
    assert idempotency_key(SCOPE, "k", first) != idempotency_key(SCOPE, "k", second)


def test_the_record_in_the_path_is_part_of_the_content() -> None:
    one, two = (build(ReportPaymentAttemptFailed, {"payment_record": r, "failed_at": 1}) for r in ("pr_1", "pr_2"))
    assert fingerprint(one) != fingerprint(two)


@pytest.mark.parametrize("field", ["account", "mode", "endpoint", "source"])
def test_every_part_of_the_scope_gives_another_key(field: str) -> None:
    other = replace(SCOPE, **{field: "other"})
    assert idempotency_key(SCOPE, "k", payment()) != idempotency_key(other, "k", payment())
    assert idempotency_key(SCOPE, "k", payment()) != idempotency_key(SCOPE, "l", payment())


def test_a_key_is_the_same_for_ever() -> None:
    body = (
        b"/v1/payment_records/report_payment\n"
        b"amount_requested[currency]=eur&amount_requested[value]=4950&initiated_at=1793610000"
        b"&payment_method_details[type]=custom"
    )
    who = b"acct_1\0test\0report_payment\0adyen-eu\0PSP-1\0"
    assert fingerprint(payment()) == hashlib.sha256(body).hexdigest()[:32] == FINGERPRINT
    assert idempotency_key(SCOPE, "PSP-1", payment()) == f"payrecords-{hashlib.sha256(who + body).hexdigest()[:48]}"
    assert idempotency_key(SCOPE, "PSP-1", payment()) == IDEMPOTENCY_KEY


def test_a_key_fits_the_header_and_holds_nothing_of_the_content() -> None:
    key = idempotency_key(SCOPE, "anna@example.org", payment(description="Anna"))
    assert key.startswith("payrecords-")
    assert key.isascii()
    assert len(key) == 59
    assert "anna" not in key.lower()


def test_stamps_and_expansion_do_not_change_the_fingerprint_but_the_body() -> None:
    plain = payment(metadata={"order": "7"})
    stamped = stamp(plain, "adyen-eu", "PSP-1")
    assert stamped.params()["metadata"] == {"order": "7", KEY_STAMP: "PSP-1", SOURCE_STAMP: "adyen-eu"}
    assert fingerprint(stamped) == fingerprint(plain) == fingerprint(payment(metadata={"order": "7"}, expand=["a"]))
    assert idempotency_key(SCOPE, "PSP-1", stamped) != idempotency_key(SCOPE, "PSP-1", plain)


@pytest.mark.parametrize("metadata", [None, "", {}])
def test_a_payment_without_metadata_is_stamped_and_not_taken_for_changed(metadata: Any) -> None:
    plain = payment(metadata=metadata)
    stamped = stamp(plain, "s", "k")
    assert stamped.params()["metadata"] == {KEY_STAMP: "k", SOURCE_STAMP: "s"}
    assert plain.metadata == metadata


def test_only_new_payments_are_stamped() -> None:
    command = build(ReportPaymentAttemptFailed, {"payment_record": "pr_1", "failed_at": 1})
    assert stamp(command, "s", "k") is command


@pytest.mark.parametrize("metadata", [{KEY_STAMP: "x"}, {SOURCE_STAMP: "x"}, {f"k{n}": "v" for n in range(49)}])
def test_metadata_that_leaves_no_room_for_the_stamps_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        stamp(payment(metadata=metadata), "s", "k")
    assert refused.value.problems[0]["code"] == "invalid_metadata"


def test_forty_eight_entries_leave_room() -> None:
    assert len(stamp(payment(metadata={f"k{n}": "v" for n in range(48)}), "s", "k").params()["metadata"]) == 50


@pytest.mark.parametrize("text", ["", "x" * 501, "a\x00b", "a\nb", "\ud800", "a\u2028b"])
def test_a_key_or_source_that_could_not_be_found_again_is_refused_wherever_it_enters(text: str) -> None:
    for refuse, field in (
        (lambda: check_key(text), "key"),
        (lambda: check_source(text), "source"),
        (lambda: idempotency_key(SCOPE, text, payment()), "key"),
        (lambda: idempotency_key(replace(SCOPE, source=text), "k", payment()), "source"),
        (lambda: stamp(payment(), "s", text), "key"),
        (lambda: stamp(payment(), text, "k"), "source"),
    ):
        with pytest.raises(CommandError) as refused:
            refuse()
        assert refused.value.problems[0]["field"] == field


@pytest.mark.parametrize("text", ["x", "x" * 500, "Zoë's cheque № 7"])
def test_any_printable_text_is_a_key(text: str) -> None:
    check_key(text)
    check_source(text)


def test_without_a_row_key_the_content_is_the_key() -> None:
    first = unkeyed_idempotency_key("acct_1", "test", payment())
    assert first == unkeyed_idempotency_key("acct_1", "test", payment())
    others = [
        unkeyed_idempotency_key("acct_2", "test", payment()),
        unkeyed_idempotency_key("acct_1", "live", payment()),
        unkeyed_idempotency_key("acct_1", "test", payment(description="x")),
    ]
    assert len({first, *others}) == 4
