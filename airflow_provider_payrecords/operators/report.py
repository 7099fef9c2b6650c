"""
One call of the API each: report a payment, what became of it, a refund; attach a payment to an invoice.

Fields are spelled as the API spells them. See ``OneCallOperator`` for what all of them share: ledger, XCom, keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_payrecords.operators.one_call import SHARED_TEMPLATE_FIELDS, OneCallOperator

__all__ = [
    "AttachPaymentOperator",
    "ReportPaymentAttemptCanceledOperator",
    "ReportPaymentAttemptFailedOperator",
    "ReportPaymentAttemptGuaranteedOperator",
    "ReportPaymentAttemptInformationalOperator",
    "ReportPaymentAttemptOperator",
    "ReportPaymentOperator",
    "ReportRefundOperator",
]

When = int | str | datetime
"""Unix seconds, as a number or as the digits a template renders; or an aware ``datetime``."""


class ReportPaymentOperator(OneCallOperator):
    """
    Report one payment that was processed elsewhere.

    Args:
        payment: Fields of ``report_payment``. ``amount_requested.value`` is in minor units: 4950 is 49.50 EUR.
    """

    endpoint = "report_payment"
    body = "payment"
    template_fields: Sequence[str] = ("payment", *SHARED_TEMPLATE_FIELDS)

    def __init__(self, *, payment: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.payment = payment


class ReportPaymentAttemptOperator(OneCallOperator):
    """
    Report another attempt at a payment whose earlier attempts all failed or were canceled.

    Args:
        payment_record: Id of the record, ``pr_…``.
        attempt: Fields of ``report_payment_attempt``; ``initiated_at`` in Unix seconds at least.
    """

    endpoint = "report_payment_attempt"
    body = "attempt"
    flat = ("payment_record",)
    template_fields: Sequence[str] = ("payment_record", "attempt", *SHARED_TEMPLATE_FIELDS)

    def __init__(self, *, payment_record: str, attempt: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.attempt = attempt


class ReportPaymentAttemptGuaranteedOperator(OneCallOperator):
    """
    Report that the processor promises the money of the latest attempt.

    Args:
        payment_record: Id of the record, ``pr_…``.
        guaranteed_at: Unix seconds, or an aware datetime.
        metadata: Merged into the record's; None leaves it as it is.
    """

    endpoint = "report_payment_attempt_guaranteed"
    flat = ("payment_record", "guaranteed_at", "metadata")
    template_fields: Sequence[str] = ("payment_record", "guaranteed_at", "metadata", *SHARED_TEMPLATE_FIELDS)

    def __init__(
        self, *, payment_record: str, guaranteed_at: When, metadata: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.guaranteed_at = guaranteed_at
        self.metadata = metadata


class ReportPaymentAttemptFailedOperator(OneCallOperator):
    """
    Report that the latest attempt failed.

    Args:
        payment_record: Id of the record, ``pr_…``.
        failed_at: Unix seconds, or an aware datetime.
        metadata: Merged into the record's; None leaves it as it is.
    """

    endpoint = "report_payment_attempt_failed"
    flat = ("payment_record", "failed_at", "metadata")
    template_fields: Sequence[str] = ("payment_record", "failed_at", "metadata", *SHARED_TEMPLATE_FIELDS)

    def __init__(
        self, *, payment_record: str, failed_at: When, metadata: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.failed_at = failed_at
        self.metadata = metadata


class ReportPaymentAttemptCanceledOperator(OneCallOperator):
    """
    Report that the latest attempt was canceled.

    Args:
        payment_record: Id of the record, ``pr_…``.
        canceled_at: Unix seconds, or an aware datetime.
        metadata: Merged into the record's; None leaves it as it is.
    """

    endpoint = "report_payment_attempt_canceled"
    flat = ("payment_record", "canceled_at", "metadata")
    template_fields: Sequence[str] = ("payment_record", "canceled_at", "metadata", *SHARED_TEMPLATE_FIELDS)

    def __init__(
        self, *, payment_record: str, canceled_at: When, metadata: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.canceled_at = canceled_at
        self.metadata = metadata


class ReportPaymentAttemptInformationalOperator(OneCallOperator):
    """
    Amend what describes a payment: customer, description, metadata, shipping. Moves no money.

    Args:
        payment_record: Id of the record, ``pr_…``.
        details: Fields of ``report_payment_attempt_informational``; ``""`` erases description or shipping.
    """

    endpoint = "report_payment_attempt_informational"
    body = "details"
    flat = ("payment_record",)
    template_fields: Sequence[str] = ("payment_record", "details", *SHARED_TEMPLATE_FIELDS)

    def __init__(self, *, payment_record: str, details: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.details = details


class ReportRefundOperator(OneCallOperator):
    """
    Report that money of a payment went back to the buyer.

    Args:
        payment_record: Id of the record, ``pr_…``.
        refund: Fields of ``report_refund``. Without ``amount``: all that is still refundable. Give each refund a
            ``processor_details.custom.refund_reference`` of its own, else ``key=``.
    """

    endpoint = "report_refund"
    body = "refund"
    flat = ("payment_record",)
    template_fields: Sequence[str] = ("payment_record", "refund", *SHARED_TEMPLATE_FIELDS)

    def __init__(self, *, payment_record: str, refund: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.refund = refund


class AttachPaymentOperator(OneCallOperator):
    """
    Attach a payment to an invoice. A guaranteed payment pays it. ``return_value`` is what was attached.

    Args:
        invoice: Id of the invoice, ``in_…``.
        payment_record: Id of the record to attach, ``pr_…``.
        payment_intent: Id of a payment intent instead, ``pi_…``.
    """

    endpoint = "attach_payment"
    flat = ("invoice", "payment_record", "payment_intent")
    template_fields: Sequence[str] = ("invoice", "payment_record", "payment_intent", *SHARED_TEMPLATE_FIELDS)

    def __init__(
        self, *, invoice: str, payment_record: str | None = None, payment_intent: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.invoice = invoice
        self.payment_record = payment_record
        self.payment_intent = payment_intent
