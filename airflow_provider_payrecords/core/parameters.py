"""
The objects inside requests: frozen, closed, field names exactly as the API spells them.

Source:
    stripe-python 16.1.0 for fields, types and enums; the published API specification for lengths
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    StrictStr,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from airflow_provider_payrecords.core.money import MoneyError, check_minor_units, normalize_currency

MAX_TEXT = 5000
MAX_EMAIL = 800
MAX_METADATA_ENTRIES = 50
MAX_METADATA_KEY = 40
MAX_METADATA_VALUE = 500
MAX_EPOCH_SECONDS = 99_999_999_999
"""Year 5138. Beyond it a number is taken for milliseconds, a mistake one official sample makes."""

_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


SET, CLEAR = "·set", "·clear"
"""Tags of the two forms of a clearable field; they show in pydantic's error locations only."""


def _set_or_clear(value: Any) -> str:
    return CLEAR if value == "" else SET


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("parameter_invalid_integer", "Send a whole number, not text or a float.")
    return value


def _epoch_seconds(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise PydanticCustomError("naive_time", "This time has no zone, so it names no instant. Add the zone.")
        return int(value.timestamp())
    return _integer(value)


def _plausible(value: int) -> int:
    if not 0 <= value <= MAX_EPOCH_SECONDS:
        raise PydanticCustomError("invalid_time", "Send Unix seconds: this is negative, or milliseconds.")
    return value


def _currency(value: Any) -> Any:
    try:
        return normalize_currency(value)
    except MoneyError as error:
        raise PydanticCustomError("unknown_currency", "{message}", {"message": error.message}) from None


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError(
            "invalid_text", "Not text: it holds half a character (a lone surrogate). Read the extract as UTF-8."
        ) from None
    return value


def _not_empty(value: str) -> str:
    if value == "":
        raise PydanticCustomError(
            "parameter_invalid_empty", "An empty string would ask to clear this field, and it cannot be cleared."
        )
    return value


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise PydanticCustomError("invalid_id", "Not an id: letters, digits and underscores only, such as pr_123.")
    return value


def _metadata(value: Any) -> Any:
    if isinstance(value, dict) and len(value) > MAX_METADATA_ENTRIES:
        raise PydanticCustomError("invalid_metadata", "Metadata takes at most 50 entries.")
    return value


def _metadata_key(value: str) -> str:
    if not 1 <= len(value) <= MAX_METADATA_KEY or "[" in value or "]" in value:
        raise PydanticCustomError("invalid_metadata", "A metadata key has 1 to 40 characters and no square brackets.")
    return value


def _metadata_value(value: str) -> str:
    if len(value) > MAX_METADATA_VALUE:
        raise PydanticCustomError("invalid_metadata", "A metadata value has at most 500 characters.")
    return value


Unicode = Annotated[StrictStr, AfterValidator(_unicode)]
Text = Annotated[Unicode, AfterValidator(_not_empty), StringConstraints(max_length=MAX_TEXT)]
ClearableText = Annotated[Unicode, StringConstraints(max_length=MAX_TEXT)]
Email = Annotated[Unicode, AfterValidator(_not_empty), StringConstraints(max_length=MAX_EMAIL)]
UnlimitedText = Annotated[Unicode, AfterValidator(_not_empty)]
Identifier = Annotated[StrictStr, AfterValidator(_not_empty), AfterValidator(_identifier)]
Currency = Annotated[str, BeforeValidator(_currency)]
Integer = Annotated[int, BeforeValidator(_integer)]
EpochSeconds = Annotated[int, BeforeValidator(_epoch_seconds), AfterValidator(_plausible)]
"""Unix seconds. An aware ``datetime`` is taken as well."""
MetadataKey = Annotated[Unicode, AfterValidator(_metadata_key)]
MetadataValue = Annotated[Unicode, AfterValidator(_metadata_value)]
Metadata = Annotated[
    Annotated[dict[MetadataKey, MetadataValue], AfterValidator(_metadata), Tag(SET)]
    | Annotated[Literal[""], Tag(CLEAR)],
    Discriminator(_set_or_clear),
]
"""Up to 50 entries. An empty value removes that entry, ``""`` for the whole removes all."""
Expand = list[Text]
"""Properties to expand in the answer, at most four levels deep."""
CustomerPresence = Literal["off_session", "on_session"]
Outcome = Literal["canceled", "failed", "guaranteed"]


class ValueRule(NamedTuple):
    """
    What a model's validator looks at, so that it can be asked without the model.

    Attributes:
        validator: Name of the validator.
        check: The rule. It raises ``CommandError``.
        fields: What *check* takes, in this order.
    """

    validator: str
    check: Callable[..., None]
    fields: tuple[str, ...]


class Parameter(BaseModel):
    """
    Base of everything inside a request: frozen, and unknown names are errors.

    ``core/shape.py`` builds no models for rows of a kind that it knows, and asks each validator of a model by what is
    said of it here. One of which nothing is said gets a model for every row.

    Attributes:
        by_presence: Names of the model's validators that look only at which fields are there, and at those with a
            closed set of values. They are asked once for all rows of a kind.
        by_value: The validator that looks at values of fields, all of which are required.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    by_presence: ClassVar[frozenset[str]] = frozenset()
    by_value: ClassVar[ValueRule | None] = None


class Amount(Parameter):
    """
    Money in minor units: 4950 of eur is forty-nine euro fifty.

    Source:
        https://docs.stripe.com/currencies
    """

    by_value = ValueRule("_fits_currency", check_minor_units, ("value", "currency"))

    currency: Currency
    value: Integer

    @model_validator(mode="after")
    def _fits_currency(self) -> Amount:
        try:
            check_minor_units(self.value, self.currency)
        except MoneyError as error:
            context = {"message": error.message, "field": "value"}
            raise PydanticCustomError(error.code, "{message}", context) from None
        return self


class Address(Parameter):
    """A postal address. ``country`` is ISO 3166-1 alpha-2, ``state`` ISO 3166-2 where it applies."""

    city: Text | None = None
    country: Text | None = None
    line1: Text | None = None
    line2: Text | None = None
    postal_code: Text | None = None
    state: Text | None = None


class BillingDetails(Parameter):
    """Billing identity tied to the payment method."""

    address: Address | None = None
    email: Email | None = None
    name: Text | None = None
    phone: UnlimitedText | None = None


class CustomPaymentMethod(Parameter):
    """The off-Stripe method: a label to show, or the id of a type made in the Dashboard (``cpmt_…``)."""

    display_name: Text | None = None
    type: Text | None = None


class PaymentMethodDetails(Parameter):
    """
    What the buyer paid with: ``type`` or ``payment_method``, or both.

    Source:
        the published API specification (at least one of the two)
    """

    by_presence = frozenset({"_names_the_method"})

    billing_details: BillingDetails | None = None
    custom: CustomPaymentMethod | None = None
    payment_method: Text | None = None
    type: Literal["custom"] | None = None

    @model_validator(mode="after")
    def _names_the_method(self) -> PaymentMethodDetails:
        if self.type is None and self.payment_method is None:
            raise PydanticCustomError("parameter_missing", "Send type or payment_method, to say what was paid with.")
        return self


class CustomerDetails(Parameter):
    """Who paid. ``customer`` is an existing Stripe customer of the same mode (``cus_…``)."""

    customer: Text | None = None
    email: Email | None = None
    name: Text | None = None
    phone: UnlimitedText | None = None


class ShippingDetails(Parameter):
    """Where goods are sent."""

    address: Address | None = None
    name: Text | None = None
    phone: UnlimitedText | None = None


ClearableShippingDetails = Annotated[
    Annotated[ShippingDetails, Tag(SET)] | Annotated[Literal[""], Tag(CLEAR)], Discriminator(_set_or_clear)
]


class PaymentReference(Parameter):
    """Reference of the outside processor: a cheque number, a processor-side id."""

    payment_reference: Text


class PaymentProcessorDetails(Parameter):
    """The outside processor of a payment."""

    custom: PaymentReference | None = None
    type: Literal["custom"]


class RefundReference(Parameter):
    """Outside id of a refund. Use a globally unique one: the published pages disagree on its scope."""

    refund_reference: Text


class RefundProcessorDetails(Parameter):
    """The outside processor of a refund."""

    custom: RefundReference | None = None
    type: Literal["custom"]


class Canceled(Parameter):
    """Detail of ``outcome=canceled``."""

    canceled_at: EpochSeconds


class Failed(Parameter):
    """Detail of ``outcome=failed``."""

    failed_at: EpochSeconds


class Guaranteed(Parameter):
    """Detail of ``outcome=guaranteed``."""

    guaranteed_at: EpochSeconds


class Refunded(Parameter):
    """When the refund finished."""

    refunded_at: EpochSeconds
