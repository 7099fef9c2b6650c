"""
What a person entered into a form, as the values of a command: major units to minor ones, local times to instants.

The rules and the messages are those of extracts and commands. Nothing is guessed: a time needs its zone, and an amount
no more decimals than its currency has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from airflow_provider_payrecords.compose.fields import FieldInfo, fields_of, put
from airflow_provider_payrecords.core.commands import Command, build
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.money import MoneyError, to_minor_units
from airflow_provider_payrecords.extract.cell import CellError
from airflow_provider_payrecords.extract.instant import check_timezone, instant_reader

Problem = dict[str, str]
"""``field`` (dotted path), ``code`` and ``message``, as in ``CommandError.problems``."""
ERASE = {"erase": True}
"""Entry that asks to erase what the record has."""


@dataclass(frozen=True, slots=True)
class Composed:
    """
    What came of the entries of a form.

    Attributes:
        command: The call, or None where something is wrong.
        values: Fields as far as they could be read, nested as the API nests them.
        shown: What amounts and times were taken for, by path.
    """

    command: Command | None
    values: dict[str, Any]
    problems: list[Problem]
    shown: dict[str, str]


def read_entries(command: type[Command], entries: Mapping[str, Any]) -> Composed:
    """
    Return the call that the entries of a form make, or everything that is wrong with them.

    Args:
        entries: By dotted path. Text, of which an empty one is no entry; ``{"amount", "currency"}`` in major units;
            ``{"time", "zone"}``; a list of texts; a list of pairs for metadata; ``ERASE``.
    """
    reading = _Reading({info.path: info for info in fields_of(command)})
    for path, entry in entries.items():
        reading.take(path, entry)
    reading.fill_in_what_has_one_value()
    try:
        made = build(command, reading.values)
    except CommandError as error:
        reading.problems += [one for one in error.problems if not reading.is_told(one["field"])]
        made = None
    return Composed(None if reading.problems else made, reading.values, reading.problems, reading.shown)


@dataclass
class _Reading:
    infos: dict[str, FieldInfo]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)

    def take(self, path: str, entry: Any) -> None:
        """Put one entry into the values, or note its problem."""
        if entry in ("", None, [], {}):
            return
        if entry == ERASE:
            put(self.values, path, "")
            return
        info = self.infos.get(path)
        read = _READERS.get(info.type, _text) if info else _text
        try:
            value, shown = read(entry)
        except (MoneyError, CellError, _EntryError) as error:
            code = "invalid_value" if isinstance(error, _EntryError) else error.code
            self.problems.append({"field": path, "code": code, "message": _sentence(_message(error))})
            return
        if value is not None:
            put(self.values, path, value)
            self.shown.update({path: shown} if shown else {})

    def fill_in_what_has_one_value(self) -> None:
        """Fill in ``type: custom`` and its like, where the call or the rest of their hash asks for them."""
        for path, info in self.infos.items():
            is_asked_for = info.required == "always" or (
                info.required != "no" and bool(_at(self.values, path.rpartition(".")[0]))
            )
            if len(info.choices) == 1 and is_asked_for and _at(self.values, path) is None:
                put(self.values, path, info.choices[0])

    def is_told(self, path: str) -> bool:
        """Return whether a problem of the same field was noted: what could not be read is also missing."""
        return any(path == one["field"] or path.startswith(f"{one['field']}.") for one in self.problems)


class _EntryError(ValueError):
    """An entry that is not what its control gives."""


Read = tuple[Any, str]
"""The value, and what it was taken for, or nothing."""


def _text(entry: Any) -> Read:
    if not isinstance(entry, str):
        raise _EntryError("Send text.")
    return entry, ""


def _integer(entry: Any) -> Read:
    text, _ = _text(entry)
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise _EntryError("Send a whole number.")
    return int(text), ""


def _amount(entry: Any) -> Read:
    amount, currency = _parts(entry, "amount", "currency")
    if not amount and not currency:
        return None, ""
    if not amount or not currency:
        raise _EntryError("An amount needs a number and a currency.")
    minor = to_minor_units(amount.strip(), currency)
    return {"value": minor, "currency": currency.lower()}, f"{minor:,} minor units of {currency.upper()}"


def _time(entry: Any) -> Read:
    text, zone = _parts(entry, "time", "zone")
    if not text:
        return None, ""
    try:
        read = instant_reader(check_timezone(zone) if zone else None, None)
    except ValueError as error:
        raise _EntryError(str(error)) from None
    epoch = read(text)
    return epoch, f"{epoch} = {datetime.fromtimestamp(epoch, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _list(entry: Any) -> Read:
    if not isinstance(entry, list):
        raise _EntryError("Send a list of texts.")
    return [text for text in entry if text != ""] or None, ""


def _map(entry: Any) -> Read:
    if not isinstance(entry, list) or not all(map(_is_pair, entry)):
        raise _EntryError("Send names and values.")
    named = [(name, value) for name, value in entry if name or value]
    if len({name for name, _ in named}) != len(named):
        raise _EntryError("A name is there twice.")
    return dict(named) or None, ""


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)


def _parts(entry: Any, *names: str) -> list[str]:
    if not isinstance(entry, Mapping) or any(not isinstance(entry.get(name, ""), str) for name in names):
        raise _EntryError(f"Send {' and '.join(names)}, as text.")
    return [entry.get(name, "") for name in names]


_READERS: dict[str, Callable[[Any], Read]] = {
    "integer": _integer,
    "hash": _amount,
    "timestamp": _time,
    "list": _list,
    "map": _map,
}


def _message(error: Exception) -> str:
    return error.message if isinstance(error, CommandError) else str(error)


def _sentence(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def _at(values: Mapping[str, Any], path: str) -> Any:
    node: Any = values
    for part in path.split(".") if path else ():
        node = node.get(part) if isinstance(node, Mapping) else None
    return node
