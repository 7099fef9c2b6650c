"""Many rows: report an extract, or plan it and send nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_payrecords.links.payment_record import PaymentRecordLink
from airflow_provider_payrecords.operators.reading import ReadingOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context
    from airflow_provider_payrecords.bulk import Report
    from airflow_provider_payrecords.bulk.choice import Choice
    from airflow_provider_payrecords.extract import Extract
    from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
    from airflow_provider_payrecords.operators.lineage import Lineage

__all__ = ["PlanExtractOperator", "ReportExtractOperator"]


class ExtractOperator(ReadingOperator):
    """Reads an extract through a mapping and runs it, or plans the run."""

    template_fields: Sequence[str] = ("extract", "mapping", "results", "options", "partition", "payrecords_conn_id")
    operator_extra_links = (PaymentRecordLink(),)

    fail_on_canary = True

    _dry: ClassVar[bool]
    _lineage: Lineage | None = None
    """Set by ``execute``, for whoever asks when it has ended."""

    def __init__(self, *, partition: str | None = None, fail_on_rejects: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partition = partition
        self.fail_on_rejects = fail_on_rejects

    def execute(self, context: Context) -> dict[str, Any]:
        """Run, push what Airflow may keep, and return the summary."""
        return self._report(context, self.extract)

    def _report(self, context: Context, extract: Any) -> dict[str, Any]:
        # Heavy, and of no use to whoever only parses the DAG.
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
        from airflow_provider_payrecords.operators.extract_run import judge, log_summary, make_source, push
        from airflow_provider_payrecords.operators.failure import failing_for_good
        from airflow_provider_payrecords.operators.telling import lineage_of_extract, tell_of_run

        self._stopping = threading.Event()
        with failing_for_good():
            hook, source = PaymentRecordsHook(self.payrecords_conn_id), make_source(extract)
            self._lineage = lineage_of_extract(source)
            report = self._run(context, hook, source)
        push(context, report, with_return_value=self.do_xcom_push)
        self._lineage = tell_of_run(self, context, hook, source, report)
        log_summary(report.summary)
        judge(report.summary, fail_on_rejects=self.fail_on_rejects, fail_on_canary=self.fail_on_canary)
        return report.summary.to_dict()

    def _run(self, context: Context, hook: PaymentRecordsHook, source: Extract) -> Report:
        from airflow_provider_payrecords.bulk import report_extract
        from airflow_provider_payrecords.connection import read_extras
        from airflow_provider_payrecords.operators.extract_run import (
            MAX_RECORD_IDS,
            load_mapping,
            progress_log,
            results_place,
            task_of,
        )
        from airflow_provider_payrecords.operators.options import make_options

        options = make_options(self.options, read_extras(hook.connection).rate_limit, self.partition)
        mapping = load_mapping(self.mapping)
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
                max_record_ids=MAX_RECORD_IDS,
                choice=self._choice(),
                should_stop=self._stopping.is_set,
                on_progress=progress_log(),
                started_by=task_of(context),
            )

    def _choice(self) -> Choice | None:
        """Return which rows are taken, or None for all."""
        return None

    def get_openlineage_facets_on_start(self) -> Any:
        """Return the extract that is about to be read. Asks nobody: the connection is not looked up for this."""
        from airflow_provider_payrecords.operators.lineage import Lineage, extract_address, operator_lineage

        name = str(self.extract) if isinstance(self.extract, (str, PathLike)) else ""
        return operator_lineage(Lineage(extract=extract_address(name) if name else None))

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002 - asked for by its name
        """Return what was read and what was reported."""
        from airflow_provider_payrecords.operators.lineage import operator_lineage

        return operator_lineage(self._lineage) if self._lineage else None

    get_openlineage_facets_on_failure = get_openlineage_facets_on_complete


class PlanExtractOperator(ExtractOperator):
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
        partition: Take only this part of the rows, such as ``3/8``. Map over ``partitions(8)`` to share an extract
            between eight tasks: rows are told apart by the hash of their keys, so each is in one part.
        fail_on_rejects: Whether rejected rows and rows for review make the task fail. If not, the task is green, warns
            and names them in the summary: the other payments are reported, and rows do not heal by waking someone up.
        payrecords_conn_id: Connection of type ``payrecords``. A live key in it is the permission to report live.
    """

    _dry = True


class ReportExtractOperator(ExtractOperator):
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

    The arguments are those of ``PlanExtractOperator`` and one more. ``options={"dry_run": True}`` makes it a plan.

    Args:
        fail_on_canary: Whether a run that its ``canary`` stopped fails, so that nothing goes on before somebody has
            looked. False: it succeeds if no payment of the canary is left open, and the next task goes on.
    """

    _dry = False

    def __init__(self, *, fail_on_canary: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fail_on_canary = fail_on_canary
