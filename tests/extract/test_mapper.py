"""Cells become commands, and all that is wrong with a row is said at once."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract import ExtractMapping, Row, RowProblem
from airflow_provider_payrecords.extract.column import Columns
from airflow_provider_payrecords.extract.mapper import RowMapper
from tests.extract.sample import CANARY, FIELDS, mapping, params

CELLS = {
    "id": "psp_1",
    "gross": "49.50",
    "currency": "EUR",
    "created": "2026-01-31 10:00:00",
    "status": "Settled",
    "payer": f"{CANARY} Jansen",
}


def run(how: ExtractMapping | None = None, **changes) -> Row | RowProblem:
    cells = {**CELLS, **changes}
    mapper = RowMapper(how or mapping(), Columns(dict.fromkeys(cells), is_open=True))
    return mapper.map(1, tuple(cells[name] for name in mapper.used))


def codes(row: Row | RowProblem) -> dict[str, str]:
    assert isinstance(row, RowProblem), row
    return {one.field: one.code for one in row.problems}


def with_field(path: str, spec) -> ExtractMapping:
    return mapping(fields={**FIELDS, path: spec})


def test_a_good_row_is_the_command_that_the_mapping_describes():
    assert params(run()) == {
        "amount_requested": {"value": 4950, "currency": "eur"},
        "initiated_at": 1769850000,
        "outcome": "guaranteed",
        "guaranteed": {"guaranteed_at": 1769850000},
        "customer_details": {"name": "Canary Jansen"},
        "processor_details": {"type": "custom", "custom": {"payment_reference": "psp_1"}},
        "payment_method_details": {"type": "custom", "custom": {"display_name": "iDEAL"}},
    }


def test_only_the_detail_of_the_outcome_is_read():
    assert set(params(run(status="Refused"))) & {"guaranteed", "failed"} == {"failed"}
    fields = {**FIELDS, "failed.failed_at": "payer"}
    assert "failed" not in params(run(mapping(fields=fields)))
    assert codes(run(mapping(fields=fields), status="Refused")) == {"failed.failed_at": "not_a_time"}


def test_a_value_that_means_nothing_leaves_the_payment_pending():
    pending = params(run(status="Open"))
    assert not {"outcome", "guaranteed", "failed"} & set(pending)
    assert "outcome" not in params(run(status=None))


def test_all_problems_of_a_row_are_collected_and_none_is_told_twice():
    row = run(id="", gross=49.5, currency="EURO", created="yesterday", status="Chargeback")
    assert codes(row) == {
        "key": "missing_key",
        "amount_requested.currency": "unknown_currency",
        "initiated_at": "not_a_time",
        "outcome": "unmapped_value",
    }
    assert isinstance(row, RowProblem)
    assert row.key is None
    assert len(row.problems) == 4
    assert codes(run(gross=49.5)) == {"amount_requested.value": "float_amount"}
    assert codes(run(gross=None)) == {"amount_requested.value": "parameter_missing"}


@pytest.mark.parametrize(
    ("amount", "whole", "field", "origin"),
    [
        (None, True, "amount_requested", "column 'amount'"),
        ({"value": 1}, True, "amount_requested.currency", "column 'amount'"),
        (None, False, "amount_requested", "column 'amount.value', column 'amount.currency'"),
        ({"value": 1}, False, "amount_requested.currency", "column 'amount.currency'"),
    ],
)
def test_what_is_missing_of_a_group_names_the_columns_it_comes_from(amount, whole, field, origin):
    parts = {f"amount_requested.{name}": f"amount.{name}" for name in ("value", "currency")}
    rest = {path: spec for path, spec in FIELDS.items() if not path.startswith("amount_requested.")}
    row = run(mapping(fields={**rest, **({"amount_requested": "amount"} if whole else parts)}), amount=amount)
    assert isinstance(row, RowProblem)
    assert [(one.field, one.message) for one in row.problems] == [(field, f"This field is required. ({origin})")]


def test_problems_name_the_column_and_never_personal_data():
    how = with_field("customer_details.email", "payer")
    row = run(how, payer=f"{CANARY}" * 200, gross=f"{CANARY}", created=CANARY, status=f"{CANARY} x", currency=CANARY)
    assert isinstance(row, RowProblem)
    text = " ".join(one.message for one in row.problems)
    assert CANARY not in text
    for column in ("gross", "created", "status", "currency", "payer"):
        if column != "gross":
            assert f"olumn '{column}'" in text
    assert "customer_details.email" in codes(row)


def test_a_problem_of_the_command_names_the_column_too():
    row = run(with_field("description", "payer"), payer="x" * 5001)
    assert isinstance(row, RowProblem)
    told = {one.field: one.message for one in row.problems}
    assert told["description"].endswith("(column 'payer')")


def test_type_custom_is_filled_in_only_where_nothing_else_says_it():
    how = with_field("payment_method_details.custom.display_name", {"column": "gross", "default": None})
    assert params(run(how))["payment_method_details"]["type"] == "custom"
    fields = {name: spec for name, spec in FIELDS.items() if not name.startswith("payment_method_details")}
    how = mapping(fields={**fields, "payment_method_details.payment_method": {"constant": "pm_1"}})
    assert params(run(how))["payment_method_details"] == {"payment_method": "pm_1"}
    assert "customer_details" in params(run())
    assert "type" not in params(run())["customer_details"]


def test_defaults_stand_in_for_empty_cells_only():
    how = with_field("amount_requested.currency", {"column": "currency", "default": "USD"})
    assert params(run(how, currency=""))["amount_requested"]["currency"] == "usd"
    assert params(run(how, currency=None))["amount_requested"]["currency"] == "usd"
    assert params(run(how))["amount_requested"]["currency"] == "eur"
    how = with_field("outcome", {"column": "status", "values": {"Settled": "guaranteed"}, "default": "failed"})
    assert params(run(how, status=""))["outcome"] == "failed"
    how = with_field("amount_requested.value", {"column": "gross", "unit": "major", "default": "1.00"})
    assert params(run(how, gross=None))["amount_requested"]["value"] == 100


def test_a_constant_or_default_that_cannot_be_sent_is_a_mapping_error():
    for path, spec in (
        ("initiated_at", {"constant": "yesterday"}),
        ("amount_requested.value", {"constant": "49.50"}),
        ("amount_requested.currency", {"column": "currency", "default": "EURO"}),
    ):
        with pytest.raises(MappingError, match=f"constant or default for '{path}'"):
            run(with_field(path, spec))


def test_several_key_columns_are_joined():
    row = run(mapping(key=["id", "currency"]))
    assert row.key == "psp_1|EUR"


def test_the_key_defaults_to_the_reference():
    assert run(mapping(key=())).key == "psp_1"
    fields = {name: spec for name, spec in FIELDS.items() if not name.startswith("processor_details")}
    with pytest.raises(MappingError, match="names no key"):
        run(mapping(key=(), fields=fields))
    constant = {**fields, "processor_details.custom.payment_reference": {"constant": "x"}}
    with pytest.raises(MappingError, match="names no key"):
        run(mapping(key=(), fields=constant))


def test_calls_on_a_record_need_a_key_and_take_the_record_as_a_field():
    fields = {"payment_record": "id", "failed_at": {"column": "created", "timezone": "UTC"}}
    how = ExtractMapping.load({"endpoint": "report_payment_attempt_failed", "fields": fields})
    with pytest.raises(MappingError, match="names no key"):
        run(how)
    row = run(how.model_copy(update={"key": ("id",)}))
    assert isinstance(row, Row)
    assert row.command.url_path() == "/v1/payment_records/psp_1/report_payment_attempt_failed"
    assert params(row) == {"failed_at": 1769853600}


def test_refunds_take_their_own_reference_as_key():
    fields = {
        "payment_record": "record",
        "amount.value": {"column": "gross", "unit": "major"},
        "amount.currency": "currency",
        "outcome": {"constant": "refunded"},
        "refunded.refunded_at": {"column": "created", "timezone": "UTC"},
        "processor_details.custom.refund_reference": "id",
    }
    row = run(ExtractMapping.load({"endpoint": "report_refund", "fields": fields}), record="pr_1")
    assert row.key == "psp_1"
    assert params(row) == {
        "amount": {"value": 4950, "currency": "eur"},
        "outcome": "refunded",
        "refunded": {"refunded_at": 1769853600},
        "processor_details": {"type": "custom", "custom": {"refund_reference": "psp_1"}},
    }


def test_an_empty_constant_clears_and_an_empty_cell_does_not():
    fields = {"payment_record": "id", "description": {"constant": ""}, "customer_details.name": "payer"}
    how = ExtractMapping.load({"endpoint": "report_payment_attempt_informational", "key": "id", "fields": fields})
    assert params(run(how, payer="")) == {"description": ""}


def test_nested_cells_are_read_by_path_and_as_a_whole():
    how = with_field("amount_requested.value", {"column": "money.gross", "unit": "major"})
    assert params(run(how, money={"gross": "1.50"}))["amount_requested"]["value"] == 150
    how = with_field("metadata", "extra")
    row = run(how, extra={"order": 7, "vip": True, "none": None, "a.b": "c"})
    assert params(row)["metadata"] == {"order": "7", "vip": "true", "a.b": "c"}


def test_a_nested_cell_with_what_the_api_does_not_know_is_a_problem():
    assert codes(run(with_field("shipping_details", "ship"), ship={"nmae": CANARY})) == {
        "shipping_details.nmae": "parameter_unknown"
    }
    how = with_field("metadata", "extra")
    assert codes(run(how, extra={"payrecords_key": "x"})) == {"metadata.payrecords_key": "reserved_metadata"}
    assert codes(run(how, extra={"a": {"b": 1}})) == {"metadata.a": "invalid_type"}
    assert codes(run(how, extra="text")) == {"metadata": "invalid_type"}
    assert codes(run(with_field("description", "extra"), extra={"a": 1})) == {"description": "invalid_type"}


def test_rows_read_only_what_the_mapping_names():
    mapper = RowMapper(mapping(), Columns(dict.fromkeys([*CELLS, "other"])))
    assert set(mapper.used) == set(CELLS)
