"""Values on their way in and out of a one-call operator: what templates rendered, and what goes into XCom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_payrecords.core.commands import ReportPayment
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.identity import STAMPS
from airflow_provider_payrecords.core.models import PaymentRecord

_INTEGER_FIELD = re.compile(r"value|[a-z]+_at")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NOTHING = frozenset({"", "None", "null"})
_PUBLIC = (
    "id",
    "object",
    "amount",
    "amount_requested",
    "amount_authorized",
    "amount_guaranteed",
    "amount_failed",
    "amount_canceled",
    "amount_refunded",
    "created",
    "livemode",
    "latest_payment_attempt_record",
    "reported_by",
    "processor_details",
)


def with_integers(fields: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return *fields* with digits in integer fields as integers, because what a template renders is text.

    Only fields that the API defines as integers are touched, and only text that is nothing but digits: a decimal
    amount stays text and is refused. Metadata is text and stays text.
    """
    return {
        name: value if name == "metadata" else _integer(name, value)
        for name, value in _mapping("fields", fields).items()
    }


def _integer(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return with_integers(value)
    if isinstance(value, str) and _INTEGER_FIELD.fullmatch(name) and _INTEGER.fullmatch(value):
        return int(value)
    return value


def merged(flat: Mapping[str, Any], name: str, body: Any) -> dict[str, Any]:
    """
    Return the fields of a call: *flat* ones and those in *body*, the operator's parameter *name*.

    Raises:
        CommandError: *body* is no mapping, such as the text that a template rendered, or repeats a flat field.
    """
    fields = _mapping(name, body)
    twice = sorted(flat.keys() & fields.keys())
    if twice:
        raise _wrong(name, f"Give {twice[0]} as the operator's own parameter only, not inside this one.")
    return {**fields, **flat}


def payment_fields(returned: Any, name: str) -> dict[str, Any]:
    """
    Return the fields of the payment that the function *name* returned.

    Raises:
        CommandError: It returned something else.
    """
    if isinstance(returned, ReportPayment):
        return returned.params()
    if isinstance(returned, Mapping):
        return dict(returned)
    raise _wrong(
        name, f"Return one payment, as a mapping of API fields or a ReportPayment, not {type(returned).__name__}."
    )


def check_text(name: str, value: Any) -> None:
    """
    Check that the operator's parameter *name* is text.

    Raises:
        CommandError: It is not: what names a payment must not be 1000 for one task and "1_000" for another. Or it is
            what a template makes of nothing.
    """
    if not isinstance(value, str):
        raise _wrong(
            name,
            f"Give text, not {type(value).__name__}. Where templates render native objects, digits become numbers: set "
            "render_template_as_native_obj=False on this operator.",
        )
    if value in _NOTHING:
        raise _wrong(name, "A template rendered nothing here. What names a payment must be the same whenever it runs.")


def compact(record: PaymentRecord) -> dict[str, Any]:
    """
    Return the part of *record* that other tasks need and anybody may see, spelled as the API spells it, and its state.

    Customer, shipping, billing, description and the user's metadata stay out: XCom is kept and shown to everyone.
    """
    stamps = {name: value for name, value in (record.metadata or {}).items() if name in STAMPS}
    return {
        **record.model_dump(mode="json", include=set(_PUBLIC)),
        "state": record.state.value,
        "metadata": stamps,
    }


def _mapping(name: str, fields: Any) -> dict[str, Any]:
    if not isinstance(fields, Mapping):
        raise _wrong(
            name,
            f"Give a mapping of API fields, not {type(fields).__name__}. A template renders text: return the mapping "
            "from a task, or set render_template_as_native_obj=True on this operator.",
        )
    return dict(fields)


def _wrong(name: str, message: str) -> CommandError:
    return CommandError(f"{name}: {message}", problems=[{"field": name, "code": "invalid_type", "message": message}])
