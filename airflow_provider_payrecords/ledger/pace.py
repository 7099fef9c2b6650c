"""The request rate that workers on one ledger share: the time until which it is taken. One statement takes more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Connection, Engine, bindparam, text

from airflow_provider_payrecords.core.pacing import MAX_AHEAD_SECONDS
from airflow_provider_payrecords.ledger.dialect import clock_sql
from airflow_provider_payrecords.ledger.store import Lane

_SECOND = 1_000_000

# The rule is core.pacing.book, in the one statement that two workers cannot interleave.
_BOOK = """
INSERT INTO pace (account, mode, endpoint, free_at)
VALUES (:account, :mode, :endpoint, {clock} + :time)
ON CONFLICT (account, mode, endpoint) DO UPDATE SET free_at = :time + CASE
    WHEN pace.free_at BETWEEN {clock} AND {clock} + :ahead THEN pace.free_at
    ELSE {clock} END
RETURNING free_at - :time - {clock}
"""


class PaceBook:
    """Books time of a lane in the table ``pace``."""

    def __init__(self, engine: Engine) -> None:
        numbers = [bindparam(name, type_=BigInteger) for name in ("time", "ahead", "now")]
        statement = text(_BOOK.format(clock=clock_sql(engine)))
        self._statement = statement.bindparams(*(one for one in numbers if f":{one.key}" in statement.text))

    def book(self, connection: Connection, lane: Lane, seconds: float, now: datetime) -> float:
        """Take the next *seconds* of *lane*. Return how long it is until they begin."""
        values = {
            "account": lane.account,
            "mode": lane.mode,
            "endpoint": lane.endpoint,
            "time": _microseconds(seconds),
            "ahead": _microseconds(MAX_AHEAD_SECONDS),
            "now": _microseconds(now.timestamp()),
        }
        wait: int = connection.execute(self._statement, values).scalar_one()
        return max(0, wait) / _SECOND


def _microseconds(seconds: float) -> int:
    return round(seconds * _SECOND)
