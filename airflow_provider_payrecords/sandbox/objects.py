"""
The objects a sandbox holds, and the one place that changes them.

All but ``Holdings`` are frozen values: a call makes new ones, puts them into a ``Change``, and ``Holdings.apply`` takes
the change over whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.sandbox.details import Details
from airflow_provider_payrecords.sandbox.errors import no_such

DEFAULT_ACCOUNT = "acct_sandbox"
"""The account that every accepted key belongs to."""


@dataclass(frozen=True, slots=True)
class Realm:
    """Where objects live: two realms never see each other's."""

    account: str = DEFAULT_ACCOUNT
    livemode: bool = False

    @property
    def mode(self) -> str:
        """``test`` or ``live``."""
        return "live" if self.livemode else "test"


@dataclass(frozen=True, slots=True)
class Moment:
    """
    What a call needs from outside.

    Attributes:
        now: Epoch seconds.
        new_id: Prefix, such as ``pr``, → an id that was never given out.
    """

    now: int
    new_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. ``value`` and ``refunded`` are minor units of ``currency``."""

    id: str
    record: str
    created: int
    value: int
    currency: str
    state: RecordState
    details: Details
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """
    One payment. Everything else it shows is its latest attempt's.

    Attributes:
        position: Place in the order of creation, from 0.
        attempts: Ids, oldest first.
    """

    id: str
    created: int
    position: int
    attempts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """A record's part in paying an invoice. ``status`` is open, paid or canceled."""

    id: str
    invoice: str
    record: str
    created: int
    amount_requested: int
    currency: str
    status: str = "open"
    amount_paid: int | None = None
    paid_at: int | None = None
    canceled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, as far as attaching a payment concerns it. Amounts are minor units of ``currency``."""

    id: str
    created: int
    amount_due: int
    currency: str
    status: str
    customer: str | None = None
    amount_paid: int = 0
    amount_overpaid: int = 0
    paid_at: int | None = None
    payments: tuple[str, ...] = ()

    @property
    def amount_remaining(self) -> int:
        """What is still to be paid."""
        return self.amount_due - self.amount_paid


@dataclass(frozen=True, slots=True)
class Change:
    """What one call does, as the new values of everything it touches. Applied whole or not at all."""

    records: tuple[Record, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    invoice_payments: tuple[InvoicePayment, ...] = ()
    refund_references: tuple[str, ...] = ()


@dataclass(slots=True)
class Holdings:
    """All objects of one realm, each mapping in the order of creation."""

    records: dict[str, Record] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    invoice_payments: dict[str, InvoicePayment] = field(default_factory=dict)
    refund_references: set[str] = field(default_factory=set)
    order: list[Record] = field(default_factory=list)
    """Records as they were created. Their times never fall, so this is the order of lists as well."""

    def apply(self, change: Change) -> None:
        """Take over the new values of *change*."""
        for record in change.records:
            self.records[record.id] = record
            self.order[record.position : record.position + 1] = [record]
        self.attempts.update((one.id, one) for one in change.attempts)
        self.invoices.update((one.id, one) for one in change.invoices)
        self.invoice_payments.update((one.id, one) for one in change.invoice_payments)
        self.refund_references.update(change.refund_references)

    def record(self, identifier: str, param: str = "id") -> Record:
        """Return a record, or raise the 404 that blames *param*."""
        if identifier not in self.records:
            raise no_such("payment_record", identifier, param)
        return self.records[identifier]

    def latest(self, record: Record) -> Attempt:
        """Return the latest attempt of *record*."""
        return self.attempts[record.attempts[-1]]
