"""Extracts whose columns are request fields already."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.column import Columns
from airflow_provider_payrecords.extract.origin import locate_all, origins_by_name, reference_of
from tests.extract.sample import mapping

REFERENCE = "processor_details.custom.payment_reference"


def test_columns_are_fields_and_keys_are_not_sent():
    columns = Columns({"amount_requested.value": None, "psp": {"id": None}})
    assert list(origins_by_name(columns, ("psp.id",), "report_payment")) == ["amount_requested.value"]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"amount_requested.valu": None}, "Did you mean 'amount_requested.value'?"),
        ({"amount_requested": {"valu": None}}, "'amount_requested.valu' is not a request field"),
        ({"notes": None}, "leave columns out with sql"),
        ({"metadata.payrecords_key": None}, "written by payrecords itself"),
        ({"metadata": {"payrecords_source": None}}, "written by payrecords itself"),
        ({"failed.failed_at": None}, "no column 'outcome'"),
    ],
)
def test_a_column_that_would_be_lost_is_refused(shapes, message):
    with pytest.raises(MappingError) as caught:
        origins_by_name(Columns(shapes), (), "report_payment")
    assert message in str(caught.value)


def test_the_reference_is_the_key_flat_and_nested():
    for shapes in ({REFERENCE: None}, {"processor_details": {"custom": {"payment_reference": None}}}):
        assert reference_of(mapping(fields={}), Columns(shapes)) == REFERENCE
    assert reference_of(mapping(fields={"processor_details": "p"}), Columns({"p": None})) == REFERENCE
    with pytest.raises(MappingError, match="Set key"):
        reference_of(mapping(fields={}), Columns({"description": None}))


def test_columns_are_listed_only_when_the_header_is_one():
    with pytest.raises(MappingError) as with_header:
        locate_all(Columns({"id": None, "gross": None}), ["id", "x"])
    assert "Columns: id, gross." in str(with_header.value)
    with pytest.raises(MappingError) as without:
        locate_all(Columns({"Canary Jansen": None, "49.50": None}), ["id", "x"])
    assert "Canary" not in str(without.value)
