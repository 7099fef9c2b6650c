"""
What the API accepts, field by field, and how it says no.

Source: sections 3, 4, 9, 12 and 14 of the API reference, which cite docs.stripe.com/api/payment-record.
"""

from __future__ import annotations

import re
import sys
from typing import Any
from urllib.parse import parse_qsl

Form = dict[str, Any]

_TWO_DECIMALS = frozenset(
    """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop
    crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd kes
    kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mro mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd
    pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sll sos srd std szl thb tjs top try ttd twd
    tzs uah ugx uyu uzs wst xcd yer zar zmw
    """.split()
)
_ZERO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
_CURRENCIES = _TWO_DECIMALS | _ZERO_DECIMALS | _THREE_DECIMALS
_STEPS = dict.fromkeys(_THREE_DECIMALS, 10) | {"isk": 100, "ugx": 100}

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_LATEST_EPOCH = 10_000_000_000  # milliseconds passed as seconds are far beyond it
_OUTCOMES = {"guaranteed": "guaranteed_at", "failed": "failed_at", "canceled": "canceled_at"}


def _under(parent: str, *names: str) -> dict[str, str]:
    return {f"{parent}[{name}]": "text" for name in names}


def _address(parent: str) -> dict[str, str]:
    return _under(f"{parent}[address]", *_ADDRESS)


_METHOD = {
    "payment_method_details[type]": "custom",
    "payment_method_details[payment_method]": "text",
    **_under("payment_method_details[custom]", "display_name", "type"),
    **_under("payment_method_details[billing_details]", "email", "name", "phone"),
    **_address("payment_method_details[billing_details]"),
}
_SHIPPING = {**_under("shipping_details", "name", "phone"), **_address("shipping_details")}
_CUSTOMER = _under("customer_details", "customer", "email", "name", "phone")
_ATTEMPT = {
    "description": "text",
    "initiated_at": "integer",
    "outcome": "guaranteed|failed|canceled",
    **{f"{outcome}[{instant}]": "integer" for outcome, instant in _OUTCOMES.items()},
    **_METHOD,
    **_SHIPPING,
}
_FIELDS: dict[str, dict[str, str]] = {
    "report_payment": {
        **_ATTEMPT,
        **_CUSTOMER,
        "amount_requested[currency]": "currency",
        "amount_requested[value]": "integer",
        "customer_presence": "off_session|on_session",
        "processor_details[type]": "custom",
        "processor_details[custom][payment_reference]": "text",
    },
    "report_payment_attempt": _ATTEMPT,
    "report_payment_attempt_guaranteed": {"guaranteed_at": "integer"},
    "report_payment_attempt_failed": {"failed_at": "integer"},
    "report_payment_attempt_canceled": {"canceled_at": "integer"},
    "report_payment_attempt_informational": {"description": "text", **_CUSTOMER, **_SHIPPING},
    "report_refund": {
        "amount[currency]": "currency",
        "amount[value]": "integer",
        "initiated_at": "integer",
        "outcome": "refunded",
        "processor_details[type]": "custom",
        "processor_details[custom][refund_reference]": "text",
        "refunded[refunded_at]": "integer",
    },
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "report_payment": ("amount_requested[currency]", "amount_requested[value]", "initiated_at"),
    "report_payment_attempt": ("initiated_at",),
    "report_payment_attempt_guaranteed": ("guaranteed_at",),
    "report_payment_attempt_failed": ("failed_at",),
    "report_payment_attempt_canceled": ("canceled_at",),
    "report_payment_attempt_informational": (),
    "report_refund": ("outcome", "processor_details[type]"),
}
_CLEARABLE = {"description", "shipping_details"}


