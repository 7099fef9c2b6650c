"""``ReplayRejectsOperator`` under Airflow's own task runner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import AirflowFailException
from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.operators.replay import ReplayRejectsOperator
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.payments import rows

CANCELED = {"outcome": "canceled", "canceled.canceled_at": 1_793_610_100}
OLD = '{"ledger_conn_id": "ledger", "stripe_version": "2026-08-26.dahlia"}'
NEW = '{"ledger_conn_id": "ledger"}'


@pytest.fixture
def replay(supervisor: MemorySupervisor, in_dag: Callable[..., Any]) -> Callable[..., RanTask]:
    """Return a function that replays rejects of three rows; an old API version refused the second and the third."""
    extract = [row | (CANCELED if number else {}) for number, row in enumerate(rows(3))]
    supervisor.connections["payrecords_default"].extra = OLD
    report = in_dag(ReportExtractOperator, "report", extract=extract, options={"rate_limit": 1000})
    assert run_task(report, supervisor=supervisor).result["counts"] == {"confirmed": 1, "rejected": 2}
    supervisor.connections["payrecords_default"].extra = NEW

    def run(select: Any, **more: Any) -> RanTask:
        arguments = {"options": {"rate_limit": 1000}, **more}
        task = in_dag(ReplayRejectsOperator, "replay", extract=extract, select=select, **arguments)
        return run_task(task, supervisor=supervisor, retries=2)

    return run


def test_what_is_named_is_sent_and_the_rest_is_left_alone(
    replay: Callable[..., RanTask], sandbox: RunningSandbox
) -> None:
    ran = replay({"rows": [2]})
    assert ran.state == "success"
    assert (ran.result["counts"], ran.result["left_alone"], ran.result["new"]) == ({"confirmed": 1}, 2, 1)
    assert len(ran.xcoms["record_ids"]) == 1
    assert ran.xcoms["results_path"].endswith("replay.jsonl")
    assert replay({"all": True}).result["counts"] == {"confirmed": 1}
    assert set(sandbox.journal.times().values()) == {1}
    assert len(sandbox.journal) == 3


def test_the_choice_may_be_a_template(replay: Callable[..., RanTask]) -> None:
    assert replay({"keys": ["{{ 'wire-0003' }}"]}).result["counts"] == {"confirmed": 1}


def test_a_dry_replay_sends_nothing(replay: Callable[..., RanTask], sandbox: RunningSandbox) -> None:
    ran = replay({"all": True}, options={"dry_run": True})
    assert ran.result["counts"] == {"new": 2}
    assert len(sandbox.journal) == 1


@pytest.mark.parametrize("select", [{}, None, {"code": "x"}, "{{ {'all': True} }}"])
def test_a_wrong_choice_is_explained_and_not_retried(
    replay: Callable[..., RanTask], sandbox: RunningSandbox, select: Any
) -> None:
    ran = replay(select)
    assert isinstance(ran.error, AirflowFailException)
    assert "select" in str(ran.error)
    assert len(sandbox.journal) == 1
