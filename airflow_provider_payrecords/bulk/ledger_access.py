"""How a run reaches its ledger: one worker, one scope, claims of the dead released first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from secrets import token_hex

from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.ledger.liveness import is_dead, make_owner
from airflow_provider_payrecords.ledger.store import LedgerStore, QueueingStore
from airflow_provider_payrecords.transport.clock import Clock

CROWDED = (
    "Another worker holds claims in this SQLite ledger. Nothing is sent twice, but the workers wait for each other: use"
    " PostgreSQL for several workers."
)

_log = logging.getLogger(__name__)


def new_run_id(now: datetime) -> str:
    """Return a run id that sorts by time and is unique."""
    return f"run-{now:%Y%m%dT%H%M%S}-{token_hex(4)}"


class LedgerAccess:
    """
    One worker's view of a ledger.

    Args:
        now: Tells the time as aware UTC.
        owner: Our name; one that no other worker has if None.
        is_dead: Says whether the process of an owner is certainly gone.
    """

    def __init__(
        self,
        store: LedgerStore,
        scope: Scope,
        run_id: str,
        lease_seconds: float,
        now: Clock,
        *,
        owner: str | None = None,
        is_dead: Callable[[str], bool] = is_dead,
    ) -> None:
        self.store = store
        self.scope = scope
        self.worker = Worker(owner or make_owner(token_hex(4)), run_id, lease_seconds)
        self.now = now
        self._is_dead = is_dead
        self._may_warn = isinstance(store, QueueingStore) and store.is_queueing

    def release_the_dead(self) -> int:
        """Turn claims of processes that are certainly gone into unknown, so that they can be sent again now."""
        owners = self.store.owners(self.scope)
        dead = {owner for owner in owners if self._is_dead(owner)}
        if self._may_warn and owners - dead - {self.worker.owner}:
            self._may_warn = False  # once a run
            _log.warning(CROWDED)
        return self.store.lapse(self.scope, dead, self.now()) if dead else 0

    def claim(self, intents: Sequence[Intent]) -> list[Decision]:
        """Claim in one transaction, in the order given."""
        return self.store.claim(self.scope, intents, self.worker, self.now()) if intents else []

    def settle(self, settlements: Sequence[Settlement]) -> list[Entry]:
        """Settle in one transaction, in the order given, what this worker learned."""
        return self._settle(self.scope, settlements) if settlements else []

    async def claim_one(self, scope: Scope, intent: Intent) -> Decision:
        """Claim one payment."""
        return self.store.claim(scope, [intent], self.worker, self.now())[0]

    async def settle_one(self, scope: Scope, settlement: Settlement) -> Entry:
        """Settle one payment."""
        return self._settle(scope, [settlement])[0]

    def _settle(self, scope: Scope, settlements: Sequence[Settlement]) -> list[Entry]:
        own = [one._replace(owner=self.worker.owner) for one in settlements]
        return self.store.settle(scope, own, self.now())
