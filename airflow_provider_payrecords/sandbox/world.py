"""All that a sandbox remembers, and the one way to add to it: a commit, applied and written whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from airflow_provider_payrecords.sandbox.idempotency import IdempotencyCache
from airflow_provider_payrecords.sandbox.journal import Journal
from airflow_provider_payrecords.sandbox.objects import Holdings, Realm
from airflow_provider_payrecords.sandbox.storage import Commit, Storage


class World:
    """
    Objects by realm, answers by idempotency key, the journal.

    Attributes:
        is_new: Nothing was ever committed to the storage.
    """

    def __init__(self, storage: Storage, keep_seconds: float) -> None:
        self.journal = Journal()
        self.answers = IdempotencyCache(keep_seconds)
        self.is_new = True
        self._storage = storage
        self._realms: defaultdict[Realm, Holdings] = defaultdict(Holdings)
        for commit in storage.read():
            self.is_new = False
            if commit.change is not None:
                self._realms[commit.realm].apply(commit.change)
            self._remember(commit)

    @property
    def realms(self) -> Mapping[Realm, Holdings]:
        """Every realm that was ever asked for."""
        return self._realms

    def holdings(self, realm: Realm) -> Holdings:
        """Return the objects of *realm*."""
        return self._realms[realm]

    def commit(self, commit: Commit) -> None:
        """Write a commit whose change the holdings have taken over already, since its answer shows it."""
        self._storage.append(commit)
        self._remember(commit)

    def clear(self) -> None:
        """Forget everything."""
        self._storage.clear()
        self._realms.clear()
        self.answers.clear()
        self.journal.clear()

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.close()

    def _remember(self, commit: Commit) -> None:
        if commit.answer is not None:
            self.answers.save(commit.answer)
        if commit.line is not None:
            self.journal.append(commit.line)
