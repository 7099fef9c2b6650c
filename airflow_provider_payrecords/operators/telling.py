"""What Airflow is told once something was reported: asset events, lineage, metrics. None of it decides anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_payrecords._airflow import count_metric
from airflow_provider_payrecords.assets import announce
from airflow_provider_payrecords.operators.lineage import Lineage, collect, extract_address

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context
    from airflow_provider_payrecords.bulk import Report, RunSummary
    from airflow_provider_payrecords.extract import Extract
    from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
    from airflow_provider_payrecords.operators.calling import Made
    from airflow_provider_payrecords.operators.extract import ExtractOperator
    from airflow_provider_payrecords.operators.one_call import OneCallOperator


def lineage_of_extract(source: Extract) -> Lineage:
    """Return what is known of a run before it begins."""
    return Lineage(extract=extract_address(source.name))


def tell_of_call(operator: OneCallOperator, context: Context, hook: PaymentRecordsHook, made: Made) -> Lineage:
    """Tell of one confirmed call, and return its lineage."""
    account = hook.settings.account_scope
    event = {
        "endpoint": operator.endpoint,
        "record_ids": [made.payment_record],
        "counts": {"confirmed": 1},
        "new": int(made.new),
        "mode": hook.settings.mode,
    }
    announce(operator.outlets, context, event, account=account, source=operator.source)
    lineage = Lineage(account=account, source=operator.source, facts=event)
    collect(hook, lineage)
    count_metric("payrecords.calls.confirmed", 1, {"endpoint": operator.endpoint, "mode": hook.settings.mode})
    return lineage


def tell_of_run(
    operator: ExtractOperator, context: Context, hook: PaymentRecordsHook, source: Extract, report: Report
) -> Lineage:
    """Tell of a run over an extract, and return its lineage. A dry run has read, and reported nothing."""
    summary = report.summary
    lineage = Lineage(extract=extract_address(source.name), facts=_facts(summary))
    if not summary.dry_run:
        event = {**lineage.facts, "record_ids": report.record_ids}
        announce(operator.outlets, context, event, account=summary.account, source=summary.source)
        lineage = Lineage(lineage.extract, summary.account, summary.source, lineage.facts)
        tags = {"endpoint": summary.endpoint, "mode": summary.mode, "source": summary.source}
        for state, count in summary.counts.items():
            count_metric(f"payrecords.rows.{state}", count, tags)
        count_metric("payrecords.rows.new", summary.new, tags)
        count_metric("payrecords.requests", summary.requests, tags)
    collect(hook, lineage)
    return lineage


def _facts(summary: RunSummary) -> dict[str, Any]:
    return {
        "run_id": summary.run_id,
        "endpoint": summary.endpoint,
        "mode": summary.mode,
        "rows": summary.rows,
        "counts": summary.counts,
        "new": summary.new,
        "money": summary.money,
        "results_path": summary.results_path,
    }
