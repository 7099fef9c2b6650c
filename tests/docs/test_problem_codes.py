"""Whatever code a row, a call or an entry can be given, a person can look it up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from airflow_provider_payrecords.core.commands import COMMANDS, build
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.extract.field import ENDPOINTS, request_fields
from tests.docs.page import section, table_names
from tests.docs.problem_codes import codes

DOCUMENTED = table_names(section("docs/mapping.md", "Problem codes"))
HALF_A_CHARACTER = "\ud800"
NONSENSE: tuple[Any, ...] = (True, 1.5, "", "x" * 6000, -1, 10**15 + 1, b"x", [], {}, {"x": 1}, datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


def test_every_code_in_the_source_is_explained_and_no_other() -> None:
    assert codes() == DOCUMENTED


def test_the_collector_sees_each_way_of_giving_a_code() -> None:
    ways = {"unmapped_value", "duplicate_key", "naive_time", "invalid_key", "unknown_currency", "ambiguous_call"}
    assert ways | {"invalid_minor_units", "too_long", "content_changed", "outcome_unknown"} <= codes()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nonsense_in_any_field_gets_an_explained_code(endpoint: str) -> None:
    fields = request_fields(endpoint)
    for path in (*fields.leaves, *fields.objects):
        for value in NONSENSE:
            assert codes_of(endpoint, path, value) <= DOCUMENTED, (path, value)


@pytest.mark.parametrize("endpoint", ["report_payment", "report_payment_attempt", "report_refund"])
def test_half_a_character_in_a_field_of_fixed_values_gets_an_explained_code(endpoint: str) -> None:
    assert codes_of(endpoint, "outcome", HALF_A_CHARACTER) <= DOCUMENTED


def test_half_a_character_in_free_text_gets_an_explained_code() -> None:
    assert "invalid_text" in codes_of("report_payment", "description", HALF_A_CHARACTER)


def codes_of(endpoint: str, path: str, value: Any) -> set[str]:
    """Return the codes of the command that has nothing but *value* at *path*."""
    for name in reversed(path.split(".")):
        value = {name: value}
    try:
        build(COMMANDS[endpoint], value)
    except CommandError as error:
        return {problem["code"] for problem in error.problems}
    return set()


@pytest.mark.parametrize("code", ["content_changed", "idempotency_key_expired", "stored_server_error"])
def test_every_reason_for_a_review_has_its_next_step(code: str) -> None:
    assert code in table_names(section("docs/ledger.md", "Review"))
