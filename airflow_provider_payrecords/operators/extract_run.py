"""What an extract operator does when it runs: turn parameters into a run, log it, and judge its summary for Airflow."""

from __future__ import annotations

import glob
import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from airflow_provider_payrecords._airflow import (
    AirflowException,
    AirflowFailException,
    BaseHook,
    Context,
    ObjectStoragePath,
    airflow_home,
    conf,
    has_fs,
)
from airflow_provider_payrecords.bulk import Progress, Report, RunSummary
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.extract import Extract, ExtractMapping, SqlQuery, make_extract

MAX_RECORD_IDS = 1024
"""Airflow maps over at most so many values by default: ``[core] max_map_length``."""
PROGRESS_SECONDS = 10.0

_log = logging.getLogger(__name__)
_QUERY = {"conn_id", "sql", "parameters"}
_OPEN = ("unknown", "held", "planned")


def make_source(extract: Any) -> Extract:
    """
    Return the extract that an operator's parameter stands for.

    Args:
        extract: A path or glob, ``scheme://`` address, ``ObjectStoragePath``, rows, or a query as
            ``{"conn_id": …, "sql": …, "parameters": …}``.

    Raises:
        UsageError: It is none of these.
    """
    if isinstance(extract, Mapping):
        return _query(extract)
    if isinstance(extract, str):
        return make_extract(_address(extract))
    if isinstance(extract, (Extract, PathLike, Iterable)) or hasattr(extract, "open"):
        return make_extract(extract)
    raise UsageError(f"extract: a {type(extract).__name__} is no extract. Give a path, rows, or a query with conn_id.")


def _query(query: Mapping[str, Any]) -> Extract:
    if not query.keys() & _QUERY:
        raise UsageError("extract: one mapping is no extract. Give a list of rows, or a query with conn_id and sql.")
    if not {"conn_id", "sql"} <= query.keys() <= _QUERY:
        raise UsageError(f"extract: a query has conn_id, sql and maybe parameters, not {', '.join(map(str, query))}.")
    conn_id = str(query["conn_id"])
    return SqlQuery(BaseHook.get_hook(conn_id), query["sql"], query.get("parameters"), name=f"query on {conn_id}")


def _address(text: str) -> str | ObjectStoragePath:
    if text.lstrip().startswith(("[", "{")):
        raise UsageError(
            "extract: a template rendered rows to text. Pass the output of their task, as in extract=rows(), or "
            "set render_template_as_native_obj=True on this operator."
        )
    # A glob in a bucket is left to fsspec: ObjectStoragePath opens one object.
    is_object = "://" in text and not text.startswith("file://") and not glob.has_magic(text)
    return _object_path(text, "extract") if is_object else text


def _object_path(address: str, name: str) -> ObjectStoragePath:
    scheme = address.partition("://")[0]
    if not has_fs(scheme):
        raise UsageError(
            f"{name}: no installed provider opens {scheme}:// addresses. Install the one that does, such as "
            "apache-airflow-providers-amazon[s3fs] for s3://, or correct the address."
        )
    return ObjectStoragePath(address)


def load_mapping(mapping: Any) -> ExtractMapping:
    """
    Return the mapping that an operator's parameter stands for.

    Raises:
        UsageError: It is none, or cannot work.
    """
    if isinstance(mapping, str) and mapping.lstrip().startswith("{"):
        raise UsageError(
            "mapping: a template rendered a mapping to text. Put templates into its values, give the path of a YAML "
            "file, or set render_template_as_native_obj=True on this operator."
        )
    if mapping is None or isinstance(mapping, (ExtractMapping, Mapping, str, PathLike)):
        return ExtractMapping.load(mapping)
    raise UsageError(f"mapping: {type(mapping).__name__} is no mapping. Give a mapping, or the path of a YAML file.")


def results_place(results: Any, context: Context) -> Any:
    """Return where results go: *results* if given, else a file named after the task instance, the same for each try."""
    if isinstance(results, str):
        return _object_path(results, "results") if "://" in results else Path(results)
    if results is not None:
        return results
    folder = str(conf.get("payrecords", "results", fallback=None) or airflow_home() / "payrecords" / "results")
    instance = context["ti"]
    is_mapped = instance.map_index is not None and instance.map_index >= 0
    last = f"{_part(instance.task_id)}.{instance.map_index}" if is_mapped else _part(instance.task_id)
    name = f"{_part(instance.dag_id)}/{_part(instance.run_id)}/{last}.jsonl"
    if "://" in folder:
        return _object_path(f"{folder.rstrip('/')}/{name}", "[payrecords] results")
    return Path(folder) / name


def _part(text: str) -> str:
    """Return *text* as part of a path, distinct for distinct texts."""
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", text)[:150].lstrip(".")
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def task_of(context: Context) -> dict[str, Any]:
    """Return which task instance runs, as the ledger keeps it: enough to find its log."""
    instance = context["ti"]
    return {name: getattr(instance, name) for name in ("dag_id", "task_id", "run_id", "map_index", "try_number")}


def progress_log(clock: Callable[[], float] = time.monotonic) -> Callable[[Progress], None]:
    """Return a function that logs a run's progress now and then."""
    last = clock()

    def log(progress: Progress) -> None:
        nonlocal last
        if clock() - last >= PROGRESS_SECONDS:
            last = clock()
            _log.info("%d rows of %s done: %s", progress.rows_done, progress.total_rows or "?", progress.counts)

    return log


def push(context: Context, report: Report, *, with_return_value: bool) -> None:
    """Push what Airflow may keep of a run. Before it is judged: a task that fails has its summary as well."""
    summary, instance = report.summary, context["ti"]
    if with_return_value:
        instance.xcom_push(key="return_value", value=summary.to_dict())
    instance.xcom_push(key="results_path", value=summary.results_path)
    if not summary.dry_run and summary.rows <= MAX_RECORD_IDS:
        instance.xcom_push(key="record_ids", value=report.record_ids)


def log_summary(summary: RunSummary) -> None:
    """Log how a run ended, and its first rejects by row number and key."""
    _log.info(
        "%s %s: %d rows, %s, %d requests, results in %s",
        "Plan" if summary.dry_run else "Run",
        summary.status,
        summary.rows,
        summary.counts,
        summary.requests,
        summary.results_path,
    )
    for reject in summary.first_rejects:
        _log.warning("Row %(row_number)s (%(key)s) rejected: %(field)s, %(code)s", reject)


def judge(summary: RunSummary, *, fail_on_rejects: bool, fail_on_canary: bool = True) -> None:
    """
    Raise if the task must not be green.

    Args:
        fail_on_canary: Whether a run that only its canary stopped fails.

    Raises:
        AirflowFailException: A person must do something first; a retry would not heal it, or would undo a stop rule.
        AirflowException: Payments are left that a retry takes up. Nothing is sent twice.
    """
    left_open = sum(summary.counts.get(state, 0) for state in _OPEN)
    if summary.status == "stopped" and (fail_on_canary or not summary.by_canary):
        error = AirflowFailException if summary.fatal or summary.by_rule else AirflowException
        raise error(summary.stop_reason)
    if left_open and not summary.dry_run:
        raise AirflowException(f"{left_open} payments are not settled yet. A retry takes them up under the same keys.")
    refused = summary.counts.get("rejected", 0) + summary.counts.get("review", 0)
    if refused and fail_on_rejects:
        raise AirflowFailException(f"{refused} rows were rejected or need a review: see {summary.rejects_path}.")
    if refused:
        _log.warning("%d rows were rejected or need a review: see %s", refused, summary.rejects_path)
