"""The request fields an extract can fill, read off the commands, and what kind of value each takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.core.parameters import Amount

ENDPOINTS = tuple(name for name in COMMANDS if name.startswith("report_"))
"""The calls that can be made for each row of an extract."""

REFERENCES = {
    "report_payment": "processor_details.custom.payment_reference",
    "report_refund": "processor_details.custom.refund_reference",
}
"""The field that identifies a payment when the mapping names no key."""

METADATA = "metadata"
OUTCOME = "outcome"
RESERVED_METADATA = frozenset({"payrecords_key", "payrecords_source"})
"""Written by this package, so that a record can be found again from Stripe's side."""

_DETAILS = frozenset({"canceled", "failed", "guaranteed", "refunded"})
_MAX_SUGGESTION = 60


class Kind(Enum):
    """How the value of a field is read from a cell."""

    TEXT = "text"
    AMOUNT = "amount"
    CURRENCY = "currency"
    TIME = "time"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Fields:
    """
    The request fields of one endpoint by dotted path.

    Attributes:
        leaves: Fields that take one value, in the order of the command, without single metadata entries.
        objects: Fields that hold others, such as ``amount_requested``.
    """

    leaves: dict[str, Kind]
    objects: frozenset[str]

    def kind(self, path: str) -> Kind | None:
        """Return the kind of the leaf *path*; ``metadata.anything`` is a leaf. None when the API has no such field."""
        if path.startswith(f"{METADATA}.") and METADATA in self.objects:
            return Kind.METADATA
        return self.leaves.get(path)

    def is_known(self, path: str) -> bool:
        """Return whether *path* is a leaf or an object."""
        return path in self.objects or self.kind(path) is not None

    def detail(self, path: str) -> str | None:
        """Return the outcome that *path* belongs to (``failed`` for ``failed.failed_at``), or None."""
        root = path.partition(".")[0]
        return root if root in _DETAILS and root in self.objects else None

    def unknown(self, path: str) -> str:
        """Say that *path* is no request field, with the nearest that is."""
        return f"'{path}' is not a request field of this call.{nearest(path, [*self.leaves, *self.objects])}"


@cache
def request_fields(endpoint: str) -> Fields:
    """Return the fields of *endpoint*, one of ``ENDPOINTS``."""
    found = list(_walk(COMMANDS[endpoint], ""))
    leaves = {path: kind for path, kind in found if kind is not None}
    return Fields(leaves, frozenset(path for path, kind in found if kind is None))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known name most like *name*, or nothing."""
    by_folded = {one.casefold(): one for one in known if len(one) <= _MAX_SUGGESTION}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean '{by_folded[close[0]]}'?" if close else ""


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Kind | None]]:
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        inner = next(_models(info.annotation), None)
        if name == "expand":
            continue
        if inner is not None:
            yield path, None
            yield from _walk(inner, f"{path}.")
        else:
            yield path, _kind(model, name)


def _kind(model: type[BaseModel], name: str) -> Kind | None:
    if name == METADATA:
        return None
    if model is Amount:
        return Kind.AMOUNT if name == "value" else Kind.CURRENCY
    return Kind.TIME if name.endswith("_at") else Kind.TEXT


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
