"""
What each API version knows. A version is compared by its date; the names after the dot are for people.

Source:
    https://docs.stripe.com/api/versioning and the release history of the official SDKs
"""

from __future__ import annotations

import re

from airflow_provider_payrecords.sandbox.errors import invalid

RELEASES = (
    "2025-10-29.clover",
    "2025-11-17.clover",
    "2025-12-15.clover",
    "2026-01-28.clover",
    "2026-02-25.clover",
    "2026-03-25.dahlia",
    "2026-04-22.dahlia",
    "2026-05-27.dahlia",
    "2026-06-24.dahlia",
    "2026-07-29.dahlia",
    "2026-08-26.dahlia",
    "2026-09-30.endive",
    "2026-10-28.endive",
)
"""Versions that have Payment Records, oldest first."""

RECORD_SAYS_REPORTED_BY = "2025-12-15"
REFUNDED_IS_OPTIONAL = "2026-06-24"
RECORDS_CAN_BE_LISTED = "2026-07-29"
OUTCOME_CAN_BE_CANCELED = "2026-09-30"

_SINCE = {"list_payment_records": RECORDS_CAN_BE_LISTED}
_BEFORE_RECORDS = re.compile(r"20[12][0-9]-[01][0-9]-[0-3][0-9](\.(acacia|basil))?")


def resolve(header: str | None, default: str) -> str:
    """
    Return the version that a request runs under.

    Raises:
        RefusalError: There is no such version, or it is a preview.
    """
    version = header or default
    older = version < RELEASES[0] and _BEFORE_RECORDS.fullmatch(version)
    if version not in RELEASES and not older:
        raise invalid(f"Invalid Stripe API version: {version}. Known are {RELEASES[0]} to {RELEASES[-1]}, and older.")
    return version


def has_endpoint(endpoint: str, version: str) -> bool:
    """Say whether *version* has the route of *endpoint*. Versions before the first release have none."""
    return version >= _SINCE.get(endpoint, RELEASES[0])
