"""Findings of pydantic become the API's codes, with a dotted path and no value."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.problems import explain


@pytest.mark.parametrize(
    ("detail", "problem"),
    [
        (
            {"type": "missing", "loc": ("amount_requested", "value"), "msg": "Field required"},
            ("amount_requested.value", "parameter_missing", "This field is required."),
        ),
        (
            {"type": "string_too_long", "loc": ("description",), "msg": "…", "ctx": {"max_length": 5000}},
            ("description", "too_long", "At most 5000 characters."),
        ),
        (
            {"type": "too_long", "loc": ("description",), "msg": "5000 items", "ctx": {"max_length": 5000}},
            ("description", "too_long", "At most 5000 characters."),
        ),
        (
            {"type": "bool_type", "loc": ("flag",), "msg": "Input should be a valid boolean"},
            ("flag", "invalid_type", "Input should be a valid boolean"),
        ),
        (
            {"type": "invalid_metadata", "loc": ("metadata", "·set", "k", "[key]"), "msg": "Too long."},
            ("metadata.k", "invalid_metadata", "Too long."),
        ),
    ],
)
def test_a_finding_is_told_as_field_code_and_message(detail: dict[str, object], problem: tuple[str, str, str]) -> None:
    assert tuple(explain(detail).values()) == problem


def test_a_finding_about_the_whole_names_the_field_it_is_about() -> None:
    detail = {"type": "detail_missing", "loc": (), "msg": "Needed.", "ctx": {"field": "failed.failed_at"}}
    assert explain(detail)["field"] == "failed.failed_at"
