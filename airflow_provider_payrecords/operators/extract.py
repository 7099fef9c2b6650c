"""Many rows: report an extract, or plan it and send nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_payrecords._airflow import BaseOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context
    from airflow_provider_payrecords.bulk import Report

__all__ = ["PlanExtractOperator", "ReportExtractOperator"]


class _ExtractOperator(BaseOperator):
    """Reads an extract through a mapping and runs it, or plans the run."""

    template_fields = ("extract", "mapping", "results", "options", "payrecords_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"mapping": "json", "options": "json"}
    ui_color = "#e8e4ff"

    _dry: ClassVar[bool]

    def __init__(
        self,
        *,
        extract: Any,
        mapping: Any = None,
        results: Any = None,
        options: Mapping[str, Any] | None = None,
        fail_on_rejects: bool = False,
        payrecords_conn_id: str = "payrecords_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.extract = extract
        self.mapping = mapping
        self.results = results
        self.options = options
        self.fail_on_rejects = fail_on_rejects
        self.payrecords_conn_id = payrecords_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Run, push what Airflow may keep, and return the summary."""
        # Heavy, and of no use to whoever only parses the DAG.
        from airflow_provider_payrecords.operators.extract_run import MAX_RECORD_IDS, judge, log_summary
        from airflow_provider_payrecords.operators.failure import failing_for_good

        self._stopping = threading.Event()
        with failing_for_good():
            report = self._run(context, MAX_RECORD_IDS)
        summary, value = report.summary, report.summary.to_dict()
        # Pushed before judging: a task that fails has its summary as well.
        if self.do_xcom_push:
            context["ti"].xcom_push(key="return_value", value=value)
        context["ti"].xcom_push(key="results_path", value=summary.results_path)
        if not summary.dry_run and summary.rows <= MAX_RECORD_IDS:
            context["ti"].xcom_push(key="record_ids", value=report.record_ids)
        log_summary(summary)
        judge(summary, fail_on_rejects=self.fail_on_rejects)
        return value

    def _run(self, context: Context, max_record_ids: int) -> Report:
        from airflow_provider_payrecords.bulk import report_extract
        from airflow_provider_payrecords.connection import read_extras
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
        from airflow_provider_payrecords.operators.extract_run import (
            load_mapping,
            make_source,
            progress_log,
            results_place,
        )
        from airflow_provider_payrecords.operators.options import make_options

        hook = PaymentRecordsHook(self.payrecords_conn_id)
        options = make_options(self.options, read_extras(hook.connection).rate_limit)
        source, mapping = make_source(self.extract), load_mapping(self.mapping)
        self.log.info("%s as %s in %s mode", source.name, mapping.endpoint, hook.settings.mode)
        with closing(hook.ledger()) as ledger:
            return report_extract(
                source,
                mapping,
                settings=hook.settings,
                ledger=ledger,
                options=options.model_copy(update={"dry_run": True}) if self._dry else options,
                results=results_place(self.results, context),
                ledger_name=ledger.name,
                max_record_ids=max_record_ids,
                should_stop=self._stopping.is_set,
                on_progress=progress_log(),
            )

    def on_kill(self) -> None:
        """Ask the run to end: it takes no new rows and settles what is on its way, within about two seconds."""
        stopping: threading.Event | None = getattr(self, "_stopping", None)
        if stopping is not None:
            stopping.set()


class PlanExtractOperator(_ExtractOperator):
    """
    Say what reporting an extract would do. Sends nothing, and the ledger does not change.

    XCom:
        * ``return_value``: the run's summary, at most 4 KiB; its ``counts`` have ``new`` for what would be sent.
        * ``results_path``: one line per row, and what would become of it.

    Args:
        extract: A path or glob, a ``scheme://`` address, an ``ObjectStoragePath``, rows (the output of another task),
            or a query ``{"conn_id": …, "sql": …, "parameters": …}``. A query needs a stable ORDER BY. Rows are shown
            under *Rendered Templates*; a path is not read there.
        mapping: Columns → request fields: a mapping, or the path of a YAML file. None: columns are request fields.
        results: Where the results file goes: ``.jsonl``, ``.csv`` or ``.parquet``. None: a file named after DAG, run
            and task under ``[payrecords] results``.
        options: Any of ``RunOptions``, such as ``{"concurrency": 4}``; what is left out comes from ``[payrecords]``.
        fail_on_rejects: Whether rejected rows and rows for review make the task fail. If not, the task is green, warns
            and names them in the summary: the other payments are reported, and rows do not heal by waking someone up.
        payrecords_conn_id: Connection of type ``payrecords``. A live key in it is the permission to report live.
    """

    _dry = True


class ReportExtractOperator(_ExtractOperator):
    """
    Report every payment of an extract, each exactly once whatever happened before.

    A retry, a clear or another run on the same ledger sends only what is not confirmed there. A run that ends with
    payments whose outcome is open fails and may be retried. A run that a rule stopped (``canary``,
    ``stop_after_rejects``, ``on_reject``), or a key or permission, fails without retries: somebody is to look first.

    XCom:
        * ``return_value``: the run's summary, at most 4 KiB: counts, money in minor units, first rejects, where results
          are. Also pushed when the task fails.
        * ``record_ids``: ids of the confirmed records in row order, if there are at most 1024 rows. Airflow maps over
          what a task returns only, so hand them through a ``@task`` to map over them.
        * ``results_path``: one line per row.

    The arguments are those of ``PlanExtractOperator``. ``options={"dry_run": True}`` makes it a plan.
    """

    _dry = False
