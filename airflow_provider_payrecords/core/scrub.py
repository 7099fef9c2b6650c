"""
What may be repeated of an API's message: no key, no e-mail address, nothing personal that was sent with the command.

Servers echo what they refuse, in whatever spelling their code prints it. What is searched for here is known, so this is
no guessing at what looks personal; a part of a text that was cut out of its middle is the one echo that passes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.identity import STAMPS

MAX_MESSAGE = 300
"""Characters of an API message that are kept."""

_PERSONAL = ("customer_details", "shipping_details", "description", "metadata")
_WORD_BY_WORD = frozenset({"name", "line1", "line2", "city", "postal_code"})
_SHORTEST = 2
_SHORT = 4
_HEAD = 16
_PHONE_DIGITS = 7
# The look behind tries each word once: an API's message may be one word of a million letters.
_EMAIL = re.compile(r"(?<![^\s'\"<>()\[\]:,;])[^\s'\"<>()\[\]:,;]+(?:@|%40)[^\s'\"<>()\[\]:,;]+")
# As far as a quote or bracket around it: a key, whole or masked by its server, holds none of them.
_KEY = re.compile(r"(?:sk|rk|pk)_(?:test|live)_[^\s'\"`<>()\[\]{},;\\]+")
_DIGITS = re.compile(r"\d(?:[\s().+/-]{0,3}\d){6,}")
_HIDDEN = "[hidden]"


def scrub(text: str, command: Command) -> str:
    """Return an API message on one line, without keys, e-mail addresses and the personal values of *command*."""
    text = " ".join(_KEY.sub(_HIDDEN, text).split())
    values = list(_personal_values(command))
    for literal in sorted(set(_literals(values)), key=len, reverse=True):
        text = _hide(literal, text)
    text = _hide_phones([value for name, value in values if name == "phone"], _EMAIL.sub(_HIDDEN, text))
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _personal_values(command: Command) -> Iterator[tuple[str, str]]:
    params = command.params()
    method = params.get("payment_method_details")
    billing = method.get("billing_details") if isinstance(method, Mapping) else None
    for name, part in (*((name, params.get(name)) for name in _PERSONAL), ("billing_details", billing)):
        yield from _leaves(name, part)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for child, inner in value.items():
            if child not in STAMPS:
                yield from _leaves(child, inner)
    elif isinstance(value, str):
        yield name, value


def _literals(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in values:
        for spelling in _spellings(value):
            whole = " ".join(spelling.split())
            if len(whole) >= _SHORTEST:
                yield whole
        if name in _WORD_BY_WORD:
            yield from re.findall(r"\w{3,}", value)


def _spellings(value: str) -> tuple[str, ...]:
    return (
        value,
        escape(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        quote(value, safe=""),
        quote_plus(value),
    )


def _hide(literal: str, text: str) -> str:
    if literal.lower() in text.lower():
        short = len(literal) < _SHORT
        pattern = rf"(?<!\w){re.escape(literal)}(?!\w)" if short else re.escape(literal)
        text = re.sub(pattern, _HIDDEN, text, flags=re.IGNORECASE)
    if len(literal) <= _HEAD:
        return text
    # An echo that the server cut short: nothing after its beginning can be told from the value.
    start = text.lower().find(literal[:_HEAD].lower())
    return text if start < 0 else text[:start] + _HIDDEN


def _hide_phones(phones: Iterable[str], text: str) -> str:
    ends = {digits[-_PHONE_DIGITS:] for digits in map(_digits, phones) if len(digits) >= _PHONE_DIGITS}
    return _DIGITS.sub(lambda found: _HIDDEN if _digits(found[0])[-_PHONE_DIGITS:] in ends else found[0], text)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
