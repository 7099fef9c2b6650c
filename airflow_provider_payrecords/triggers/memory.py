"""Where a watcher keeps how far it has come: Airflow's asset state store where there is one, else this process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from airflow_provider_payrecords._airflow import AirflowException, AirflowRuntimeError
from airflow_provider_payrecords.core.errors import NotSentError
from airflow_provider_payrecords.core.position import Position, read_position

_log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")


class PositionMemory:
    """
    Positions by name, kept at once in memory and by ``save`` in *store*.

    Args:
        store: The ``asset_state_store`` that Airflow 3.3 gives to a trigger, or None.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._kept: dict[str, Position] = {}
        self._unsaved: dict[str, Position] = {}

    async def load(self, name: str) -> Position | None:
        """
        Return the position of *name*, or None if none is known.

        Raises:
            NotSentError: The store cannot be read at present.
        """
        if name not in self._kept and self._store is not None:
            try:
                found = read_position(await _asked(self._store.aget(name)))
            except ValueError:
                # The store is per asset, and Airflow runs one trigger for all assets that watch with equal arguments.
                _log.warning("Several assets share this watcher, so its position is not kept over a restart.")
                self._store, found = None, None
            if found is not None:
                self._kept[name] = found
        return self._kept.get(name)

    def keep(self, name: str, position: Position) -> None:
        """Take *position* for the one of *name* from now on."""
        if self._kept.get(name) != position:
            self._kept[name] = self._unsaved[name] = position

    async def save(self) -> None:
        """
        Write what was kept since the last time.

        Raises:
            NotSentError: The store cannot be written at present.
        """
        while self._store is not None and self._unsaved:
            name, position = next(iter(self._unsaved.items()))
            await _asked(self._store.aset(name, position.to_json()))
            del self._unsaved[name]


async def _asked(answer: Awaitable[ResultT]) -> ResultT:
    try:
        return await answer
    except (AirflowException, AirflowRuntimeError) as error:
        raise NotSentError(f"Airflow's asset state store does not answer ({type(error).__name__}).") from error
