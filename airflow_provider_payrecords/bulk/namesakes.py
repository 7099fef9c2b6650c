"""
An account under a new name: its payments are in the ledger under the old one, and would be recorded a second time.

The name is part of who a payment is, so the ledger cannot tell a renamed account from another one. But another account
does not report the same payments, with the same keys and the same content, from the same source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_payrecords.bulk.prepare import Prepared
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.ledger.store import LedgerStore


def refuse_namesakes(ledger: LedgerStore, scope: Scope) -> Callable[[Iterable[tuple[int, Any]]], None]:
    """
    Return the check of rows that are about to be claimed in *scope*.

    The check raises:
        UsageError: A row of the same key and content is confirmed under another name, and may be this account's.
    """
    others = [replace(scope, account=name) for name in ledger.accounts(scope) if _may_be_one(name, scope.account)]

    def check(rows: Iterable[tuple[int, Any]]) -> None:
        intents = [row.intent for _, row in rows if isinstance(row, Prepared)] if others else []
        content = {intent.key: intent.fingerprint for intent in intents}
        for other in others:
            same = [one.key for one in ledger.confirmed(other, list(content)) if content[one.key] == one.fingerprint]
            if same:
                raise UsageError(_refusal(scope, other.account, same))

    return check


def _may_be_one(name: str, ours: str) -> bool:
    """Return whether both names may be of one account: at the same host, and not two that Stripe itself named."""
    are_stripes = name.startswith("acct_") and ours.startswith("acct_")
    return name != ours and not are_stripes and name.partition("@")[2] == ours.partition("@")[2]


def _refusal(scope: Scope, other: str, keys: Sequence[str]) -> str:
    return (
        f"The ledger knows {len(keys)} of these rows, the first with key {keys[0]!r}, as recorded in account {other!r};"
        f" this run is for {scope.account!r} and would record them once more. If the account was only renamed, give it"
        f" its old name: account={other}. If these are two accounts, give the rows of this one a source of their own."
    )
