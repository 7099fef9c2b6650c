"""
Form values to checked parameters, or the first error in the API's words.

The rules are those of ``core.commands``; what is added here is what a server sees: everything arrives as text, an id
that does not exist is another error than one that is malformed, fields come and go with the API version, and there is
one error at a time, top-level fields first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from airflow_provider_payrecords.core.commands import Command, build
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.form import decode_pairs, parse_pairs
from airflow_provider_payrecords.core.parameters import MAX_METADATA_ENTRIES, MAX_METADATA_KEY, MAX_METADATA_VALUE
from airflow_provider_payrecords.sandbox import versions
from airflow_provider_payrecords.sandbox.errors import (
    RefusalError,
    empty_parameter,
    invalid,
    invalid_choice,
    invalid_currency,
    missing_parameter,
    unknown_parameter,
)

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_MAX_BRACKETS = 10
_ANY_ID = "id"


def decode(query: str, content: bytes) -> dict[str, Any]:
    """
    Nest the pairs of a query string and a form body.

    Raises:
        RefusalError: They are malformed.
    """
    try:
        pairs = [*parse_pairs(query), *parse_pairs(content)]
        if any(name.count("[") > _MAX_BRACKETS for name, _ in pairs):
            raise ValueError("A parameter name is nested too deeply.")
        return decode_pairs(pairs)
    except ValueError as error:
        raise invalid(f"Invalid request: {error}") from None


def digest(values: Mapping[str, Any]) -> str:
    """Return a hash of decoded *values*, the same for the same parameters in any order and either array form."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def check(command_type: type[Command], values: Mapping[str, Any], version: str) -> dict[str, Any]:
    """
    Return the checked parameters of a call.

    Args:
        values: As ``decode`` gave them; all scalars are text.
        version: API version that the request runs under.

    Raises:
        RefusalError: The first thing that is wrong.
    """
    _check_names(command_type, values)
    _check_version(command_type, values, version)
    _check_paired(values)
    rest = _with_integers(command_type, values)
    # Metadata has error texts of its own, and names that look like indices are still names.
    metadata = rest.pop("metadata", None)
    if command_type.path_parameter:
        rest[command_type.path_parameter] = _ANY_ID
    try:
        params = build(command_type, rest).params()
    except CommandError as error:
        raise _first(error.problems, values) from None
    return params if metadata is None else {**params, "metadata": _checked_metadata(metadata)}


def _check_names(command_type: type[Command], values: Mapping[str, Any]) -> None:
    for name in values:
        if name not in command_type.model_fields or name == command_type.path_parameter:
            raise unknown_parameter(name)


def _check_version(command_type: type[Command], values: Mapping[str, Any], version: str) -> None:
    fields = command_type.model_fields
    if "canceled" in fields and version < versions.OUTCOME_CAN_BE_CANCELED:
        if "canceled" in values:
            raise unknown_parameter("canceled")
        if values.get("outcome") == "canceled":
            raise invalid_choice("outcome", ("failed", "guaranteed"))
    if "refunded" in fields and version < versions.REFUNDED_IS_OPTIONAL and "refunded" not in values:
        raise missing_parameter("refunded")


def _check_paired(values: Mapping[str, Any]) -> None:
    for one, other in (("payment_intent", "payment_record"), ("starting_after", "ending_before")):
        if one in values and other in values:
            raise invalid(
                f"You may only specify one of these parameters: {one}, {other}.", other, "parameters_exclusive"
            )


def _with_integers(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    kinds = _kinds(model)
    return {name: _with_integer(kinds.get(name), value) for name, value in values.items()}


def _with_integer(kind: type | None, value: Any) -> Any:
    if kind is int and isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if kind is not None and issubclass(kind, BaseModel) and isinstance(value, Mapping):
        return _with_integers(kind, value)
    return value


@cache
def _kinds(model: type[BaseModel]) -> dict[str, type]:
    found = {}
    for name, field in model.model_fields.items():
        for leaf in _leaves(field.annotation):
            if isinstance(leaf, type) and (leaf is int or issubclass(leaf, BaseModel)):
                found[name] = leaf
    return found


def _leaves(annotation: Any) -> Iterator[Any]:
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts:
        yield from _leaves(part)


def _checked_metadata(value: Any) -> dict[str, str] | str:
    if value == "":
        return ""
    if isinstance(value, list):
        value = {str(index): inner for index, inner in enumerate(value)}
    if not isinstance(value, dict):
        raise invalid("Invalid object", "metadata")
    if len(value) > MAX_METADATA_ENTRIES:
        raise invalid(f"Metadata can have up to {MAX_METADATA_ENTRIES} keys, but you've set {len(value)}", "metadata")
    for key, text in value.items():
        _check_entry(key, text)
    return value


def _check_entry(key: str, text: Any) -> None:
    if not 1 <= len(key) <= MAX_METADATA_KEY:
        raise invalid(
            f"Metadata keys can have up to {MAX_METADATA_KEY} characters, but you passed in a key that is "
            f"{len(key)} characters. Invalid key: {key}",
            "metadata",
        )
    if not isinstance(text, str):
        raise invalid("Metadata values must be strings.", f"metadata[{key}]")
    if len(text) > MAX_METADATA_VALUE:
        raise invalid(
            f"Metadata values can have up to {MAX_METADATA_VALUE} characters, but you passed in a value that is "
            f"{len(text)} characters. Invalid value: {text}",
            "metadata",
        )


def _first(problems: list[dict[str, str]], values: Mapping[str, Any]) -> RefusalError:
    # A hash that may also be "" reports both ways of being wrong; only the one further in says something.
    fields = [one["field"] for one in problems]
    telling = [one for one in problems if not any(field.startswith(one["field"] + ".") for field in fields)]
    problem = min(telling, key=lambda one: one["field"].count("."))
    return _refusal(problem, values)


def _refusal(problem: Mapping[str, str], values: Mapping[str, Any]) -> RefusalError:
    code, path = problem["code"], problem["field"].split(".")
    value = _at(values, path)
    if code == "parameter_missing" and isinstance(value, Mapping):
        path = [*path, "type"]
    param = path[0] + "".join(f"[{part}]" for part in path[1:])
    if value == "" and code != "parameter_unknown":
        return empty_parameter(param)
    match code:
        case "parameter_missing" | "detail_missing":
            return missing_parameter(param)
        case "parameter_unknown":
            return unknown_parameter(param)
        case "parameter_invalid_integer" | "amount_out_of_range" | "invalid_time":
            return _not_this_integer(param, value, code)
        case "invalid_value":
            return invalid_choice(param, re.findall(r"'([^']*)'", problem["message"]))
        case "unknown_currency":
            return invalid_currency(param, str(value))
        case "invalid_type":
            return invalid(_wrong_shape(param, value), param)
        case _:
            return invalid(problem["message"], param)


def _at(values: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        elif isinstance(values, Mapping):
            values = values.get(part)
        else:
            return None
    return values


def _not_this_integer(param: str, value: Any, code: str) -> RefusalError:
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        message = f"Invalid integer: {value}"
    elif code == "invalid_time":
        message = f"Invalid timestamp: {value} is not a plausible number of seconds"
    elif int(value) < 1:
        message = "This value must be greater than or equal to 1."
    else:
        most = "100" if param == "limit" else "1000000000000000"
        message = f"This value must be less than or equal to {most} (it currently is '{value}')."
    return invalid(message, param, "parameter_invalid_integer")


def _wrong_shape(param: str, value: Any) -> str:
    if not isinstance(value, str):
        return "Invalid string"
    return "Invalid array" if param == "expand" else "Invalid object"
