"""The link to a Payment Record on a task's *Details* tab."""

from __future__ import annotations

from typing import Any

from airflow_provider_payrecords._airflow import BaseOperatorLink


class PaymentRecordLink(BaseOperatorLink):
    """
    Leads to the record in Stripe's Dashboard; for a sandbox, to its page there.

    For operators with ``payrecords_conn_id`` whose ``return_value`` is a record's id, or whose ``record_ids`` hold the
    ids of a run: then to the first of them. Empty where a task reported nothing.
    """

    name = "Payment Record"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address. Airflow asks once, on the worker, when the task has ended."""
        from airflow_provider_payrecords._airflow import XCom
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
        from airflow_provider_payrecords.links.dashboard import record_url

        value = XCom.get_value(ti_key=ti_key, key="return_value")
        found = [value] if isinstance(value, str) else XCom.get_value(ti_key=ti_key, key="record_ids") or []
        if not found:
            return ""
        settings = PaymentRecordsHook(operator.payrecords_conn_id).settings
        return record_url(
            found[0], api_base=settings.api_base, mode=settings.mode, stripe_account=settings.stripe_account
        )
