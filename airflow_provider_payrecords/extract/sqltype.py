"""DuckDB's types: which ones reach Python exactly, which ones go as text, and how nested ones are looked into."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_payrecords.extract.column import Shape

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

_AS_TEXT = frozenset(
    {"timestamp with time zone", "uuid", "time", "time with time zone", "interval", "blob", "bit", "union"}
)
"""Fetched as text: the first needs ``pytz`` in Python, the others mean nothing exact there."""

_GUESSED_FROM_JSON = frozenset(
    {"timestamp", "timestamp with time zone", "timestamp_ns", "timestamp_ms", "timestamp_s", "date", "time", "uuid"}
)
"""What DuckDB makes of JSON text that looks like it. The text itself may carry a zone, so it is kept."""


def quoted_text(text: str) -> str:
    """Return *text* as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """Return *name* as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Type:
    """
    The type of a column.

    Attributes:
        sql: As SQL spells it.
        fields: The types inside a STRUCT.
        has_json: Whether JSON documents are inside, which Python gets as text.
    """

    sql: str
    fields: tuple[tuple[str, Type], ...] = ()
    has_json: bool = False

    @classmethod
    def of(cls, found: DuckDBPyType) -> Type:
        """Return the type *found*, unchanged."""
        return _rebuilt(found, lambda _: None)

    @property
    def shape(self) -> Shape:
        """What the column holds, for looking up a path inside it."""
        return {name: inner.shape for name, inner in self.fields} or None

    def decoder(self) -> Callable[[Any], Any] | None:
        """Return what turns the JSON text inside a fetched value into values, or None if there is none inside."""
        if not self.has_json:
            return None
        if not self.fields:
            return _decode
        decoders = {name: inner.decoder() for name, inner in self.fields}

        def decode(value: Any) -> Any:
            if value is None:
                return None
            return {name: one if (inner := decoders[name]) is None else inner(one) for name, one in value.items()}

        return decode


def loading_type(found: DuckDBPyType) -> Type:
    """Return the type in which a JSON field is loaded: nothing that DuckDB guessed from text."""
    return _rebuilt(found, lambda one: {"null": "JSON"}.get(one, "VARCHAR" if one in _GUESSED_FROM_JSON else None))


def fetching_type(found: DuckDBPyType) -> Type:
    """Return the type in which a column is fetched, so that Python gets it exactly."""
    return _rebuilt(found, lambda one: "VARCHAR" if one in _AS_TEXT else None)


def _rebuilt(found: DuckDBPyType, replace: Callable[[str], str | None]) -> Type:
    kind = found.id
    if kind not in ("struct", "list", "map"):
        sql = replace(kind) or str(found)
        return Type(sql, has_json=sql == "JSON")
    inner = tuple((name, _rebuilt(cast("DuckDBPyType", one), replace)) for name, one in found.children)
    if kind == "struct":
        inside = ", ".join(f"{quoted_name(name)} {one.sql}" for name, one in inner)
        return Type(f"STRUCT({inside})", inner, any(one.has_json for _, one in inner))
    types = [one.sql for _, one in inner]
    return Type(f"MAP({', '.join(types)})" if kind == "map" else f"{types[0]}[]")


def _decode(text: str | None) -> Any:
    return None if text is None else json.loads(text)
