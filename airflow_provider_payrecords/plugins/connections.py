"""The connections of type ``payrecords`` that a person may choose, and the hook of one."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_payrecords._airflow import AirflowException, AirflowRuntimeError, connection_ids
from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.plugins.problems import ProblemError

_IN_ENVIRONMENT = "AIRFLOW_CONN_"


@dataclass(frozen=True, slots=True)
class Choice:
    """
    A connection, as people may see it. The key is not part of it.

    Attributes:
        mode: ``test`` or ``live``, by its key; None where that cannot be told.
        host: API base.
        account: Name of the account in the ledger.
        problem: Why it cannot be used, or None.
    """

    id: str
    mode: str | None = None
    host: str | None = None
    account: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-safe data."""
        return asdict(self)


def list_connections() -> list[Choice]:
    """Return the connections of Airflow's database and of the environment, by id. A secrets backend lists none."""
    ids = {*connection_ids(PaymentRecordsHook.conn_type), *_ids_in_environment()}
    return [choice for conn_id in sorted(ids) if (choice := _choice(conn_id))]


def hook_of(conn_id: str) -> PaymentRecordsHook:
    """
    Return the hook of a connection that a person chose.

    Raises:
        ProblemError: There is none of that id, or it is of another type.
    """
    hook = PaymentRecordsHook(conn_id)
    try:
        found = hook.connection.conn_type == PaymentRecordsHook.conn_type
    except (AirflowException, AirflowRuntimeError):
        found = False
    if not found:
        raise ProblemError(
            404,
            "There is no such connection",
            f"No connection of type {PaymentRecordsHook.conn_type} has the id {conn_id!r}.",
            "Choose another, or make it under Admin → Connections.",
        )
    return hook


def _ids_in_environment() -> set[str]:
    return {name[len(_IN_ENVIRONMENT) :].lower() for name in os.environ if name.startswith(_IN_ENVIRONMENT)}


def _choice(conn_id: str) -> Choice | None:
    try:
        hook = hook_of(conn_id)
    except ProblemError:
        return None
    try:
        settings = hook.settings
    except PayRecordsError as error:
        return Choice(conn_id, problem=error.message)
    return Choice(conn_id, settings.mode, settings.api_base, settings.account_scope)
