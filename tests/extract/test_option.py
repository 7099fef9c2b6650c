"""The command line describes the same mapping."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract import ExtractMapping, mapping_from_options


def test_options_describe_what_yaml_does():
    assert mapping_from_options(
        source="adyen-eu",
        key=["psp", "line"],
        fields=[
            "amount_requested.value=gross;unit=major;decimal=,",
            "initiated_at=created;timezone=Europe/Amsterdam;format=%d-%m-%Y",
            "outcome=status;values=Settled:guaranteed,Open:",
            "guaranteed.guaranteed_at=created",
        ],
        constants=["payment_method_details.custom.display_name=a=b;c"],
        where="type = 'x'",
        delimiter=";",
        encoding="cp1252",
        header=False,
        format=None,
    ) == ExtractMapping.load(
        {
            "source": "adyen-eu",
            "key": ["psp", "line"],
            "fields": {
                "amount_requested.value": {"column": "gross", "unit": "major", "decimal": ","},
                "initiated_at": {"column": "created", "timezone": "Europe/Amsterdam", "format": "%d-%m-%Y"},
                "outcome": {"column": "status", "values": {"Settled": "guaranteed", "Open": None}},
                "guaranteed.guaranteed_at": "created",
                "payment_method_details.custom.display_name": {"constant": "a=b;c"},
            },
            "where": "type = 'x'",
            "options": {"delimiter": ";", "encoding": "cp1252", "header": False},
        }
    )


def test_no_options_are_the_default_mapping():
    assert mapping_from_options() == ExtractMapping()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": ["gross"]}, "--field gross: write it as target=column"),
        ({"fields": ["=gross"]}, "write it as target=column"),
        ({"fields": ["description="]}, "write it as target=column"),
        ({"fields": ["description=a;unit"]}, "--field unit"),
        ({"fields": ["description=a;unot=major"]}, "unknown key 'unot'"),
        ({"constants": ["description"]}, "--constant description: write it as target=value"),
        ({"fields": ["description=a"], "constants": ["description=b"]}, "'description' is given twice"),
        ({"delimeter": ";"}, "unknown key 'delimeter' in options"),
    ],
)
def test_malformed_options_are_named(options, message):
    with pytest.raises(MappingError) as caught:
        mapping_from_options(**options)
    assert message in str(caught.value)


def test_an_empty_constant_asks_to_clear():
    mapping = mapping_from_options(endpoint="report_payment_attempt_informational", constants=["description="])
    assert mapping.fields["description"].constant == ""
