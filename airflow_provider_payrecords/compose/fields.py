"""
The fields of a command as people read and write them, taken from the command's own model.

One walk serves ``payrecords schema``, which shows the fields, ``payrecords request``, which reads ``field=value`` words
by them, and the page that draws a form of them.
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
    """A field's type in a word, its limits in a few, and its longest text."""

    name: str
    limits: str = ""
    max_length: int | None = None


ERASES = "empty erases it"
_KINDS: tuple[tuple[Any, Kind], ...] = (
    (parameters.Text, Kind("string", f"1 to {parameters.MAX_TEXT} characters", parameters.MAX_TEXT)),
    (
        parameters.ClearableText,
        Kind("string", f"up to {parameters.MAX_TEXT} characters; {ERASES}", parameters.MAX_TEXT),
    ),
    (parameters.Email, Kind("string", f"1 to {parameters.MAX_EMAIL} characters", parameters.MAX_EMAIL)),
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
_ABOUT = {
    "currency": "Currency of the amount.",
    "value": "The amount.",
    "initiated_at": "When it was started at the processor.",
    "outcome": "What became of it. Without an outcome the attempt stays pending.",
    "canceled_at": "When the attempt was canceled.",
    "failed_at": "When the attempt failed.",
    "guaranteed_at": "When the processor promised the money.",
    "refunded_at": "When the refund finished.",
    "description": "Text about the payment, for people.",
    "metadata": "Names and values of your own, kept with the record.",
    "customer_presence": "Whether the buyer was present in checkout.",
    "customer": "Existing customer of the same mode, such as cus_123.",
    "email": "E-mail address.",
    "name": "Full name.",
    "phone": "Phone number.",
    "city": "City, town or village.",
    "country": "Two letters, ISO 3166-1, such as NL.",
    "line1": "Street and number.",
    "line2": "Flat, suite or building.",
    "postal_code": "Postal code.",
    "state": "State or province, ISO 3166-2 where it applies.",
    "display_name": "Label of the method, such as iDEAL.",
    "custom.type": "Custom payment method type of the Dashboard, such as cpmt_123.",
    "type": "Anything outside Stripe is custom.",
    "payment_method": "A payment method of Stripe, such as pm_123.",
    "payment_reference": "What the processor calls the payment: a cheque number, the reference of a transfer.",
    "refund_reference": "What the processor calls the refund. Give each refund its own.",
    "payment_record": "Id of the record, such as pr_123.",
    "payment_attempt_record": "Id of the attempt, such as par_123.",
    "payment_intent": "Id of a payment intent, such as pi_123.",
    "invoice": "Id of the invoice, such as in_123.",
    "limit": "Objects on one page.",
    "starting_after": "The page begins after the object of this id.",
    "ending_before": "The page ends before the object of this id.",
    "created_after": "Only records made after this.",
    "created_before": "Only records made before this.",
    "expand": "Properties of the answer to return as whole objects.",
}
"""What a field means, by its name, or by its hash and name where the name alone says less."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """
    One field of a command.

    Attributes:
        path: Dotted, as mappings and ``request`` spell it.
        type: ``string``, ``id``, ``currency``, ``integer``, ``timestamp``, ``enum``, ``list``, ``map`` or ``hash``.
        required: ``always``, ``in its hash`` where an optional hash needs it, or ``no``.
        choices: The values of an enum.
        note: What it means.
        max_length: Characters of a text, at most.
    """

    path: str
    type: str
    required: str
    limits: str = ""
    choices: tuple[str, ...] = ()
    note: str = ""
    max_length: int | None = None


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
        put(merged, path, _read(types.get(path, "string"), path, text))
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
        erasable = ERASES if hint == parameters.ClearableShippingDetails | None else ""
        yield FieldInfo(path, "hash", required, erasable, note=summary_of(inner))
        yield from _walk(inner, f"{path}.", optional=optional or not needed)


def summary_of(model: type[Parameter]) -> str:
    """Return what the model's docstring says, without its sources, as one line of plain text."""
    text = inspect.cleandoc(model.__doc__ or "").split("\n\nSource:")[0]
    return " ".join(text.split()).replace("``", "")


def reference_of(command: type[Command]) -> str | None:
    """Return the address of the page of Stripe's reference that the command follows."""
    found = re.search(r"https://\S+", inspect.cleandoc(command.__doc__ or "").partition("Source:")[2])
    return found[0] if found else None


def _leaf(model: type[Parameter], name: str, path: str, hint: Any, required: str) -> FieldInfo:
    note = _ABOUT.get(".".join(path.split(".")[-2:]), _ABOUT[name])
    choices = _choices(hint)
    if choices:
        return FieldInfo(path, "enum", required, choices=choices, note=note)
    kind = next(kind for known, kind in _KINDS if hint in (known, known | None))
    bounds = {type(one).__name__: one for one in model.model_fields[name].metadata}
    limits = f"{bounds['Ge'].ge} to {bounds['Le'].le}" if {"Ge", "Le"} <= bounds.keys() else kind.limits
    if path.endswith("value") and kind.name == "integer":
        limits = _AMOUNT_LIMITS
    return FieldInfo(path, kind.name, required, limits, note=note, max_length=kind.max_length)


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


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Put *value* at a dotted *path* into nested *values*; a list is added to the one that is there."""
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
