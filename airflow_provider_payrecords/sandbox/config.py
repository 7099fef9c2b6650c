"""What a sandbox can be told: keys, limits, models, seeds. One frozen value, unknown names are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.money import normalize_currency
from airflow_provider_payrecords.sandbox.faults import Fault, FaultMix
from airflow_provider_payrecords.sandbox.objects import DEFAULT_ACCOUNT
from airflow_provider_payrecords.sandbox.state import RefundModel

_CLOSED = ConfigDict(frozen=True, extra="forbid")


class RateLimits(BaseModel):
    """
    Requests per second. None turns one off.

    Source:
        https://docs.stripe.com/rate-limits
    """

    model_config = _CLOSED

    test: float | None = Field(default=25, gt=0)
    live: float | None = Field(default=100, gt=0)
    endpoint: float | None = Field(default=25, gt=0)


class InvoiceSeed(BaseModel):
    """
    An invoice to begin with.

    Attributes:
        amount_due: Minor units of ``currency``.
        account: Account that owns it; the sandbox's own by default.
    """

    model_config = _CLOSED

    amount_due: int = Field(ge=0)
    currency: Annotated[str, BeforeValidator(normalize_currency)]
    id: str | None = Field(default=None, pattern=r"^in_[A-Za-z0-9]+$")
    status: Literal["draft", "open", "paid", "uncollectible", "void"] = "open"
    customer: str | None = None
    account: str = DEFAULT_ACCOUNT
    livemode: bool = False


class SandboxConfig(BaseModel):
    """
    Everything that can be set on a sandbox.

    Attributes:
        keys: The only API keys accepted. None takes any well-formed secret or restricted key.
        revoked_keys: Keys answered with ``api_key_expired``.
        permissions: Restricted keys (``rk_…``) and all they may do, such as ``payment_records_write``. A restricted
            key that is not named may do everything.
        default_version: API version of requests without a ``Stripe-Version`` header.
        rate_limits: None turns all limits off.
        idempotency_hours: How long an answer is kept under its idempotency key.
        faults: Scripted trouble, in order.
        fault_mix: Random trouble.
    """

    model_config = _CLOSED

    keys: frozenset[str] | None = None
    revoked_keys: frozenset[str] = frozenset()
    permissions: Mapping[str, frozenset[str]] = Field(default_factory=dict)
    default_version: str = STRIPE_VERSION
    rate_limits: RateLimits | None = RateLimits()
    refund_model: RefundModel = "move"
    idempotency_hours: float = Field(default=24, gt=0)
    invoices: tuple[InvoiceSeed, ...] = ()
    faults: tuple[Fault, ...] = ()
    fault_mix: FaultMix | None = None
