"""What a run asks of the machine it is on: network, clocks, chance, which workers live, and where results go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from airflow_provider_payrecords.bulk.places import Place
from airflow_provider_payrecords.bulk.results import Results
from airflow_provider_payrecords.ledger.liveness import is_dead
from airflow_provider_payrecords.transport.clock import Clock, utc_now
from airflow_provider_payrecords.transport.pace import uniform_jitter


@dataclass(frozen=True, slots=True)
class Machine:
    """
    The world of one run, the API and the ledger aside. The defaults are the real one.

    Attributes:
        network: httpx transport to use in place of the network, or None.
        now: Aware UTC.
        clock: Monotonic seconds.
        jitter: Gives endless numbers uniform in [0.5, 1].
        owner: Name of this worker, ``host:pid:token``; one that no other has if None.
        is_dead: Says whether the process of an owner is certainly gone.
        open_results: Opens the results file of a run.
        started_by: Where the run was started, JSON-safe, as the ledger keeps it. None if nobody says.
    """

    network: httpx.AsyncBaseTransport | None = None
    now: Clock = utc_now
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], Iterator[float]] = uniform_jitter
    owner: str | None = None
    is_dead: Callable[[str], bool] = is_dead
    open_results: Callable[[Place | None], Results] = Results
    started_by: Mapping[str, Any] | None = None
