"""Addresses that a person can open in a browser. Pure: ids and settings in, text out."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

STRIPE_HOST = "api.stripe.com"
_DASHBOARD = "https://dashboard.stripe.com"


def record_url(payment_record: str, *, api_base: str, mode: str, stripe_account: str | None = None) -> str:
    """
    Return where a person sees *payment_record*: Stripe's Dashboard, or the page of a sandbox.

    Args:
        payment_record: ``pr_…``.
        api_base: Where the API was called.
        mode: ``test`` or ``live``.
        stripe_account: Connected account, ``acct_…``, or None.

    Source:
        The address of a record's own page is not published. The Dashboard's search finds any object by its id:
        https://docs.stripe.com/dashboard/search
    """
    record = quote(payment_record, safe="")
    if urlsplit(api_base).hostname != STRIPE_HOST:
        return f"{api_base.rstrip('/')}/records/{record}"
    place = [_DASHBOARD, *([stripe_account] if stripe_account else []), *(["test"] if mode == "test" else [])]
    return f"{'/'.join(place)}/search?query={record}"
