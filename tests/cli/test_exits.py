"""Every error has one exit code, and no key survives a message."""

from __future__ import annotations

import json

import pytest

from airflow_provider_payrecords.cli.exits import ExitCode, error_as_json, exit_code_of, mask
from airflow_provider_payrecords.core import errors
from airflow_provider_payrecords.core.errors import PayRecordsError


def tree(root: type[PayRecordsError]) -> list[type[PayRecordsError]]:
    return [
        root,
        *(found for child in root.__subclasses__() if child.__module__ == errors.__name__ for found in tree(child)),
    ]


USAGE = {"UsageError", "SettingsError", "MappingError", "ExtractError", "CommandError"}
REJECTED = {"InvalidRequestError", "IdempotencyError", "ReviewNeededError"}


@pytest.mark.parametrize("kind", tree(PayRecordsError), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_the_exit_code_its_meaning_asks_for(kind: type[PayRecordsError]) -> None:
    wanted = ExitCode.STOPPED
    if kind.__name__ in USAGE:
        wanted = ExitCode.USAGE
    if kind.__name__ in REJECTED:
        wanted = ExitCode.REJECTED
    assert exit_code_of(kind("what happened")) is wanted


def test_a_money_error_is_wrong_usage_because_it_breaks_a_rule_before_anything_is_sent() -> None:
    from airflow_provider_payrecords.core.money import MoneyError

    assert exit_code_of(MoneyError("no")) is ExitCode.USAGE


def test_error_as_json_has_the_facts_and_leaves_out_what_is_not_known() -> None:
    error = errors.InvalidRequestError("refused", status=400, code="parameter_missing", request_id="req_1")
    assert json.loads(json.dumps(error_as_json(error))) == {
        "type": "InvalidRequestError",
        "disposition": "reject",
        "message": "refused",
        "status": 400,
        "code": "parameter_missing",
        "request_id": "req_1",
    }


@pytest.mark.parametrize("prefix", ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_live_"])
@pytest.mark.parametrize("around", ["{}", "key={}, and more", "'{}'", "Bearer {}", '{{"k": "{}"}}'])
def test_mask_leaves_nothing_of_a_key_but_its_prefix(prefix: str, around: str) -> None:
    masked = mask(around.format(f"{prefix}51HxyZ-secret"))
    assert masked == around.format(f"{prefix}…")


def test_mask_leaves_other_text_alone() -> None:
    assert mask("row 7: pr_123 of cus_9 at risk_test_drive") == "row 7: pr_123 of cus_9 at risk_test_drive"
