"""How long a ledger that worked and went away is waited for, and what is worth another try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from airflow_provider_payrecords.core.errors import LedgerUnavailableError

Answer = TypeVar("Answer")

_FIRST_WAIT_SECONDS = 0.05
_LONGEST_WAIT_SECONDS = 2.0


class MovedError(LedgerUnavailableError):
    """Another worker removed what this transaction had read. Nothing of it is written; it is begun anew."""


@dataclass(frozen=True, slots=True)
class Patience:
    """
    Bounded waiting for a database server that restarts, or that chose this transaction to end a conflict.

    Only a whole transaction is tried again, and only where its effect is the same done twice: the answer to a COMMIT
    may be what was lost.

    Attributes:
        seconds: The waits of one call add up to at most this. 0 never tries again.
        may_wait: Asked before each wait; False ends it with the error that caused it.
    """

    seconds: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    may_wait: Callable[[], bool] = lambda: True

    def insist(self, transaction: Callable[[], Answer], is_passing: Callable[[DBAPIError], bool]) -> Answer:
        """Return what *transaction* returns, begun anew after an error that *is_passing*, until the waits are used."""
        for wait in self._waits():
            try:
                return transaction()
            except MovedError:
                pass
            except DBAPIError as error:
                if not is_passing(error) or not self.may_wait():
                    raise
            self.sleep(wait)
        return transaction()

    def _waits(self) -> Iterator[float]:
        left, wait = self.seconds, _FIRST_WAIT_SECONDS
        while left > 0:
            yield min(wait, left)
            left -= wait
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
