"""The tree of ``core/errors.py``: as drawn, as documented, and whole after pickling."""

from __future__ import annotations

import inspect
import json
import pickle
import re
from typing import Any

import pytest

from airflow_provider_payrecords.core import errors
from airflow_provider_payrecords.core.errors import (
    ApiError,
    CommandError,
    Disposition,
    IllegalTransitionError,
    PayRecordsError,
    TransportError,
)
from airflow_provider_payrecords.core.money import MoneyError

BRANCH = re.compile(r"(?P<indent>[ │]*)[├└]── (?P<name>\w+)(?: +(?P<disposition>ABORT|REJECT|RETRY|UNKNOWN)\b)?")
GROUPS = {"ApiError", "TransportError"}
DETAILS: dict[type[PayRecordsError], dict[str, Any]] = {
    CommandError: {"problems": [{"field": "a.b", "code": "c", "message": "m"}]},
    MoneyError: {"problems": [{"field": "a"}], "code": "float_amount"},
    IllegalTransitionError: {"state": "planned", "event": "found"},
    ApiError: {
        "status": 400,
        "code": "parameter_missing",
        "param": "a[b]",
        "request_id": "req_1",
        "type": "invalid_request_error",
        "reason": "endpoint-rate",
        "replayed": True,
        "should_retry": False,
        "retry_after_seconds": 1.5,
    },
    TransportError: {"status": 502},
    PayRecordsError: {},
}


def drawn() -> dict[str, tuple[str, str | None]]:
    """Return parent and disposition of every class in the module's picture."""
    tree: dict[str, tuple[str, str | None]] = {}
    above = {-1: "PayRecordsError"}
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]  # the module has a docstring
        found = BRANCH.match(line.removeprefix("    "))
        if found:
            depth = len(found["indent"]) // 4
            above[depth] = found["name"]
            tree[found["name"]] = (above[depth - 1], found["disposition"])
    return tree


def classes(root: type[PayRecordsError] = PayRecordsError) -> list[type[PayRecordsError]]:
    here = [cls for cls in root.__subclasses__() if cls.__module__ == errors.__name__]
    return here + [cls for one in here for cls in classes(one)]


def details_of(cls: type[PayRecordsError]) -> dict[str, Any]:
    return next(DETAILS[base] for base in cls.__mro__ if base in DETAILS)


def test_the_picture_shows_every_class_below_its_parent_with_its_disposition() -> None:
    tree = {
        cls.__name__: (cls.__base__.__name__, None if cls.__name__ in GROUPS else cls.disposition.name)  # type: ignore[union-attr]  # each has a base
        for cls in classes()
    }
    assert drawn() == tree


def test_the_picture_can_be_wrong() -> None:
    assert len(drawn()) == len(classes()) > 20
    assert drawn()["LedgerSchemaError"] == ("LedgerError", "ABORT")
    assert drawn()["ServerError"] == ("ApiError", "UNKNOWN")
    assert drawn()["StoppedError"] == ("PayRecordsError", "RETRY")


@pytest.mark.parametrize("cls", [PayRecordsError, *classes(), MoneyError], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_survives_pickling_with_its_attributes(cls: type[PayRecordsError], protocol: int) -> None:
    details = details_of(cls)
    error = cls("What failed. What to do.", **details)
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert type(copy) is cls
    assert (str(copy), copy.message, copy.args) == (error.message, error.message, error.args)
    assert {name: getattr(copy, name) for name in details} == details
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("cls", [PayRecordsError, *classes(), MoneyError], ids=lambda cls: cls.__name__)
def test_every_error_can_be_made_of_its_message_alone_and_its_attributes_are_json(cls: type[PayRecordsError]) -> None:
    for error in (cls("m"), cls("m", **details_of(cls))):
        public = {name: value for name, value in vars(error).items() if not name.startswith("_")}
        assert json.loads(json.dumps(public)) == public


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_public_attribute_is_documented_in_the_class_or_its_parent(cls: type[PayRecordsError]) -> None:
    texts = " ".join(base.__doc__ or "" for base in cls.__mro__ if base.__module__ == errors.__name__)
    assert [name for name in details_of(cls) if f"{name}:" not in texts] == []


def test_a_disposition_is_one_word_for_what_may_be_done_next() -> None:
    assert {one.value for one in Disposition} == {"retry", "reject", "abort", "unknown"}


def test_problems_are_copied_so_that_nobody_can_change_an_error_from_outside() -> None:
    problems = [{"field": "a"}]
    error = CommandError("m", problems=problems)
    problems.clear()
    assert error.problems == [{"field": "a"}]
