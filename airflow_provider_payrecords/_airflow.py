"""
Every name this package takes from Airflow. No other module imports Airflow.

All of it is in ``airflow.sdk`` since 3.2. What is newer is reached by asking whether it is there, never by version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import BaseHook, BaseOperator, Connection, Context, ObjectStoragePath, conf
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowRuntimeError
from airflow.sdk.io import has_fs
from airflow.sdk.log import mask_secret

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowRuntimeError",
    "BaseHook",
    "BaseOperator",
    "Connection",
    "Context",
    "ObjectStoragePath",
    "airflow_home",
    "conf",
    "execution_modules",
    "has_fs",
    "mask_secret",
]


def airflow_home() -> Path:
    """Return the folder Airflow keeps its files in."""
    # Not in the SDK: it only reads the variable. Core is loaded anyway when a task runs.
    from airflow.configuration import AIRFLOW_HOME

    return Path(AIRFLOW_HOME)


def execution_modules() -> tuple[Any, Any, Any]:
    """
    Return the modules a task runs in: the runner, its messages and its data models.

    They are private to Airflow and change with its minor versions; only ``testing`` uses them.
    """
    from airflow.sdk.api.datamodels import _generated
    from airflow.sdk.execution_time import comms, task_runner

    return task_runner, comms, _generated