class RefusalError(Exception):
    """An error answer of the API."""

    def __init__(
        self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None, type_: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {"code": code, "message": message, "param": param, "type": type_ or "invalid_request_error"}
        self.body = {"error": {name: value for name, value in named.items() if value is not None}}


def parse_pairs(body: bytes) -> list[tuple[str, str]]:
    """Split a form body or query string, keeping blank values."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")


def nest(pairs: list[tuple[str, str]]) -> Form:
    """Turn ``a[b]=1`` pairs into nested mappings; the last of repeated names wins."""
    root: Form = {}
    for name, value in pairs:
        *parents, last = [part for part in re.split(r"[\[\]]+", name) if part]
        node = root
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return root


def _check_value(name: str, value: str, kind: str) -> None:
    if kind == "integer":
        if not re.fullmatch(r"-?\d+", value):
            raise RefusalError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        if not 1 <= int(value) <= (_LATEST_EPOCH if name.rstrip("]").endswith("_at") else sys.maxsize):
            raise RefusalError("This value is out of range.", code="parameter_invalid_integer", param=name)
    elif kind == "currency":
        if value not in _CURRENCIES:
            raise RefusalError(f"Invalid currency: {value}.", param=name)
    elif kind == "text":
        if len(value) > 5000:
            raise RefusalError("Invalid string: must be at most 5000 characters", param=name)
    elif value not in kind.split("|"):
        raise RefusalError(f"Invalid {name}: must be one of {', '.join(kind.split('|'))}", param=name)


def _check_metadata(name: str, value: str) -> None:
    if len(value) > 500:
        raise RefusalError("Metadata values can have up to 500 characters.", param=name)
    if len(name[len("metadata[") : -1]) > 40:
        raise RefusalError("Metadata keys can have up to 40 characters.", param=name)


def check(endpoint: str, pairs: list[tuple[str, str]]) -> None:
    """
    Check one request of *endpoint*.

    Raises:
        RefusalError: 400 with the first thing that is wrong.
    """
    fields, names = _FIELDS[endpoint], {name for name, _ in pairs}
    for name, value in pairs:
        if name == "metadata" or name.startswith("metadata["):
            _check_metadata(name, value)
        elif re.match(r"expand(\[|$)", name):
            raise RefusalError(f"This property cannot be expanded ({value}).", param=name)
        elif endpoint.endswith("informational") and name in _CLEARABLE and value == "":
            continue
        elif name not in fields:
            raise RefusalError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        elif value == "":
            raise RefusalError(f"You passed an empty string for '{name}'.", code="parameter_invalid_empty", param=name)
        else:
            _check_value(name, value, fields[name])
    if sum(name.startswith("metadata[") for name in names) > 50:
        raise RefusalError("Metadata can have up to 50 keys.", param="metadata")
    _check_presence(endpoint, names, dict(pairs))


def _check_presence(endpoint: str, names: set[str], values: dict[str, str]) -> None:
    for name in _REQUIRED[endpoint]:
        _require(name in names, name)
    if endpoint == "report_payment":
        sent = {"payment_method_details[type]", "payment_method_details[payment_method]"} & names
        _require(bool(sent), "payment_method_details")
    for parent in ("amount_requested", "amount"):
        if any(name.startswith(f"{parent}[") for name in names):
            _require({f"{parent}[currency]", f"{parent}[value]"} <= names, parent)
            _check_step(parent, values)
    if any(name.startswith("processor_details[") for name in names):
        _require("processor_details[type]" in names, "processor_details[type]")
    if "outcome" in _FIELDS[endpoint] and endpoint != "report_refund":
        _check_outcome(values)


def _require(present: bool, name: str) -> None:
    if not present:
        raise RefusalError(f"Missing required param: {name}.", code="parameter_missing", param=name)


def _check_step(parent: str, values: dict[str, str]) -> None:
    step = _STEPS.get(values[f"{parent}[currency]"], 1)
    if int(values[f"{parent}[value]"]) % step:
        raise RefusalError(f"The amount must be a multiple of {step}.", param=f"{parent}[value]")


def _check_outcome(values: dict[str, str]) -> None:
    outcome = values.get("outcome")
    for name, instant in _OUTCOMES.items():
        parameter = f"{name}[{instant}]"
        if name == outcome:
            _require(parameter in values, parameter)
        elif parameter in values:
            raise RefusalError(f"{name} does not belong to this outcome.", param=name)
