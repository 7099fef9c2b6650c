"""The time of day, as ``transport/clock.py`` tells it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from freezegun import freeze_time

from airflow_provider_payrecords.transport.clock import lease_ended, utc_now

LEASE = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@freeze_time("2026-03-01T12:00:00+01:00")
def test_the_present_is_aware_utc() -> None:
    assert utc_now() == LEASE - timedelta(hours=1)
    assert utc_now().utcoffset() == timedelta(0)


@pytest.mark.parametrize(("late", "ended"), [(-1, False), (0, True), (1, True)])
def test_a_lease_has_ended_from_its_last_instant_on(late: int, ended: bool) -> None:
    assert (lease_ended(LEASE, lambda: LEASE + timedelta(seconds=late)) is not None) is ended


def test_what_was_never_claimed_has_no_lease_to_end() -> None:
    assert lease_ended(None, utc_now) is None
