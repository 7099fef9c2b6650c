"""
One frozen command an endpoint: its path, its fields, the type of its answer.

Commands are data. A command that exists passed every rule of the API that is published, so a client has one verb,
``send(command)``. Field names are the API's; the id in the path is a field as well, named after what it identifies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.models import Invoice, Page, PaymentAttemptRecord, PaymentRecord
from airflow_provider_payrecords.core.parameters import (
    Amount,
    Canceled,
    ClearableShippingDetails,
    ClearableText,
    CustomerDetails,
    CustomerPresence,
    EpochSeconds,
    Expand,
    Failed,
    Guaranteed,
    Identifier,
    Integer,
    Metadata,
    Outcome,
    Parameter,
    PaymentMethodDetails,
    PaymentProcessorDetails,
    Refunded,
    RefundProcessorDetails,
    ShippingDetails,
    Text,
)
from airflow_provider_payrecords.core.problems import explain

STRIPE_VERSION = "2026-10-28.endive"
"""The API version these commands and the answer models follow."""


class Command(Parameter):
    """
    One call of the API.

    Attributes:
        endpoint: Name of the call, as used in ledgers, mappings and on the command line.
        path_parameter: Name of the field that goes into the path, or None.
        answer: Model of the answer.
        money_field: Name of the field with the amount that the payment or refund is about, or None.
    """

    endpoint: ClassVar[str]
    method: ClassVar[Literal["GET", "POST"]] = "POST"
    path: ClassVar[str]
    path_parameter: ClassVar[str | None] = None
    answer: ClassVar[type[Any]] = PaymentRecord
    money_field: ClassVar[str | None] = None

    expand: Expand | None = None

    def url_path(self) -> str:
        """Return the path with the id percent-encoded."""
        if self.path_parameter is None:
            return self.path
        return self.path.replace("{" + self.path_parameter + "}", quote(getattr(self, self.path_parameter), safe=""))

    def params(self) -> dict[str, Any]:
        """Return what goes into the form or the query: nested, unset fields and the path's id left out."""
        exclude = {self.path_parameter} if self.path_parameter else None
        return self.model_dump(exclude=exclude, exclude_none=True)

    def money(self) -> Amount | None:
        """Return the amount that the payment or refund is about, or None where the command names none."""
        return getattr(self, self.money_field) if self.money_field else None


class _WithOutcome(Command):
    """Shared by the two calls that make an attempt: the outcome and the detail object that belongs to it."""

    by_presence = frozenset({"_detail_fits_outcome"})

    canceled: Canceled | None = None
    description: Text | None = None
    failed: Failed | None = None
    guaranteed: Guaranteed | None = None
    initiated_at: EpochSeconds
    metadata: Metadata | None = None
    outcome: Outcome | None = None
    shipping_details: ShippingDetails | None = None

    @model_validator(mode="after")
    def _detail_fits_outcome(self) -> _WithOutcome:
        for name in ("canceled", "failed", "guaranteed"):
            given = getattr(self, name) is not None
            if given and self.outcome != name:
                raise PydanticCustomError(
                    "detail_mismatch", "Send {name} only with outcome={name}.", {"name": name, "field": name}
                )
            if self.outcome == name and not given:
                raise PydanticCustomError(
                    "detail_missing",
                    "outcome={name} needs {name}.{name}_at, the time it happened.",
                    {"name": name, "field": f"{name}.{name}_at"},
                )
        return self


class ReportPayment(_WithOutcome):
    """
    Create a record and its first attempt, pending or with an outcome.

    Source:
        https://docs.stripe.com/api/payment-record/report-payment
    """

    endpoint = "report_payment"
    path = "/v1/payment_records/report_payment"
    money_field = "amount_requested"

    amount_requested: Amount
    customer_details: CustomerDetails | None = None
    customer_presence: CustomerPresence | None = None
    payment_method_details: PaymentMethodDetails
    processor_details: PaymentProcessorDetails | None = None


class _OnRecord(Command):
    """Shared by the calls on one record, named in the path."""

    path_parameter = "payment_record"
    payment_record: Identifier


class ReportPaymentAttempt(_OnRecord, _WithOutcome):
    """
    Add an attempt to a record. Legal only if every earlier attempt is canceled or failed.

    Source:
        https://docs.stripe.com/api/payment-record/report-payment-attempt
    """

    endpoint = "report_payment_attempt"
    path = "/v1/payment_records/{payment_record}/report_payment_attempt"

    payment_method_details: PaymentMethodDetails | None = None


class ReportPaymentAttemptGuaranteed(_OnRecord):
    """
    Say that the processor promises the money of the latest attempt.

    Source:
        https://docs.stripe.com/api/payment-record/report-payment-attempt-guaranteed
    """

    endpoint = "report_payment_attempt_guaranteed"
    path = "/v1/payment_records/{payment_record}/report_payment_attempt_guaranteed"

    guaranteed_at: EpochSeconds
    metadata: Metadata | None = None


class ReportPaymentAttemptFailed(_OnRecord):
    """
    Say that the latest attempt failed.

    Source:
        https://docs.stripe.com/api/payment-record/report-payment-attempt-failed
    """

    endpoint = "report_payment_attempt_failed"
    path = "/v1/payment_records/{payment_record}/report_payment_attempt_failed"

    failed_at: EpochSeconds
    metadata: Metadata | None = None


