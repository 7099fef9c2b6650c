"""Extracts to plans to runs: every payment exactly once, whatever happens on the way."""

from airflow_provider_payrecords.bulk.choice import RejectSelection
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.reconcile import ReconcileOptions, reconcile_extract
from airflow_provider_payrecords.bulk.reconciliation import Reconciliation
from airflow_provider_payrecords.bulk.replay import replay_rejects
from airflow_provider_payrecords.bulk.run import Report, plan_extract, report_extract
from airflow_provider_payrecords.bulk.single import CommandReport, default_key, report_command
from airflow_provider_payrecords.bulk.summary import Progress, RunSummary

__all__ = [
    "CommandReport",
    "Progress",
    "ReconcileOptions",
    "Reconciliation",
    "RejectSelection",
    "Report",
    "RunOptions",
    "RunSummary",
    "default_key",
    "plan_extract",
    "reconcile_extract",
    "replay_rejects",
    "report_command",
    "report_extract",
]
