"""An extract compared with the ledger and with what the API holds."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow_provider_payrecords.operators.reading import ReadingOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context
    from airflow_provider_payrecords.bulk import Reconciliation

__all__ = ["ReconcileOperator"]


class ReconcileOperator(ReadingOperator):
    """
    Compare an extract with the ledger and with Stripe: missing, extra and different, per row and in total.

    Reads only: it sends no payment, and no ledger entry changes.

    XCom:
        * ``return_value``: the comparison's summary, at most 4 KiB: counts, money by currency, first findings. Also
          pushed when the task fails.
        * ``results_path``: one line per finding.

    Args:
        extract: As in ``ReportExtractOperator``.
        mapping: As in ``ReportExtractOperator``; its endpoint must be ``report_payment``.
        results: Where the findings go: ``.csv``, ``.jsonl``, ``.json`` or ``.parquet``. None: a file named after DAG,
            run and task under ``[payrecords] results``.
        options: Any of ``ReconcileOptions``, such as ``{"partial": True}``.
        fail_on_differences: Whether a difference makes the task fail. What could not be checked always does.
        payrecords_conn_id: Connection of type ``payrecords``; a key that may read is enough.
    """

    def __init__(self, *, fail_on_differences: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fail_on_differences = fail_on_differences

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, push what was found, and return the summary."""
        from airflow_provider_payrecords.operators.failure import failing_for_good
        from airflow_provider_payrecords.operators.judging import judge_reconciliation, log_reconciliation

        self._stopping = threading.Event()
        with failing_for_good():
            summary = self._compare(context)
        value = summary.to_dict()
        # Pushed before judging: a task that fails has its summary as well.
        if self.do_xcom_push:
            context["ti"].xcom_push(key="return_value", value=value)
        context["ti"].xcom_push(key="results_path", value=summary.results_path)
        log_reconciliation(summary)
        judge_reconciliation(summary, fail_on_differences=self.fail_on_differences)
        return value

    def _compare(self, context: Context) -> Reconciliation:
        from airflow_provider_payrecords.bulk import reconcile_extract
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
        from airflow_provider_payrecords.operators.extract_run import load_mapping, make_source, results_place
        from airflow_provider_payrecords.operators.judging import make_reconcile_options

        hook = PaymentRecordsHook(self.payrecords_conn_id)
        with closing(hook.ledger()) as ledger:
            return reconcile_extract(
                make_source(self.extract),
                load_mapping(self.mapping),
                settings=hook.settings,
                ledger=ledger,
                options=make_reconcile_options(self.options, hook),
                results=results_place(self.results, context),
                ledger_name=ledger.name,
                should_stop=self._stopping.is_set,
            )
