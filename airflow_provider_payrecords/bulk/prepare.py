"""Rows to what is sent: the stamped command, its bytes, and what the ledger needs to know of it."""

from __future__ import annotations

from typing import NamedTuple

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.entry import Entry, Intent, Scope
from airflow_provider_payrecords.core.identity import (
    check_key,
    check_source,
    fingerprint,
    idempotency_key,
    idempotency_key_of,
    stamp,
)
from airflow_provider_payrecords.core.replay import is_asked_for
from airflow_provider_payrecords.core.shape import Draft
from airflow_provider_payrecords.core.wire import ApiRequest, encode
from airflow_provider_payrecords.extract import Row


class Prepared(NamedTuple):
    """
    A payment ready to be claimed and sent.

    Attributes:
        order: Position in the extract, counted from 0 without gaps.
        row_number: Number of its row, as a person counts it.
    """

    order: int
    row_number: int
    content: Command | Draft
    request: ApiRequest
    intent: Intent

    def claimed_as(self, entry: Entry) -> Prepared:
        """Return it as its claim says: under the key of *entry*, and as a replay if somebody asked for one."""
        key, replay = entry.idempotency_key, self.intent.replay or is_asked_for(entry)
        if key == self.intent.idempotency_key and replay == self.intent.replay:
            return self
        request = self.request._replace(idempotency_key=key)
        return self._replace(request=request, intent=self.intent._replace(idempotency_key=key, replay=replay))


def prepare(
    command: Command,
    scope: Scope,
    key: str,
    *,
    stamped: bool,
    replay: bool = False,
    order: int = 0,
    row_number: int = 0,
) -> Prepared:
    """
    Return *command* ready to be sent under *key*.

    Raises:
        CommandError: The key cannot be a row key, or the metadata has no room for the stamps.
    """
    check_key(key)
    sent = stamp(command, scope.source, key) if stamped else command
    idempotency = idempotency_key(scope, key, sent)
    amount = command.money()
    return Prepared(
        order=order,
        row_number=row_number,
        content=sent,
        request=encode(sent, idempotency),
        intent=Intent(
            key=key,
            fingerprint=fingerprint(command),
            idempotency_key=idempotency,
            amount_minor=amount.value if amount else None,
            currency=amount.currency if amount else None,
            replay=replay,
        ),
    )


def prepare_row(row: Row, scope: Scope, *, stamped: bool, replay: bool = False, order: int = 0) -> Prepared:
    """
    Return *row* ready to be sent: what ``prepare`` makes of its command, from what its draft knows already.

    Raises:
        CommandError: The key cannot be a row key, or the metadata has no room for the stamps.
    """
    if not isinstance(row.content, Draft):
        return prepare(row.content, scope, row.key, stamped=stamped, replay=replay, order=order, row_number=row.number)
    check_key(row.key)
    check_source(scope.source)
    draft = row.content.stamped(scope.source, row.key) if stamped else row.content
    key = idempotency_key_of(scope, row.key, draft.body())
    amount_minor, currency = row.money
    intent = Intent(row.key, row.fingerprint, key, amount_minor, currency, replay)
    return Prepared(order, row.number, draft, draft.request(key), intent)
