"""Runs and payments of a ledger as the pages read them: JSON-safe, with a next step in words. Money in minor units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_payrecords.bulk.lines import dotted, next_step
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.export import entry_record
from airflow_provider_payrecords.ledger.store import Run, RunProgress, RunReason

RUNNING, SILENT = "running", "silent"
_QUIET = timedelta(seconds=60)
_INTERVALS = 300
"""A run says how far it is at least this many times; the longer it takes, the longer it may be silent."""
_FROM_SUMMARY = (
    "stop_reason",
    "by_rule",
    "by_canary",
    "fatal",
    "new",
    "left_alone",
    "missing",
    "first_rejects",
    "results_path",
    "rejects_path",
    "decision",
)


def shown_run(run: Run, progress: RunProgress | None, now: datetime) -> dict[str, Any]:
    """
    Return *run* as a page shows it.

    Args:
        progress: How far it was when it last said so, of a run that has not ended. None: it never did.
    """
    summary = run.summary or {}
    counts = summary.get("counts") or (progress.counts if progress else {})
    money = summary.get("money") or (progress.money if progress else {})
    return {
        "run_id": run.run_id,
        "kind": run.run_id.partition("-")[0],
        **_scope(run),
        "extract": run.extract,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "heard_at": progress and progress.at.isoformat(),
        "state": summary.get("status") or state_of(run, progress, now),
        "rows": sum(counts.values()),
        "total_rows": progress.total_rows if progress else None,
        "counts": counts,
        "money": money,
        "requests": summary.get("requests", progress.requests if progress else None),
        "rate": progress.rate if progress else None,
        **{name: summary.get(name) for name in _FROM_SUMMARY},
        "started_by": run.started_by,
    }


def state_of(run: Run, progress: RunProgress | None, now: datetime) -> str:
    """
    Return ``running``, or ``silent`` for a run that should have said something by now.

    A silent one was killed, or cannot reach its ledger. Nobody can tell which from here.
    """
    heard = progress.at if progress else run.started_at
    return RUNNING if now - heard <= _QUIET + 3 * (heard - run.started_at) / _INTERVALS else SILENT


def shown_progress(lines: Sequence[RunProgress]) -> dict[str, list[Any]]:
    """Return a run's progress as columns, each as long as ``at``, which is Unix seconds."""
    names = sorted({name for line in lines for name in line.counts})
    return {
        "at": [line.at.timestamp() for line in lines],
        **{name: [line.counts.get(name, 0) for line in lines] for name in names},
        "requests": [line.requests for line in lines],
        "throttled": [line.throttled for line in lines],
        "rate": [line.rate for line in lines],
    }


def shown_reason(reason: RunReason, replay: str | None) -> dict[str, Any]:
    """
    Return one reason as a page shows it.

    Args:
        replay: Whose rejects of this reason can be sent again: ``run``, ``source``, or nobody's.
    """
    return {
        "state": reason.state,
        "code": reason.code,
        "param": reason.param,
        "rows": reason.rows,
        "first_rows": list(reason.first_rows),
        "replay": replay,
    }


def shown_entry(entry: Entry) -> dict[str, Any]:
    """Return *entry* as a page shows it. A confirmed payment has no next step."""
    shown = entry_record(entry)
    shown["error_param"] = dotted(entry.error_param)
    shown["next_step"] = None if entry.state is State.CONFIRMED else next_step(entry)
    return shown


def _scope(run: Run) -> dict[str, str]:
    scope = run.scope
    return {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source}
