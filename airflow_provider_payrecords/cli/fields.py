"""
The fields of a command as people read and write them, taken from the command's own model.

One walk serves both ``schema``, which shows the fields, and ``request``, which reads ``field=value`` words by them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple, get_args, get_origin, get_type_hints

from airflow_provider_payrecords.core import parameters
from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.parameters import Parameter


class Kind(NamedTuple):
    """A field's type in a word, and its limits in a few."""

    name: str
    limits: str = ""


_KINDS: tuple[tuple[Any, Kind], ...] = (
    (parameters.Text, Kind("string", f"1 to {parameters.MAX_TEXT} characters")),
    (parameters.ClearableText, Kind("string", f"up to {parameters.MAX_TEXT} characters; empty erases it")),
    (parameters.Email, Kind("string", f"1 to {parameters.MAX_EMAIL} characters")),
    (parameters.UnlimitedText, Kind("string", "not empty")),
    (parameters.Identifier, Kind("id", "letters, digits and _; goes into the path")),
    (parameters.Currency, Kind("currency", "ISO 4217, such as eur")),
    (parameters.Integer, Kind("integer")),
    (parameters.EpochSeconds, Kind("timestamp", "Unix seconds")),
    (parameters.Expand, Kind("list", "up to four levels deep")),
    (
        parameters.Metadata,
        Kind(
            "map",
            f"up to {parameters.MAX_METADATA_ENTRIES} entries, keys up to {parameters.MAX_METADATA_KEY}, values up to "
            f"{parameters.MAX_METADATA_VALUE} characters; empty removes",
        ),
    ),
)
_AMOUNT_LIMITS = "minor units, at least 1"
_EXPAND_NOTE = "Properties of the answer to return as whole objects."


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """
    One field of a command.

    Attributes:
        path: Dotted, as mappings and ``request`` spell it.
        type: ``string``, ``id``, ``currency``, ``integer``, ``timestamp``, ``enum``, ``list``, ``map`` or ``hash``.
        required: ``always``, ``in its hash`` where an optional hash needs it, or ``no``.
        choices: The values of an enum.
    """

    path: str
    type: str
    required: str
    limits: str = ""
    choices: tuple[str, ...] = ()
    note: str = ""


def fields_of(command: type[Command]) -> list[FieldInfo]:
    """Return all fields of *command*, each hash before what is in it; required ones come first."""
    return list(_walk(command, "", optional=False))


def read_words(command: type[Command], words: Sequence[str], values: dict[str, Any]) -> dict[str, Any]:
    """
    Return *values* with ``field=value`` words put in, each read by the type of its field.

    Args:
        words: Dotted paths and text; ``expand`` may come several times. A time is Unix seconds, or ISO 8601 with a
            zone.

    Raises:
        UsageError: A word has no ``=``, or a number or time cannot be read.
    """
    types = {field.path: field.type for field in fields_of(command)}
    merged = dict(values)
    for word in words:
        path, equals, text = word.partition("=")
        if not equals or not path:
            raise UsageError(f"{path or word!r} is not field=value. Write one such as initiated_at=1750000000.")
        _put(merged, path, _read(types.get(path, "string"), path, text))
    return merged


def _walk(model: type[Parameter], prefix: str, *, optional: bool) -> Iterator[FieldInfo]:
    hints = get_type_hints(model, include_extras=True)
    known = [(name, hints[name]) for name in model.model_fields if get_origin(hints[name]) is not ClassVar]
    for name, hint in sorted(known, key=lambda one: not model.model_fields[one[0]].is_required()):
        path = f"{prefix}{name}"
        needed = model.model_fields[name].is_required()
        required = "no" if not needed else "in its hash" if optional else "always"
        inner = _model_in(hint)
        if inner is None:
            yield _leaf(model, name, path, hint, required)
            continue
        erasable = "empty erases it" if hint == parameters.ClearableShippingDetails | None else ""
        yield FieldInfo(path, "hash", required, erasable, note=summary_of(inner))
        yield from _walk(inner, f"{path}.", optional=optional or not needed)


def summary_of(model: type[Parameter]) -> str:
    """Return what the model's docstring says, without its sources, as one line of plain text."""
    text = inspect.cleandoc(model.__doc__ or "").split("\n\nSource:")[0]
    return " ".join(text.split()).replace("``", "")


def _leaf(model: type[Parameter], name: str, path: str, hint: Any, required: str) -> FieldInfo:
    choices = _choices(hint)
    if choices:
        return FieldInfo(path, "enum", required, choices=choices)
    kind = next(kind for known, kind in _KINDS if hint in (known, known | None))
    bounds = {type(one).__name__: one for one in model.model_fields[name].metadata}
    limits = f"{bounds['Ge'].ge} to {bounds['Le'].le}" if {"Ge", "Le"} <= bounds.keys() else kind.limits
    if path.endswith("value") and kind.name == "integer":
        limits = _AMOUNT_LIMITS
    return FieldInfo(path, kind.name, required, limits, note=_EXPAND_NOTE if kind.name == "list" else "")


def _model_in(hint: Any) -> type[Parameter] | None:
    if isinstance(hint, type) and issubclass(hint, Parameter):
        return hint
    return next((found for part in get_args(hint) if (found := _model_in(part)) is not None), None)


def _choices(hint: Any) -> tuple[str, ...]:
    parts = (hint, *get_args(hint))
    return next((get_args(part) for part in parts if get_origin(part) is Literal), ())


def _read(kind: str, path: str, text: str) -> Any:
    if kind == "list":
        return [text]
    if kind not in ("integer", "timestamp"):
        return text
    if re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    if kind == "timestamp":
        return _instant(path, text)
    raise UsageError(f"{path} takes a whole number; amounts are in minor units, such as 4950 for 49.50.")


def _instant(path: str, text: str) -> int:
    try:
        # Python 3.10 does not read the Z.
        instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsageError(f"{path} takes Unix seconds, or a time with its zone such as 2026-11-23T10:00:00+01:00.")
    return int(instant.timestamp())


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    node = values
    *parents, last = _split(path)
    for part in parents:
        child = node.get(part)
        node[part] = child = dict(child) if isinstance(child, dict) else {}
        node = child
    known = node.get(last)
    node[last] = [*known, *value] if isinstance(value, list) and isinstance(known, list) else value


def _split(path: str) -> list[str]:
    """Split a dotted path; the keys of metadata may have dots themselves."""
    head, dot, rest = path.partition(".")
    return [head, rest] if head == "metadata" and dot else path.split(".")
