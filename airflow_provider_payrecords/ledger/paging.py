"""Pages of entries: in which order they come, and where one ends, as text that a link can carry."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.ledger.store import NOTABLE, Page, Selection

MAX_REASONS = 1_000
"""Reasons of a run that are listed."""


class Cursor(NamedTuple):
    """The last entry of a page, by what pages are ordered by."""

    state: str
    account: str
    mode: str
    endpoint: str
    source: str
    key: str


def cursor_of(entry: Entry) -> Cursor:
    """Return where *entry* stands."""
    scope = entry.scope
    return Cursor(entry.state.value, scope.account, scope.mode, scope.endpoint, scope.source, entry.key)


def to_link(cursor: Cursor) -> str:
    """Write *cursor* as text."""
    return urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode()


def from_link(link: str) -> Cursor:
    """
    Return what ``to_link`` wrote.

    Raises:
        UsageError: It did not write this.
    """
    try:
        found = json.loads(urlsafe_b64decode(link.encode()))
    except (ValueError, RecursionError):
        found = None
    if not (isinstance(found, list) and len(found) == len(Cursor._fields) and all(map(is_storable, found))):
        raise UsageError("This is not the end of a page of the ledger. Begin with the first page again.")
    return Cursor(*found)


def paged_states(selection: Selection) -> list[str]:
    """
    Return the states of a page, in order.

    Raises:
        UsageError: One of them is not to be had in pages.
    """
    wanted = NOTABLE if selection.states is None else selection.states
    if others := wanted - NOTABLE:
        names = ", ".join(sorted(state.value for state in others))
        raise UsageError(f"Entries that are {names} are not listed in pages. Search for a key, or export them.")
    return sorted(state.value for state in wanted)


def page_of(found: list[Entry], limit: int) -> Page:
    """Return the first *limit* of what was *found*, which is one more if there is another page."""
    entries = found[:limit]
    return Page(entries, to_link(cursor_of(entries[-1])) if len(found) > limit else None)


def is_storable(text: object) -> bool:
    """Return whether a ledger can hold *text*, and so may be asked for it: PostgreSQL knows no NUL."""
    return isinstance(text, str) and "\0" not in text
