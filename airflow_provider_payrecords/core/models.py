"""
What the API answers, field names exactly as it spells them.

Reading is lenient where writing is strict: only ``id`` must be there, and fields nobody knows yet are kept. What says
that it is something else, and a list that does not say whether more follows, is no answer. A record has no status
field; its state is read off the amount buckets.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Base of everything read: frozen, and unknown fields are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)


class RecordState(str, Enum):
    """State of a record's latest attempt, read off the amount buckets."""

    PENDING = "pending"
    FAILED = "failed"
    CANCELED = "canceled"
    GUARANTEED = "guaranteed"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class Money(Answer):
    """An amount in minor units of a lowercase ISO 4217 currency."""

    currency: str
    value: int


class _Buckets(Answer):
    """What records and attempts share."""

    id: str = Field(min_length=1)
    amount: Money | None = None
    amount_authorized: Money | None = None
    amount_canceled: Money | None = None
    amount_failed: Money | None = None
    amount_guaranteed: Money | None = None
    amount_refunded: Money | None = None
    amount_requested: Money | None = None
    application: str | None = None
    created: int | None = None
    customer_details: dict[str, Any] | None = None
    customer_presence: str | None = None
    description: str | None = None
    livemode: bool | None = None
    metadata: dict[str, str] | None = None
    payment_method_details: dict[str, Any] | None = None
    processor_details: dict[str, Any] | None = None
    reported_by: str | None = None
    shipping_details: dict[str, Any] | None = None

    @property
    def state(self) -> RecordState:
        """
        The state that the amount buckets show.

        Works whether a refund lowers ``amount_guaranteed`` or leaves it; which of the two happens is not published.
        """
        refunded = _value(self.amount_refunded)
        if refunded:
            whole = _value(self.amount_requested) or _value(self.amount)
            return RecordState.REFUNDED if refunded >= whole else RecordState.PARTIALLY_REFUNDED
        for bucket, state in (
            (self.amount_guaranteed, RecordState.GUARANTEED),
            (self.amount_failed, RecordState.FAILED),
            (self.amount_canceled, RecordState.CANCELED),
        ):
            if _value(bucket):
                return state
        return RecordState.PENDING

    @property
    def refundable(self) -> int:
        """Minor units that can still be reported as refunded."""
        if not (_value(self.amount_guaranteed) or _value(self.amount_refunded)):
            return 0
        return _value(self.amount_requested) - _value(self.amount_refunded)


class PaymentRecord(_Buckets):
    """
    One payment. Its buckets mirror the latest attempt.

    Source:
        https://docs.stripe.com/api/payment-record/object
    """

    object: Literal["payment_record"] | None = None
    latest_payment_attempt_record: str | None = None


class Receipt(Answer):
    """
    What a run needs of the record that a report is answered with. The rest is neither read nor judged.

    A field of it that looks other than expected would not make the payment any less reported.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: str = Field(min_length=1)
    object: Literal["payment_record"] | None = None
    latest_payment_attempt_record: str | None = None


class PaymentAttemptRecord(_Buckets):
    """
    One try at collecting the money of a record.

    Source:
        https://docs.stripe.com/api/payment-attempt-record/object
    """

    object: Literal["payment_attempt_record"] | None = None
    payment_record: str | None = None


class Invoice(Answer):
    """
    The part of an invoice that attaching a payment changes. Amounts are in minor units of ``currency``.

    Source:
        https://docs.stripe.com/api/invoices/attach_payment
    """

    id: str = Field(min_length=1)
    object: Literal["invoice"] | None = None
    status: str | None = None
    currency: str | None = None
    amount_due: int | None = None
    amount_paid: int | None = None
    amount_remaining: int | None = None


ItemT = TypeVar("ItemT", bound=Answer)


class Page(Answer, Generic[ItemT]):
    """
    One page of a list, newest first.

    Source:
        https://docs.stripe.com/api/pagination
    """

    object: Literal["list"] | None = None
    url: str | None = None
    has_more: bool
    data: list[ItemT]


def _value(money: Money | None) -> int:
    return money.value if money is not None else 0
