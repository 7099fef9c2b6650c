"""
Nested values to form pairs and bytes, and back.

Encoding follows the official SDKs: brackets are literal, spaces become ``+``, text is UTF-8, ``None`` and empty
collections are left out, the empty string stays as a request to clear. Decoding follows Rack, as the API's own server
does: brackets make mappings, ``[]`` and numeric indices make lists, the last of repeated scalar keys wins.

Source:
    https://docs.stripe.com/api (request bodies); encoding measured on stripe-python 16.1.0
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus

Pair = tuple[str, str]

_SAFE_IN_NAMES = "[]"


def flatten(params: Mapping[str, Any]) -> Iterator[Pair]:
    """
    Yield the form pairs of *params* in their order.

    Args:
        params: Strings, integers, booleans, None, and mappings or lists of them.

    Raises:
        TypeError: A value of another type; floats are refused, since no field of this API is one.
    """
    for name, value in params.items():
        yield from _flatten(name, value)


def _flatten(name: str, value: Any) -> Iterator[Pair]:
    if value is None:
        return
    if isinstance(value, Mapping):
        for child, inner in value.items():
            yield from _flatten(f"{name}[{child}]", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _flatten(f"{name}[{index}]", inner)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, int):
        yield name, str(int(value))
    elif isinstance(value, str):
        yield name, value
    else:
        raise TypeError(f"{name}: a {type(value).__name__} has no form encoding here")


def encode_pairs(pairs: Iterable[Pair]) -> bytes:
    """Return *pairs* as ``application/x-www-form-urlencoded`` bytes."""
    return "&".join(f"{quote_plus(name, safe=_SAFE_IN_NAMES)}={quote_plus(value)}" for name, value in pairs).encode()


def encode_form(params: Mapping[str, Any]) -> bytes:
    """Return *params* as ``application/x-www-form-urlencoded`` bytes."""
    return encode_pairs(flatten(params))


def parse_pairs(body: bytes | str) -> list[Pair]:
    """
    Split a form body or query string into pairs, blank values kept.

    Raises:
        ValueError: The bytes are not UTF-8 once decoded.
    """
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    return parse_qsl(text, keep_blank_values=True, strict_parsing=False, errors="strict")


def decode_pairs(pairs: Iterable[Pair]) -> dict[str, Any]:
    """
    Nest *pairs* by their bracketed names.

    Returns:
        Mappings, lists and strings. ``a[b]=1`` → ``{"a": {"b": "1"}}``; ``a[]=1&a[]=2`` and ``a[0]=1&a[1]=2`` →
        ``{"a": ["1", "2"]}``.

    Raises:
        ValueError: A name is malformed, or used both as a value and as a mapping.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        _insert(root, _split_name(name), value, name)
    return {key: _with_lists(value) for key, value in root.items()}


def decode_form(body: bytes | str) -> dict[str, Any]:
    """Return the nested value of a form body. The inverse of ``encode_form`` for strings."""
    return decode_pairs(parse_pairs(body))


def _split_name(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not head or (bracket and not rest.endswith("]")):
        raise ValueError(f"Malformed parameter name: {name}")
    return [head, *rest[:-1].split("][")] if bracket else [head]


def _insert(root: dict[str, Any], path: list[str], value: str, name: str) -> None:
    node = root
    for part in path[:-1]:
        key = str(len(node)) if part == "" else part
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ValueError(f"Parameter used both as a value and as a hash: {name}")
        node = child
    last = str(len(node)) if path[-1] == "" else path[-1]
    if isinstance(node.get(last), dict):
        raise ValueError(f"Parameter used both as a value and as a hash: {name}")
    node[last] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _with_lists(inner) for key, inner in value.items()}
    indices = [str(index) for index in range(len(items))]
    return [items[index] for index in indices] if items and all(index in items for index in indices) else items
