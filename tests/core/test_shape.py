"""Commands by columns: ``core/shape.py`` says of each exactly what the models, the form and the hashes say."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError, field_validator, model_validator

from airflow_provider_payrecords.core.commands import COMMANDS, Command, ReportPayment, build
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.identity import (
    canonical_body,
    fingerprint,
    idempotency_key,
    idempotency_key_of,
    stamp,
)
from airflow_provider_payrecords.core.money import MoneyError
from airflow_provider_payrecords.core.parameters import Parameter, Text
from airflow_provider_payrecords.core.shape import Draft, Path, Shape, is_closed, may_have_shapes
from airflow_provider_payrecords.core.wire import encode
from tests.core.strategies import VALUES
from tests.core.test_parameters import PAYMENT

REPORTING = sorted(endpoint for endpoint in COMMANDS if endpoint.startswith("report_"))
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=12),
    st.text("a%&=+ é[]~", max_size=6),
    st.sampled_from(["", "eur", "KWD", "xxx", "\ud800", "x" * 501, "x" * 801, "x" * 5001, "pr_1"]),
    st.integers(-1, 10**16),
    st.sampled_from([0, 1, 10, 15, 100, 99_999_999_999, 10**15, True, 1.5, b"a", (1,)]),
)


def open_leaves(command: type[Command], values: dict[str, Any], path: Path = ()) -> list[Path]:
    """Return the paths of all leaves that have no closed set of values."""
    found: list[Path] = []
    for name, value in values.items():
        inner = (*path, name)
        if isinstance(value, dict):
            found += open_leaves(command, value, inner)
        elif value != "" and name != "expand" and not is_closed(command, inner):
            found.append(inner)
    return found


def at(values: Any, path: Path) -> Any:
    for part in path:
        values = values[part]
    return values


def with_values(values: dict[str, Any], leaves: list[Path], row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a copy of *values* with *row* in *leaves*."""
    copy = {name: with_values(one, [], ()) if isinstance(one, dict) else one for name, one in values.items()}
    for path, value in zip(leaves, row, strict=True):
        at(copy, path[:-1])[path[-1]] = value
    return copy


def same(draft: Draft, command: Command, source: str, key: str) -> None:
    """Check all that a draft says."""
    scope = Scope("acct_1", "test", command.endpoint, source)
    money = command.money()
    assert draft.endpoint == command.endpoint
    assert draft.command() == command
    assert draft.fingerprint == fingerprint(command)
    assert (draft.amount_minor, draft.currency) == ((money.value, money.currency) if money else (None, None))
    for one, sent in ((draft, command), (draft.stamped(source, key), stamp(command, source, key))):
        assert one.command() == sent
        assert one.fingerprint == draft.fingerprint
        assert one.body() == canonical_body(sent)
        assert one.request("k") == encode(sent, "k")
        assert one.param("outcome") == sent.params().get("outcome")
        assert idempotency_key_of(scope, key, one.body()) == idempotency_key(scope, key, sent)


@pytest.mark.parametrize("endpoint", REPORTING)
def test_a_shape_takes_what_the_models_take_and_writes_the_same_bytes(endpoint: str) -> None:
    command = COMMANDS[endpoint]

    @settings(deadline=None)
    @given(VALUES[endpoint], st.data())
    def check(values: dict[str, Any], data: st.DataObject) -> None:
        every = open_leaves(command, values)
        leaves = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1)) if every else []
        shape = Shape(build(command, values), leaves)
        alike = st.tuples(*(st.just(at(values, path)) | ANYTHING for path in leaves))
        rows = data.draw(st.lists(alike, min_size=1, max_size=4))
        commands = []
        for row in rows:
            try:
                commands.append(build(command, with_values(values, leaves, row)))
            except CommandError:
                with pytest.raises((CommandError, ValidationError)):
                    shape.take([[value] for value in row])
        good = [row for row in rows if is_good(command, with_values(values, leaves, row))]
        if good and leaves:
            drafts = shape.take(list(zip(*good, strict=True)))
            for draft, one in zip(drafts, commands, strict=True):
                same(draft, one, *data.draw(st.sampled_from([("adyen-eu", "k"), ("é %s", "%d é")])))

    check()


