"""
Every name this package takes from Airflow. No other module imports Airflow.

All of it is in ``airflow.sdk`` since 3.2. What is newer is reached by asking whether it is there, never by version.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    Asset,
    AssetAlias,
    BaseHook,
    BaseOperator,
    BaseOperatorLink,
    BaseSensorOperator,
    Connection,
    Context,
    ObjectStoragePath,
    PokeReturnValue,
    conf,
)
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowRuntimeError, AirflowSensorTimeout
from airflow.sdk.io import has_fs
from airflow.sdk.log import mask_secret

if TYPE_CHECKING:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import (
        ConnectionDetails,
        DagAccessEntity,
        DagDetails,
    )
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.core_api.security import get_user
    from airflow.api_fastapi.logging.decorators import action_logging
    from airflow.sdk import BaseNotifier, RetryDecision, RetryPolicy
    from airflow.sdk.bases.decorator import DecoratedOperator, Task, determine_kwargs, task_decorator_factory
    from airflow.sdk.definitions.context import context_merge
    from airflow.sdk.execution_time.xcom import XCom
    from airflow.sdk.lineage import get_hook_lineage_collector
    from airflow.sdk.plugins_manager import AirflowPlugin
    from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowPlugin",
    "AirflowRuntimeError",
    "AirflowSensorTimeout",
    "Asset",
    "AssetAlias",
    "BaseEventTrigger",
    "BaseHook",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "BaseTrigger",
    "Connection",
    "ConnectionDetails",
    "Context",
    "DagAccessEntity",
    "DagDetails",
    "DecoratedOperator",
    "ObjectStoragePath",
    "PokeReturnValue",
    "RetryDecision",
    "RetryPolicy",
    "SimpleAuthManager",
    "Task",
    "TriggerEvent",
    "XCom",
    "action_logging",
    "airflow_home",
    "conf",
    "connection_ids",
    "context_merge",
    "count_metric",
    "deserialize",
    "determine_kwargs",
    "execution_modules",
    "get_auth_manager",
    "get_hook_lineage_collector",
    "get_user",
    "has_fs",
    "mask_secret",
    "openlineage_modules",
    "task_decorator_factory",
]

_ON_DEMAND = {
    "AirflowPlugin": "airflow.sdk.plugins_manager",
    "BaseEventTrigger": "airflow.triggers.base",
    "BaseNotifier": "airflow.sdk",
    "BaseTrigger": "airflow.triggers.base",
    "ConnectionDetails": "airflow.api_fastapi.auth.managers.models.resource_details",
    "DagAccessEntity": "airflow.api_fastapi.auth.managers.models.resource_details",
    "DagDetails": "airflow.api_fastapi.auth.managers.models.resource_details",
    "DecoratedOperator": "airflow.sdk.bases.decorator",
    "RetryDecision": "airflow.sdk.definitions.retry_policy",
    "RetryPolicy": "airflow.sdk.definitions.retry_policy",
    "SimpleAuthManager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager",
    "Task": "airflow.sdk.bases.decorator",
    "TriggerEvent": "airflow.triggers.base",
    "XCom": "airflow.sdk.execution_time.xcom",
    "action_logging": "airflow.api_fastapi.logging.decorators",
    "context_merge": "airflow.sdk.definitions.context",
    "determine_kwargs": "airflow.sdk.bases.decorator",
    "get_auth_manager": "airflow.api_fastapi.app",
    "get_hook_lineage_collector": "airflow.sdk.lineage",
    "get_user": "airflow.api_fastapi.core_api.security",
    "task_decorator_factory": "airflow.sdk.bases.decorator",
}
"""Names whose modules take time to import, so that a DAG file pays only for what it uses."""


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return getattr(import_module(_ON_DEMAND[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def airflow_home() -> Path:
    """Return the folder Airflow keeps its files in."""
    # Not in the SDK: it only reads the variable. Core is loaded anyway when a task runs.
    from airflow.configuration import AIRFLOW_HOME

    return Path(AIRFLOW_HOME)


def connection_ids(conn_type: str) -> list[str]:
    """
    Return the ids of the connections of this type in Airflow's database. Only the API server may ask it.

    Those in the environment or in a secrets backend are not in there.
    """
    from airflow.utils.session import create_session

    stored = import_module("airflow.models.connection").Connection  # the table; the SDK's class has none
    with create_session() as session:
        found = session.query(stored.conn_id).filter(stored.conn_type == conn_type)
        return [str(conn_id) for (conn_id,) in found]


def execution_modules() -> tuple[Any, Any, Any]:
    """
    Return the modules a task runs in: the runner, its messages and its data models.

    They are private to Airflow and change with its minor versions; only ``testing`` uses them.
    """
    from airflow.sdk.api.datamodels import _generated
    from airflow.sdk.execution_time import comms, task_runner

    return task_runner, comms, _generated


def count_metric(name: str, count: int, tags: dict[str, str]) -> None:
    """Add *count* to a metric of Airflow's StatsD or OpenTelemetry client, if there is one."""
    try:
        from airflow.sdk.observability.stats import incr
    except ImportError:  # before 3.3
        from airflow.sdk.observability.stats import Stats

        Stats.incr(name, count, tags=tags)
    else:
        incr(name, count, tags=tags)


def openlineage_modules() -> tuple[Any, Any, Any]:
    """
    Return OpenLineage's datasets and facets, and the module with what an operator returns of them.

    Raises:
        ImportError: The OpenLineage provider is not installed; then nobody asks either.
    """
    from airflow.providers.openlineage import extractors
    from openlineage.client import event_v2, facet_v2

    return event_v2, facet_v2, extractors


def deserialize(value: Any) -> Any:
    """Return what a task or trigger handed to its supervisor, as the other side gets it."""
    from airflow.sdk import serde

    return serde.deserialize(value)
