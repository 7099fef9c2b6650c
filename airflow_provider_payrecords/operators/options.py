"""The options of a run, as the task, the connection and Airflow's configuration say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from airflow_provider_payrecords._airflow import conf
from airflow_provider_payrecords.bulk import RunOptions
from airflow_provider_payrecords.core.errors import UsageError

CONFIGURED = tuple(name for name in RunOptions.model_fields if name not in ("dry_run", "partition"))
"""Options with a default in ``[payrecords]``. The others are asked for where they are wanted, never in silence."""


def make_options(
    given: Mapping[str, Any] | None = None, rate_limit: float | None = None, partition: str | None = None
) -> RunOptions:
    """
    Return the options of a run: those *given*, else the connection's *rate_limit*, else ``[payrecords]``, else ours.

    Raises:
        UsageError: An option is not known or has a wrong value.
    """
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(
            f"options: give a mapping such as {{'concurrency': 4}}, not {type(given).__name__}. A template renders "
            "text: put templates into the values."
        )
    configured = {name: conf.get("payrecords", name, fallback=None) for name in CONFIGURED}
    values: dict[str, Any] = {name: value for name, value in configured.items() if value not in (None, "")}
    if rate_limit is not None:
        values["rate_limit"] = rate_limit
    if partition is not None:
        values["partition"] = partition
    try:
        return RunOptions.model_validate({**values, **(given or {})})
    except ValidationError as error:
        faults = [f"{detail['loc'][0]}: {detail['msg']}" for detail in error.errors(include_url=False)]
    known = ", ".join(RunOptions.model_fields)
    raise UsageError(f"options: {'; '.join(faults)}. Known are {known}; defaults come from [payrecords].")
