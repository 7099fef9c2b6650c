"""A mapping from the options of a command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.mapping import ExtractMapping

_SEPARATOR, _EQUALS, _PAIR, _MEANS = ";", "=", ",", ":"


def mapping_from_options(
    *,
    source: str | None = None,
    key: Sequence[str] | str | None = None,
    endpoint: str | None = None,
    fields: Sequence[str] = (),
    constants: Sequence[str] = (),
    where: str | None = None,
    sql: str | None = None,
    **options: str | bool | None,
) -> ExtractMapping:
    """
    Return the mapping that command line options describe; an option that is None was not given.

    Args:
        fields: ``target=column`` with conversions after semicolons, such as
            ``amount_requested.value=gross;unit=major`` or ``outcome=status;values=Settled:guaranteed,Refused:failed``.
        constants: ``target=value``.
        options: The fields of ``ReadOptions``.

    Raises:
        MappingError: One of them is not of that form, or cannot work.
    """
    specs: dict[str, Any] = {}
    for text in fields:
        target, _, rest = _pair(text, "--field", "target=column")
        _add(specs, target, _column(rest))
    for text in constants:
        target, _, value = _pair(text, "--constant", "target=value", may_be_empty=True)
        _add(specs, target, {"constant": value})
    given = {"source": source, "key": key, "endpoint": endpoint, "where": where, "sql": sql}
    reading = {name: value for name, value in options.items() if value is not None}
    return ExtractMapping.load(
        {
            **{name: value for name, value in given.items() if value},
            **({"fields": specs} if specs else {}),
            **({"options": reading} if reading else {}),
        }
    )


def _column(text: str) -> dict[str, Any]:
    column, *conversions = text.split(_SEPARATOR)
    spec: dict[str, Any] = {"column": column}
    for conversion in conversions:
        name, _, value = _pair(conversion, "--field", "target=column;unit=major")
        spec[name] = _values(value) if name == "values" else value
    return spec


def _values(text: str) -> dict[str, str | None]:
    pairs = (one.partition(_MEANS) for one in text.split(_PAIR))
    return {value: meaning or None for value, _, meaning in pairs}


def _pair(text: str, option: str, form: str, may_be_empty: bool = False) -> tuple[str, str, str]:
    name, equals, value = text.partition(_EQUALS)
    if not name or not equals or not (value or may_be_empty):
        raise MappingError(f"{option} {text}: write it as {form}.")
    return name, equals, value


def _add(specs: dict[str, Any], target: str, spec: dict[str, Any]) -> None:
    if target in specs:
        raise MappingError(f"'{target}' is given twice. Keep one --field or --constant for it.")
    specs[target] = spec
