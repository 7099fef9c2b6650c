"""The mapping, from Python and YAML: what cannot work is refused, with the name and the nearest that can."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from pydantic import BaseModel

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract import ExtractMapping, FieldSpec
from tests.extract.sample import write

DESIGN = """
source: adyen-eu                       # namespace of the keys
key: psp_reference                     # one column or a list
fields:
  amount_requested.value: {column: gross, unit: major}
  amount_requested.currency: currency
  initiated_at: {column: created, timezone: Europe/Amsterdam, format: "%Y-%m-%d %H:%M:%S"}
  outcome: {column: status, values: {Settled: guaranteed, Refused: failed}}
  guaranteed.guaranteed_at: {column: booked, timezone: Europe/Amsterdam}
  processor_details.custom.payment_reference: psp_reference
  payment_method_details.custom.display_name: {constant: iDEAL}
  metadata.order: merchant_reference
where: "type IN ('Settled', 'Refused')"
"""


def test_the_mapping_of_the_documentation_loads(tmp_path):
    mapping = ExtractMapping.load(write(tmp_path / "m.yaml", DESIGN))
    assert (mapping.source, mapping.key, mapping.endpoint) == ("adyen-eu", ("psp_reference",), "report_payment")
    assert mapping.fields["amount_requested.value"] == FieldSpec(column="gross", unit="major")
    assert mapping.fields["outcome"].values == {"Settled": "guaranteed", "Refused": "failed"}
    assert mapping.fields["payment_method_details.custom.display_name"].constant == "iDEAL"


def test_yaml_python_and_the_mapping_itself_give_the_same(tmp_path):
    from_yaml = ExtractMapping.load(str(write(tmp_path / "m.yaml", "key: [a, b]\nfields: {description: d}\n")))
    assert from_yaml == ExtractMapping.load({"key": ["a", "b"], "fields": {"description": {"column": "d"}}})
    assert ExtractMapping.load(from_yaml) is from_yaml
    assert ExtractMapping.load(None) == ExtractMapping()
    assert ExtractMapping.model_validate_json(from_yaml.model_dump_json(exclude_unset=True)) == from_yaml


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"feilds": {}}, "unknown key 'feilds'. Did you mean 'fields'?"),
        ({"options": {"delimeter": ";"}}, "unknown key 'delimeter' in options. Did you mean 'delimiter'?"),
        (
            {"fields": {"description": {"colum": "x"}}},
            "unknown key 'colum' in fields.description. Did you mean 'column'?",
        ),
        (
            {"fields": {"amount_requested.valu": "x"}},
            "'amount_requested.valu' is not a request field of this call. Did",
        ),
        ({"endpoint": "report_refunds"}, "Did you mean 'report_refund'?"),
        ({"endpoint": "retrieve_payment_record"}, "not a call for rows"),
        ({"fields": {"description": {}}}, "either a column or a constant"),
        ({"fields": {"description": {"column": "a", "constant": "b"}}}, "either a column or a constant"),
        ({"fields": {"description": {"constant": "a", "values": {"a": "b"}}}}, "a constant takes no values"),
        ({"fields": {"amount_requested.value": {"constant": 49.5}}}, "a float or another type is not exact"),
        ({"fields": {"description": {"column": "a", "default": 1.5}}}, "a float or another type is not exact"),
        ({"fields": {"description": {"column": "a", "unit": "major"}}}, "'unit' is for amount fields only"),
        ({"fields": {"description": {"column": "a", "format": "%Y%m%d"}}}, "'format' is for time fields only"),
        ({"fields": {"initiated_at": {"column": "a", "timezone": "Mars"}}}, "no such time zone"),
        ({"fields": {"initiated_at": {"column": "a", "format": "%Q"}}}, "not a strptime pattern"),
        ({"fields": {"amount_requested.value": {"column": "a", "decimal": ","}}}, "decimal goes with unit: major"),
        ({"fields": {"amount_requested.value": {"column": "a", "values": {"a": "1"}}}}, "'values' is not for amounts"),
        ({"fields": {"outcome": {"column": "a", "values": {True: "failed"}}}}, "text in quotes"),
        ({"fields": {"shipping_details": "s", "shipping_details.name": "n"}}, "fills 'shipping_details.name' twice"),
        ({"fields": {"failed.failed_at": "x"}}, "Map the outcome as well"),
        ({"fields": {"metadata.payrecords_key": "x"}}, "written by payrecords itself"),
        ({"fields": {"metadata.payrecords_source": {"constant": "x"}}}, "written by payrecords itself"),
        ({"where": "a", "sql": "b"}, "both where and sql"),
        ({"source": ""}, "source: "),
        ({"source": " x"}, "printable text"),
        ({"options": {"encoding": "latin-99"}}, "no such text encoding"),
        ({"options": {"encoding": "base64"}}, "no such text encoding"),
        ({"options": {"delimiter": ";;"}}, "options.delimiter"),
        ({"options": {"format": "xlsx"}}, "options.format"),
        ({"fields": "x"}, "fields: "),
    ],
)
def test_what_cannot_work_is_a_mapping_error(keys, message):
    with pytest.raises(MappingError) as caught:
        ExtractMapping.load(keys)
    assert message in str(caught.value)


def test_constructing_it_raises_the_same_error():
    with pytest.raises(MappingError, match="sorce"):
        ExtractMapping(sorce="x")


def test_every_fault_is_named_at_once():
    with pytest.raises(MappingError) as caught:
        ExtractMapping.load({"sorce": "x", "where": 5})
    assert "sorce" in str(caught.value)
    assert "where" in str(caught.value)


def test_tab_can_be_written_as_people_write_it():
    for written in ("\t", "\\t", "tab"):
        assert ExtractMapping.load({"options": {"delimiter": written}}).options.delimiter == "\t"


def test_constants_may_be_any_exact_value():
    for value in ("x", "", 5, Decimal("1.5"), datetime(2026, 1, 31)):  # noqa: DTZ001 - only its type matters here
        assert FieldSpec(constant=value).constant == value


def test_it_is_frozen_and_closed():
    for model in (ExtractMapping, FieldSpec, type(ExtractMapping().options)):
        assert issubclass(model, BaseModel)
        assert model.model_config["frozen"] is True
        assert model.model_config["extra"] == "forbid"


def test_a_fault_in_a_file_names_the_file(tmp_path):
    path = write(tmp_path / "m.yaml", "sourze: x\n")
    with pytest.raises(MappingError) as caught:
        ExtractMapping.load(path)
    assert str(caught.value) == (
        f"Mapping file {path}: The mapping cannot be used: unknown key 'sourze'. Did you mean 'source'?"
    )
    twice = write(tmp_path / "twice.yaml", "fields: {amount_requested: a, amount_requested.value: b}\n")
    with pytest.raises(MappingError, match=f"^Mapping file {twice}: The mapping fills 'amount_requested.value' twice"):
        ExtractMapping.load(str(twice))
