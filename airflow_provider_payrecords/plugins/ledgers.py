"""The ledger of a connection, for as long as one request looks into it. Looking makes no ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.ledger.patience import Patience
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.urls import is_missing_file, open_ledger, safe_url
from airflow_provider_payrecords.plugins.connections import hook_of
from airflow_provider_payrecords.plugins.problems import ProblemError

WAIT_SECONDS = 5.0
"""How long a page waits for a ledger that is busy or away. A run waits longer; a person presses once more."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open ledger, and the hook of the connection it belongs to."""

    hook: PaymentRecordsHook
    store: SqlLedger

    def entry(self, scope: Scope, key: str) -> Entry:
        """
        Return one payment's entry.

        Raises:
            ProblemError: The ledger has none.
        """
        found = self.store.look_up(scope, [key]).get(key)
        if found is None:
            raise ProblemError(
                404,
                "There is no such payment",
                f"This ledger has no {key!r} of {scope.source!r} as {scope.endpoint} in account {scope.account!r}.",
                "Search for it, or choose the connection whose ledger has it. It may also have been pruned.",
            )
        return found


@contextmanager
def ledger_of(conn_id: str) -> Iterator[Opened]:
    """
    Open the ledger of a connection.

    Raises:
        ProblemError: There is no such connection, or nothing was ever reported with it.
        LedgerError: It cannot be used.
    """
    hook = hook_of(conn_id)
    url = hook.ledger_url()
    if is_missing_file(url):
        raise ProblemError(
            404,
            "There is no ledger yet",
            f"{safe_url(url)} does not exist: nothing was reported with the connection {conn_id!r} on this machine.",
            "Run a task that reports payments. If workers run elsewhere, give the connection a ledger that they and "
            "this API server share: see “Its place” in the documentation of the ledger.",
        )
    store = open_ledger(url, busy_timeout_seconds=WAIT_SECONDS, patience=Patience(seconds=WAIT_SECONDS))
    with closing(store):
        yield Opened(hook, store)