class ReportPaymentAttemptCanceled(_OnRecord):
    """
    Say that the latest attempt was canceled.

    Source:
        https://docs.stripe.com/api/payment-record/report-payment-attempt-canceled
    """

    endpoint = "report_payment_attempt_canceled"
    path = "/v1/payment_records/{payment_record}/report_payment_attempt_canceled"

    canceled_at: EpochSeconds
    metadata: Metadata | None = None


class ReportPaymentAttemptInformational(_OnRecord):
    """
    Amend descriptive data. ``description=""`` and ``shipping_details=""`` erase those values.

    Source:
        https://docs.stripe.com/api/payment-record/report-payment-attempt-informational
    """

    endpoint = "report_payment_attempt_informational"
    path = "/v1/payment_records/{payment_record}/report_payment_attempt_informational"

    customer_details: CustomerDetails | None = None
    description: ClearableText | None = None
    metadata: Metadata | None = None
    shipping_details: ClearableShippingDetails | None = None


class ReportRefund(_OnRecord):
    """
    Say that money of the latest attempt went back to the buyer. Without ``amount``: all that is still refundable.

    Source:
        https://docs.stripe.com/api/payment-record/report-refund
    """

    endpoint = "report_refund"
    path = "/v1/payment_records/{payment_record}/report_refund"
    money_field = "amount"

    amount: Amount | None = None
    initiated_at: EpochSeconds | None = None
    metadata: Metadata | None = None
    outcome: Literal["refunded"]
    processor_details: RefundProcessorDetails
    refunded: Refunded | None = None


class RetrievePaymentRecord(_OnRecord):
    """
    Read one record. A PaymentIntent id is taken for payments that Stripe processed.

    Source:
        https://docs.stripe.com/api/payment-record/retrieve
    """

    endpoint = "retrieve_payment_record"
    method = "GET"
    path = "/v1/payment_records/{payment_record}"


Limit = Integer
_LIMIT = Field(default=None, ge=1, le=100)


class ListPaymentRecords(Command):
    """
    Page through records, newest first. The time filters are Unix seconds and presumably exclusive.

    Source:
        stripe-python 16.1.0; no reference page names the filters
    """

    endpoint = "list_payment_records"
    method = "GET"
    path = "/v1/payment_records"
    answer = Page[PaymentRecord]

    created_after: EpochSeconds | None = None
    created_before: EpochSeconds | None = None
    ending_before: Text | None = None
    limit: Limit | None = _LIMIT
    starting_after: Text | None = None

    @model_validator(mode="after")
    def _one_cursor(self) -> ListPaymentRecords:
        if self.starting_after is not None and self.ending_before is not None:
            raise PydanticCustomError(
                "parameters_exclusive", "Send starting_after or ending_before, not both.", {"field": "ending_before"}
            )
        return self


class RetrievePaymentAttemptRecord(Command):
    """
    Read one attempt.

    Source:
        https://docs.stripe.com/api/payment-attempt-record/retrieve
    """

    endpoint = "retrieve_payment_attempt_record"
    method = "GET"
    path = "/v1/payment_attempt_records/{payment_attempt_record}"
    path_parameter = "payment_attempt_record"
    answer = PaymentAttemptRecord

    payment_attempt_record: Identifier


class ListPaymentAttemptRecords(Command):
    """
    Page through the attempts of one record, newest first.

    Source:
        https://docs.stripe.com/api/payment-attempt-record/list
    """

    endpoint = "list_payment_attempt_records"
    method = "GET"
    path = "/v1/payment_attempt_records"
    answer = Page[PaymentAttemptRecord]

    limit: Limit | None = _LIMIT
    payment_record: Text
    starting_after: Text | None = None


class AttachPayment(Command):
    """
    Attach a payment to an invoice: exactly one of ``payment_record`` and ``payment_intent``.

    Source:
        https://docs.stripe.com/api/invoices/attach_payment
    """

    endpoint = "attach_payment"
    path = "/v1/invoices/{invoice}/attach_payment"
    path_parameter = "invoice"
    answer = Invoice

    invoice: Identifier
    payment_intent: Text | None = None
    payment_record: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> AttachPayment:
        if (self.payment_intent is None) == (self.payment_record is None):
            raise PydanticCustomError(
                "parameter_missing",
                "Send exactly one of payment_record and payment_intent.",
                {"field": "payment_record"},
            )
        return self


COMMANDS: dict[str, type[Command]] = {
    command.endpoint: command
    for command in (
        ReportPayment,
        ReportPaymentAttempt,
        ReportPaymentAttemptGuaranteed,
        ReportPaymentAttemptFailed,
        ReportPaymentAttemptCanceled,
        ReportPaymentAttemptInformational,
        ReportRefund,
        RetrievePaymentRecord,
        ListPaymentRecords,
        RetrievePaymentAttemptRecord,
        ListPaymentAttemptRecords,
        AttachPayment,
    )
}
"""Every command by its endpoint's name."""

CommandT = TypeVar("CommandT", bound=Command)


def build(command_type: type[CommandT], values: Mapping[str, Any]) -> CommandT:
    """
    Make a command of *values*, or say everything that is wrong with them.

    Args:
        values: Fields of the command, nested as the API nests them.

    Raises:
        CommandError: Its ``problems`` name each field by its dotted path. No value is repeated.
    """
    try:
        return command_type.model_validate(dict(values))
    except ValidationError as error:
        problems = [explain(detail) for detail in error.errors(include_url=False, include_input=False)]
    unique = list({(one["field"], one["code"]): one for one in problems}.values())
    text = "; ".join(f"{one['field']}: {one['message']}" for one in unique)
    raise CommandError(f"{command_type.endpoint} cannot be sent. {text}", problems=unique)
