"""
Task decorators: ``@task.report_payment`` and ``@task.report_payments``.

The same functions can be imported from here, with their types:
``from airflow_provider_payrecords.decorators import report_payments``.
"""

from airflow_provider_payrecords.decorators.payment import report_payment
from airflow_provider_payrecords.decorators.payments import report_payments

__all__ = ["report_payment", "report_payments"]
