"""Transactions on one database: begun anew while its server is away, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError

from airflow_provider_payrecords.ledger.dialect import begin_write, is_passing
from airflow_provider_payrecords.ledger.failures import guarded
from airflow_provider_payrecords.ledger.patience import Answer, Patience


class Transactions:
    """What works in one database share. Threads may use one at the same time."""

    def __init__(self, engine: Engine, name: str, patience: Patience | None = None) -> None:
        """
        Keep *engine*; nothing is opened yet.

        Args:
            name: The ledger as people may see it in errors: a URL without a password.
            patience: How long a server that went away is waited for.
        """
        self.name = name
        self.patience = patience or Patience()
        self._waited_in_vain = False
        self._engine = engine

    @contextmanager
    def waiting_while(self, may_wait: Callable[[], bool]) -> Iterator[None]:
        """Within it, wait for a server that is away only while *may_wait* says so. Not for several threads at once."""
        before = self.patience
        self.patience = replace(before, may_wait=lambda: before.may_wait() and may_wait())
        try:
            yield
        finally:
            self.patience = before

    def close(self) -> None:
        """Release connections. Calling twice does nothing."""
        self._engine.dispose()

    def _rows_of(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        return self._read(lambda connection: connection.execute(statement, values).all())

    def _read(self, work: Callable[[Connection], Answer]) -> Answer:
        return self._insist(work, self._engine.connect)

    def _write(self, work: Callable[[Connection], Answer]) -> Answer:
        return self._insist(work, lambda: begin_write(self._engine))

    def _write_at_once(self, work: Callable[[Connection], Answer]) -> Answer:
        """Write now or not at all: for what must keep nobody waiting."""
        with guarded(self.name), begin_write(self._engine, wait=False) as connection:
            return work(connection)

    def _insist(
        self, work: Callable[[Connection], Answer], begin: Callable[[], AbstractContextManager[Connection]]
    ) -> Answer:
        def transaction() -> Answer:
            with begin() as connection:
                return work(connection)

        # Once is enough: a run that ends for it makes several calls more, and each would wait as long again.
        patience = replace(self.patience, may_wait=lambda: False) if self._waited_in_vain else self.patience
        with guarded(self.name):
            try:
                answer = patience.insist(transaction, is_passing)
            except DBAPIError as error:
                self._waited_in_vain = is_passing(error)
                raise
        self._waited_in_vain = False
        return answer
