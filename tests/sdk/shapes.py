"""What a request may look like, read off two independent sources and written down alike: our models, SDK types."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import stripe
import typing_extensions
from pydantic import BaseModel, TypeAdapter, ValidationError
from stripe._request_options import RequestOptions

INTEGER, TEXT, LIST_OF_TEXT, MAP_OF_TEXT = "integer", "text", "list of text", "map of text"


@dataclass(frozen=True)
class Field:
    """
    One field of a request.

    Attributes:
        required: It must be there whenever its parent is.
        clearable: An empty string in its place erases the value.
        kind: One of the words above, the values of an enumeration, or the fields of a hash.
    """

    required: bool
    clearable: bool
    kind: Any


Shape = dict[str, Field]


def shape_of_model(model: type[BaseModel], without: str | None = None) -> Shape:
    """Return the shape of one of our parameter objects."""
    hints, rules = get_type_hints(model), get_type_hints(model, include_extras=True)
    return {
        name: replace(_field(field.is_required(), hints[name]), clearable=_takes_empty_text(rules[name]))
        for name, field in model.model_fields.items()
        if name != without
    }


def shape_of_sdk(params: Any) -> Shape:
    """Return the shape of a ``TypedDict`` of the SDK, the options of every request left out."""
    hints = typing_extensions.get_type_hints(
        params, localns={"StripeContext": stripe.StripeContext, "Mapping": Mapping}, include_extras=True
    )
    options = RequestOptions.__annotations__ if set(RequestOptions.__annotations__) <= set(hints) else {}
    shape = {}
    for name, hint in hints.items():
        if name not in options:
            optional = str(get_origin(hint)).endswith("NotRequired")
            shape[name] = _field(not optional, get_args(hint)[0] if optional else hint)
    return shape


def _takes_empty_text(rule: Any) -> bool:
    try:
        return bool(TypeAdapter(rule).validate_python("") == "")
    except ValidationError:
        return False


def _field(required: bool, hint: Any) -> Field:
    parts = [part for part in _alternatives(hint) if part is not type(None)]
    words = {value for part in parts if get_origin(part) is Literal for value in get_args(part)}
    others = [part for part in parts if get_origin(part) is not Literal]
    return Field(required, "" in words, frozenset(words - {""}) or _kind(others))


def _alternatives(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        return [part for inner in get_args(hint) for part in _alternatives(inner)]
    return [hint]


def _kind(alternatives: list[Any]) -> Any:
    first = alternatives[0]
    if isinstance(first, type) and issubclass(first, BaseModel):
        return shape_of_model(first)
    if typing_extensions.is_typeddict(first):
        return shape_of_sdk(first)
    return {int: INTEGER, str: TEXT, list[str]: LIST_OF_TEXT, dict[str, str]: MAP_OF_TEXT}[_builtin(first)]


def _builtin(hint: Any) -> Any:
    origin = get_origin(hint)
    return origin[get_args(hint)] if origin in (list, dict) else hint
