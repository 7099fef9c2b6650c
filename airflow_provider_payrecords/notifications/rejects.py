"""Tells somebody that a run left payments that a person must look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_payrecords._airflow import BaseNotifier

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context

_LOOK = ("rejected", "review")


class RejectsNotifier(BaseNotifier):
    """
    Hands on to another notifier when a run rejected payments, put some to review, or failed; else keeps quiet.

    Any notifier does: Slack, e-mail, a pager. Its templates may use ``payrecords``, a mapping with ``text`` (a few
    sentences), ``counts``, ``run_id``, ``rejects_path`` and ``first_rejects``. Rows are named by number and key, with
    the reason's code; nothing of a customer is in it.

        report = ReportExtractOperator(
            …,
            on_success_callback=RejectsNotifier(SlackNotifier(text="{{ payrecords.text }}")),
            on_failure_callback=RejectsNotifier(SlackNotifier(text="{{ payrecords.text }}")),
        )

    Args:
        notifier: What sends the message.
    """

    def __init__(self, notifier: BaseNotifier) -> None:
        super().__init__()
        self.notifier = notifier

    def notify(self, context: Context) -> None:
        """Send if there is something to look at. Airflow calls it on the worker, once the task has ended."""
        instance = context["ti"]
        summary = instance.xcom_pull(task_ids=instance.task_id, key="return_value", map_indexes=instance.map_index)
        about = describe(summary if isinstance(summary, Mapping) else {}, context)
        if about is not None:
            self.notifier({**context, "payrecords": about})


def describe(summary: Mapping[str, Any], context: Context) -> dict[str, Any] | None:
    """
    Return what a message may say of a run, or None if there is nothing to look at.

    Args:
        summary: The run's summary as XCom has it; empty where the task failed before there was one.
    """
    counts = summary.get("counts", {})
    failed = context.get("exception")
    look = {state: counts[state] for state in _LOOK if counts.get(state)}
    if not look and failed is None:
        return None
    instance = context["ti"]
    sentences = [f"{instance.dag_id}.{instance.task_id} {'failed' if failed is not None else 'succeeded'}."]
    if look:
        some = " and ".join(f"{count} {_WORDS[state]}" for state, count in look.items())
        sentences.append(f"{some}, of {summary['rows']} rows of {summary['extract']}.")
    if summary.get("stop_reason"):
        sentences.append(f"The run stopped: {summary['stop_reason']}")
    if summary.get("rejects_path"):
        sentences.append(f"Which and why: {summary['rejects_path']}")
    return {
        "text": " ".join(sentences),
        "counts": dict(counts),
        "run_id": summary.get("run_id"),
        "rejects_path": summary.get("rejects_path"),
        "first_rejects": [
            {name: reject[name] for name in ("row_number", "key", "code", "field")}
            for reject in summary.get("first_rejects", [])
        ],
    }


_WORDS = {"rejected": "rejected", "review": "for review"}
