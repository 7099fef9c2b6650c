"""
Who a payment is: the same row with the same content has the same idempotency key, on any machine, for ever.

Two hashes, because they answer two questions. The *fingerprint* covers what the user reports, and tells whether a row
changed. The *idempotency key* covers the very body that is sent, our own stamps included, because the API refuses a
known key with another body.
"""

from __future__ import annotations

import hashlib
from typing import Any

from airflow_provider_payrecords.core.commands import Command, CommandT, ReportPayment
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.form import Pair, encode_pairs, flatten
from airflow_provider_payrecords.core.parameters import MAX_METADATA_ENTRIES, MAX_METADATA_VALUE

KEY_STAMP = "payrecords_key"
SOURCE_STAMP = "payrecords_source"
STAMPS = frozenset({KEY_STAMP, SOURCE_STAMP})
"""Metadata entries that every reported payment carries, so that its record can be found from the API's side alone."""
_STAMP_NAMES = frozenset(f"metadata[{name}]" for name in STAMPS)

DEFAULT_SOURCE = "default"
"""Namespace of row keys where the user names none."""


def canonical_body(command: Command) -> bytes:
    """Return the command's path and form, in an order that does not depend on how it was written."""
    return _canonical(command, sorted(flatten(command.params())))


def fingerprint(command: Command) -> str:
    """Return 32 hex digits of what the user reports: our stamps and ``expand`` are left out."""
    pairs = sorted(pair for pair in flatten(command.params()) if is_reported(pair[0]))
    return fingerprint_of(_canonical(command, pairs))


def is_reported(name: str) -> bool:
    """Return whether the form pair *name* is the user's, and so part of the fingerprint."""
    return name not in _STAMP_NAMES and not name.startswith("expand[")


def fingerprint_of(body: bytes) -> str:
    """Return the fingerprint of a canonical body that holds only what the user reports."""
    return _digest(body)


def idempotency_key(scope: Scope, key: str, command: Command) -> str:
    """
    Return ``payrecords-`` and 48 hex digits of scope, row key and the canonical body.

    Raises:
        CommandError: *key* or the scope's source is empty or too long to be found again.
    """
    check_key(key)
    check_source(scope.source)
    return idempotency_key_of(scope, key, canonical_body(command))


def idempotency_key_of(scope: Scope, key: str, body: bytes) -> str:
    """Return the idempotency key of a canonical body, of a row key and a source that were checked."""
    identity = "\x00".join((scope.account, scope.mode, scope.endpoint, scope.source, key)).encode()
    return f"payrecords-{_digest(identity + bytes(1) + body, length=48)}"


def unkeyed_idempotency_key(account: str, mode: str, command: Command) -> str:
    """Return the key for a command sent without a row key: the same content gives the same key."""
    scope = Scope(account=account, mode=mode, endpoint=command.endpoint, source=DEFAULT_SOURCE)
    return idempotency_key(scope, "content", command)


def check_key(key: str) -> None:
    """
    Check that *key* can be a row key.

    Raises:
        CommandError: Empty, longer than a metadata value may be, or with control characters.
    """
    if not _is_label(key):
        raise _invalid(
            "key",
            "invalid_key",
            f"A row key has 1 to {MAX_METADATA_VALUE} printable characters. Choose a column that names the payment.",
        )


def check_source(source: str) -> None:
    """
    Check that *source* can be a namespace of row keys.

    Raises:
        CommandError: Empty, longer than a metadata value may be, or with control characters.
    """
    if not _is_label(source):
        raise _invalid(
            "source",
            "invalid_source",
            f"A source has 1 to {MAX_METADATA_VALUE} printable characters, such as adyen-eu.",
        )


def stamp(command: CommandT, source: str, key: str) -> CommandT:
    """
    Return a reported payment with its row key and source in the metadata; any other command as it is.

    Calls on an existing record are not stamped: their metadata is merged into the record, and would overwrite the
    stamp that names the payment.

    Raises:
        CommandError: The metadata has no room for two entries, or uses their names; or one of them cannot be sent.
    """
    if not isinstance(command, ReportPayment):
        return command
    check_key(key)
    check_source(source)
    metadata: dict[str, Any] = dict(command.metadata) if isinstance(command.metadata, dict) else {}
    if STAMPS & metadata.keys():
        raise _invalid("metadata", "invalid_metadata", f"{KEY_STAMP} and {SOURCE_STAMP} are set by this package.")
    if len(metadata) + len(STAMPS) > MAX_METADATA_ENTRIES:
        raise _invalid(
            "metadata",
            "invalid_metadata",
            f"Metadata takes {MAX_METADATA_ENTRIES} entries, and {len(STAMPS)} of them are used to find the record "
            "again. Leave some out, or turn the stamps off.",
        )
    return command.model_copy(update={"metadata": {**metadata, KEY_STAMP: key, SOURCE_STAMP: source}})


def _invalid(field: str, code: str, message: str) -> CommandError:
    return CommandError(f"{field}: {message}", problems=[{"field": field, "code": code, "message": message}])


def _is_label(text: str) -> bool:
    return 1 <= len(text) <= MAX_METADATA_VALUE and text.isprintable()


def _canonical(command: Command, pairs: list[Pair]) -> bytes:
    return command.url_path().encode() + b"\n" + encode_pairs(pairs)


def _digest(data: bytes, length: int = 32) -> str:
    return hashlib.sha256(data).hexdigest()[:length]