def is_good(command: type[Command], values: dict[str, Any]) -> bool:
    try:
        build(command, values)
    except CommandError:
        return False
    return True


def test_an_amount_is_checked_with_its_currency_whichever_of_the_two_is_open() -> None:
    sample = build(ReportPayment, {**PAYMENT, "amount_requested": {"value": 100, "currency": "kwd"}})
    value, currency = ("amount_requested", "value"), ("amount_requested", "currency")
    money = Shape(sample, [value]).take([[10, 20]])[1].command().money()
    assert money is not None
    assert (money.value, money.currency) == (20, "kwd")
    assert [one.currency for one in Shape(sample, [currency]).take([["EUR", "kwd"]])] == ["eur", "kwd"]
    with pytest.raises(MoneyError):
        Shape(sample, [value]).take([[10, 15]])
    with pytest.raises(MoneyError):
        Shape(sample, [currency, value]).take([["eur", "kwd"], [15, 15]])


def test_metadata_that_is_full_has_no_room_for_our_stamps() -> None:
    metadata = {f"m{number}": "x" for number in range(49)}
    shape = Shape(build(ReportPayment, {**PAYMENT, "metadata": metadata}), [("metadata", "m1")])
    (draft,) = shape.take([["y"]])
    with pytest.raises(CommandError, match="50 entries"):
        draft.stamped("s", "k")


def test_the_shape_with_stamps_is_learned_once() -> None:
    shape = Shape(build(ReportPayment, PAYMENT), [("initiated_at",)])
    assert shape.stamped("s") is shape.stamped("s")
    assert shape.stamped("s") is not shape.stamped("t")


@pytest.mark.parametrize(
    ("path", "closed"),
    [
        (("outcome",), True),
        (("customer_presence",), True),
        (("payment_method_details", "type"), True),
        (("description",), False),
        (("metadata", "outcome"), False),
        (("amount_requested", "currency"), False),
    ],
)
def test_a_leaf_is_closed_if_its_values_are_a_closed_set(path: Path, closed: bool) -> None:
    assert is_closed(ReportPayment, path) is closed


def test_a_path_that_is_no_leaf_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError, match=r"description\.text"):
        is_closed(ReportPayment, ("description", "text"))


class Named(Parameter):
    """A model with a rule over values that no one declared harmless."""

    first: Text
    last: Text | None = None

    @model_validator(mode="after")
    def _differ(self) -> Named:
        if self.first == self.last:
            raise ValueError("the same name twice")
        return self


class Introduce(Command):
    """A command that holds it."""

    endpoint: ClassVar[str] = "introduce"
    path: ClassVar[str] = "/v1/introduce"

    person: Named


class Whole(Introduce):
    """A command with a rule of its own."""

    @field_validator("expand")
    @classmethod
    def _any(cls, value: Any) -> Any:
        return value


def test_a_rule_over_values_is_asked_for_every_row_without_being_told() -> None:
    sample = build(Introduce, {"person": {"first": "a", "last": "b"}})
    shape = Shape(sample, [("person", "first")])
    assert [one.command() for one in shape.take([["c"]])] == [build(Introduce, {"person": {"first": "c", "last": "b"}})]
    with pytest.raises(ValidationError):
        shape.take([["c", "b"]])


def test_a_command_with_a_rule_over_values_of_its_own_has_no_shapes() -> None:
    assert may_have_shapes(ReportPayment)
    assert may_have_shapes(Introduce)
    assert not may_have_shapes(Whole)


@pytest.mark.parametrize("endpoint", REPORTING)
def test_every_call_for_rows_may_have_shapes(endpoint: str) -> None:
    assert may_have_shapes(COMMANDS[endpoint])
