"""Mappings in memory or from a generator."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract import ExtractMapping, IterableExtract, make_extract
from airflow_provider_payrecords.extract.iterable import SAMPLE_ROWS
from tests.extract.sample import mapping, only_problems, params, read

ROW = {
    "id": "psp_1",
    "gross": "49.50",
    "currency": "EUR",
    "created": "2026-01-31 10:00:00",
    "status": "Settled",
    "payer": "Canary Jansen",
}
PAYMENT = {
    "amount_requested": {"value": 4950, "currency": "eur"},
    "initiated_at": 1769853600,
    "payment_method_details.type": "custom",
    "processor_details": {"custom": {"payment_reference": "psp_1"}},
}


def test_mappings_are_rows():
    assert params(read([ROW])[0])["amount_requested"] == {"value": 4950, "currency": "eur"}


def test_request_fields_need_no_mapping_flat_or_nested():
    rows = read([PAYMENT], ExtractMapping())
    assert rows[0].key == "psp_1"
    assert params(rows[0])["processor_details"] == {"type": "custom", "custom": {"payment_reference": "psp_1"}}


def test_a_field_may_appear_late():
    late = {
        **PAYMENT,
        "processor_details": {"custom": {"payment_reference": "last"}},
        "outcome": "failed",
        "failed.failed_at": 1769853600,
    }
    others = [
        {**PAYMENT, "processor_details": {"custom": {"payment_reference": str(number)}}}
        for number in range(SAMPLE_ROWS)
    ]
    rows = read([*others, late], ExtractMapping())
    assert params(rows[-1])["failed"] == {"failed_at": 1769853600}


def test_a_field_may_come_flat_in_one_row_and_nested_in_another():
    nested = {"outcome": "failed", "failed": {"failed_at": 1769853600}}
    flat = {"outcome": "failed", "failed.failed_at": 1769853601}
    payment = {name: value for name, value in PAYMENT.items() if name != "processor_details"}
    rows = read(
        [
            {**payment, **nested, "processor_details": {"custom": {"payment_reference": "a"}}},
            {**payment, **flat, "processor_details.custom.payment_reference": "b"},
        ],
        ExtractMapping(),
    )
    assert [(row.key, params(row)["failed"]["failed_at"]) for row in rows] == [("a", 1769853600), ("b", 1769853601)]


def test_a_column_that_is_no_field_is_refused_early_and_a_problem_late():
    with pytest.raises(MappingError, match="'notes' is not a request field"):
        read([{**PAYMENT, "notes": "x"}], ExtractMapping())
    others = [
        {**PAYMENT, "processor_details": {"custom": {"payment_reference": str(number)}}}
        for number in range(SAMPLE_ROWS)
    ]
    rows = read([*others, {**PAYMENT, "notes": "x"}], ExtractMapping())
    assert only_problems(rows) == [(SAMPLE_ROWS + 1, "row", "unknown_column")]


def test_details_without_an_outcome_are_refused():
    with pytest.raises(MappingError, match="no column 'outcome'"):
        read([{**PAYMENT, "guaranteed": {"guaranteed_at": 1769853600}}], ExtractMapping())


def test_rows_may_leave_columns_out():
    rows = read([ROW, {name: value for name, value in ROW.items() if name not in ("payer", "id")} | {"id": "psp_2"}])
    assert "customer_details" not in params(rows[1])


def test_a_column_no_row_has_is_a_mapping_error_that_says_how_to_go_on():
    with pytest.raises(MappingError, match=r"^The extract 'rows' has no column 'nope'.*give it as None"):
        read([ROW], mapping(key="nope"))


def test_what_is_no_mapping_is_a_problem_of_its_row():
    assert only_problems(read([ROW, ["psp_2"], None])) == [(2, "row", "not_a_mapping"), (3, "row", "not_a_mapping")]


def test_repeated_keys_are_problems():
    rows = read([ROW, {**ROW, "gross": "1.00"}, dict(ROW)])
    assert only_problems(rows) == [(2, "key", "duplicate_key"), (3, "key", "duplicate_key")]
    assert "other content" in rows[1].problems[0].message
    assert "the same content" in rows[2].problems[0].message


def test_a_generator_is_read_as_the_rows_are_asked_for():
    produced = []

    def rows():
        for number in range(1000):
            produced.append(number)
            yield {**ROW, "id": f"psp_{number}"}

    with make_extract(rows()).open(mapping()) as opened:
        assert opened.total_rows is None
        batches = opened.batches(10)
        assert [row.number for row in next(batches)] == list(range(1, 11))
        assert len(produced) <= SAMPLE_ROWS
        assert sum(len(batch) for batch in batches) == 990


def test_a_list_knows_its_count_and_may_be_empty():
    with make_extract([ROW]).open(mapping()) as opened:
        assert opened.total_rows == 1
    for how in (mapping(), ExtractMapping(), mapping(key=["a", "b"])):
        assert read([], how) == []


@pytest.mark.parametrize("keys", [{"where": "true"}, {"sql": "FROM extract"}, {"options": {"header": False}}])
def test_what_only_works_on_files_is_refused(keys):
    with pytest.raises(MappingError, match=r"works on files only, and rows is none. Filter and convert it upstream"):
        IterableExtract([ROW]).open(mapping(**keys))
