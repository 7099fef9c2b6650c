"""Values that every endpoint takes, as hypothesis draws them: one strategy an endpoint, by its name."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Values = st.SearchStrategy[dict[str, Any]]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TIME = st.integers(0, 4_000_000_000)
IDENTIFIER = st.from_regex(r"[A-Za-z0-9_]{1,20}", fullmatch=True)
METADATA_KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), min_size=1, max_size=10)
METADATA = st.dictionaries(METADATA_KEY, st.just("") | TEXT, max_size=4)
EXPAND = st.lists(TEXT, min_size=1, max_size=3)


def some(**optional: st.SearchStrategy[Any]) -> Values:
    """Draw any of the fields."""
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def amounts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an amount whose last digits its currency takes."""
    currency, step = draw(st.sampled_from([("eur", 1), ("jpy", 1), ("kwd", 10), ("isk", 100)]))
    return {"currency": currency, "value": draw(st.integers(1, 10**12)) * step}


@st.composite
def outcomes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw no outcome, or one with the detail object that belongs to it."""
    outcome = draw(st.sampled_from([None, "canceled", "failed", "guaranteed"]))
    return {} if outcome is None else {"outcome": outcome, outcome: {f"{outcome}_at": draw(TIME)}}


@st.composite
def merged(draw: st.DrawFn, *parts: Values) -> dict[str, Any]:
    """Draw each part and put them together."""
    return {name: value for part in parts for name, value in draw(part).items()}


ADDRESS = some(city=TEXT, country=TEXT, line1=TEXT, line2=TEXT, postal_code=TEXT, state=TEXT)
BILLING = some(address=ADDRESS, email=TEXT, name=TEXT, phone=TEXT)
CUSTOMER = some(customer=TEXT, email=TEXT, name=TEXT, phone=TEXT)
SHIPPING = some(address=ADDRESS, name=TEXT, phone=TEXT)
METHOD = st.fixed_dictionaries(
    {"type": st.just("custom")},
    optional={"billing_details": BILLING, "custom": some(display_name=TEXT, type=TEXT), "payment_method": TEXT},
)


def processor(reference: str) -> Values:
    """Draw processor details with or without their reference."""
    return st.fixed_dictionaries(
        {"type": st.just("custom")}, optional={"custom": st.fixed_dictionaries({reference: TEXT})}
    )


CLEARABLE_METADATA = st.just("") | METADATA
_COMMON = some(expand=EXPAND)
_ATTEMPT = some(description=TEXT, metadata=CLEARABLE_METADATA, shipping_details=SHIPPING, expand=EXPAND)


def _record(**required: st.SearchStrategy[Any]) -> Values:
    return st.fixed_dictionaries({"payment_record": IDENTIFIER, **required})


def _settled(time: str) -> Values:
    return merged(_record(**{time: TIME}), some(metadata=CLEARABLE_METADATA, expand=EXPAND))


VALUES: dict[str, Values] = {
    "report_payment": merged(
        st.fixed_dictionaries({"amount_requested": amounts(), "initiated_at": TIME, "payment_method_details": METHOD}),
        some(
            customer_details=CUSTOMER,
            customer_presence=st.sampled_from(["off_session", "on_session"]),
            processor_details=processor("payment_reference"),
        ),
        _ATTEMPT,
        outcomes(),
    ),
    "report_payment_attempt": merged(
        _record(initiated_at=TIME), some(payment_method_details=METHOD), _ATTEMPT, outcomes()
    ),
    "report_payment_attempt_guaranteed": _settled("guaranteed_at"),
    "report_payment_attempt_failed": _settled("failed_at"),
    "report_payment_attempt_canceled": _settled("canceled_at"),
    "report_payment_attempt_informational": merged(
        _record(),
        some(
            customer_details=CUSTOMER,
            description=st.just("") | TEXT,
            metadata=CLEARABLE_METADATA,
            shipping_details=st.just("") | SHIPPING,
            expand=EXPAND,
        ),
    ),
    "report_refund": merged(
        _record(outcome=st.just("refunded"), processor_details=processor("refund_reference")),
        some(
            amount=amounts(),
            initiated_at=TIME,
            metadata=CLEARABLE_METADATA,
            refunded=st.fixed_dictionaries({"refunded_at": TIME}),
            expand=EXPAND,
        ),
    ),
    "retrieve_payment_record": merged(_record(), _COMMON),
    "list_payment_records": merged(
        some(created_after=TIME, created_before=TIME, limit=st.integers(1, 100), expand=EXPAND),
        st.just({}) | st.fixed_dictionaries({"starting_after": TEXT}) | st.fixed_dictionaries({"ending_before": TEXT}),
    ),
    "retrieve_payment_attempt_record": merged(st.fixed_dictionaries({"payment_attempt_record": IDENTIFIER}), _COMMON),
    "list_payment_attempt_records": merged(
        st.fixed_dictionaries({"payment_record": TEXT}),
        some(limit=st.integers(1, 100), starting_after=TEXT, expand=EXPAND),
    ),
    "attach_payment": merged(
        st.fixed_dictionaries({"invoice": IDENTIFIER}),
        st.fixed_dictionaries({"payment_record": TEXT}) | st.fixed_dictionaries({"payment_intent": TEXT}),
        _COMMON,
    ),
}
