"""Times name one instant, or are a problem."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.extract.cell import CellError
from airflow_provider_payrecords.extract.instant import check_format, check_timezone, instant_reader

AMSTERDAM = "Europe/Amsterdam"
INSTANTS = st.integers(102_000_000, 4_102_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def code_of(cell, zone=None, pattern=None) -> str:
    with pytest.raises(CellError) as caught:
        instant_reader(zone, pattern)(cell)
    return caught.value.code


@given(instant=INSTANTS, offset=OFFSETS)
def test_aware_times_keep_their_instant_in_every_offset_and_notation(instant, offset):
    seconds = int(instant.replace(microsecond=0).timestamp())
    local = instant.astimezone(offset)
    read = instant_reader(None, None)
    assert read(local) == read(local.isoformat()) == read(local.isoformat(sep=" ")) == seconds
    assert read(instant.isoformat().replace("+00:00", "Z")) == read(seconds) == read(str(seconds)) == seconds
    assert read(Decimal(seconds)) == seconds


@given(instant=INSTANTS)
def test_local_times_are_the_instant_or_a_problem_and_never_another(instant):
    zone = ZoneInfo(AMSTERDAM)
    local = instant.astimezone(zone).replace(tzinfo=None)
    if local.replace(tzinfo=zone, fold=0).utcoffset() != local.replace(tzinfo=zone, fold=1).utcoffset():
        assert code_of(local, AMSTERDAM) == "ambiguous_time"
    else:
        assert instant_reader(AMSTERDAM, None)(local) == int(instant.replace(microsecond=0).timestamp())


@pytest.mark.parametrize("text", ["2026-01-31T10:00:00", "2026-01-31 10:00", "2026-01-31T10:00:00.5"])
def test_a_time_without_a_zone_needs_one(text):
    assert code_of(text) == "naive_time"
    assert instant_reader("UTC", None)(text) == 1769853600


def test_a_zone_in_the_mapping_leaves_the_offset_of_a_time_alone():
    assert instant_reader(AMSTERDAM, None)("2026-01-31T10:00:00Z") == 1769853600


def test_skipped_and_repeated_hours_are_problems():
    assert code_of("2026-03-29 02:30:00", AMSTERDAM) == "nonexistent_time"
    assert code_of("2026-10-25 02:30:00", AMSTERDAM) == "ambiguous_time"
    assert instant_reader(AMSTERDAM, None)("2026-03-29 03:00:00") == 1774746000
    assert instant_reader(AMSTERDAM, None)("2026-10-25 03:00:00") == 1792893600


@pytest.mark.parametrize("cell", [1769853600000, "1769853600000", 20260131, "20260131", -5, "0"])
def test_milliseconds_and_bare_dates_are_not_seconds(cell):
    assert code_of(cell) == "invalid_time"


@pytest.mark.parametrize("cell", [1769853600.0, float("nan")])
def test_floats_are_no_times(cell):
    assert code_of(cell) == "float_time"


@pytest.mark.parametrize(
    "cell", ["2026-01-31", "31-01-2026 10:00", "2026-02-30 10:00", "2026-01-31T25:00:00Z", "Canary", True, [1], "١٢"]
)
def test_other_notations_are_problems(cell):
    assert code_of(cell, "UTC") == "not_a_time"


def test_a_date_needs_a_format_and_a_zone():
    assert code_of(date(2026, 1, 31), AMSTERDAM) == "naive_time"
    assert code_of("2026-01-31", None, "%Y-%m-%d") == "naive_time"
    midnight = 1769814000
    assert instant_reader(AMSTERDAM, "%Y-%m-%d")("2026-01-31") == midnight
    assert instant_reader(AMSTERDAM, "%Y-%m-%d")(date(2026, 1, 31)) == midnight
    assert instant_reader(AMSTERDAM, "%Y%m%d")(20260131) == midnight


def test_a_format_may_carry_the_offset():
    assert instant_reader(None, "%d/%m/%Y %H:%M %z")("31/01/2026 11:00 +0100") == 1769853600
    assert code_of("31/01/2026", "UTC", "%Y-%m-%d") == "not_a_time"


def test_messages_show_times_and_nothing_else():
    for text, is_shown in (("2026-03-29 02:30:00", True), ("Canary 02:30", False)):
        with pytest.raises(CellError) as caught:
            instant_reader(AMSTERDAM, None)(text)
        assert (text in caught.value.message) is is_shown


@pytest.mark.parametrize("pattern", ["%Q", "%", "%H:%M", "%Y-%m", "%Y-%m-%d %I:%M"])
def test_patterns_that_lose_the_date_or_half_the_day_are_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        check_format(pattern)


@pytest.mark.parametrize("pattern", ["%Y-%m-%d %H:%M:%S", "%d/%m/%y %I:%M %p", "%Y%m%d", "%d %b %Y %H:%M %z"])
def test_patterns_that_name_a_day_are_taken(pattern):
    assert check_format(pattern) == pattern


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "CEST+5"])
def test_time_zones_are_of_the_iana_database(name):
    with pytest.raises(ValueError, match="IANA"):
        check_timezone(name)


ZONES = ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC")


@st.composite
def local_times_near_a_change(draw):
    """Draw a zone and a local time within two days of a change of its clocks, if it has one in that year."""
    name = draw(st.one_of(st.sampled_from(ZONES), st.sampled_from(sorted(available_timezones()))))
    zone, start = ZoneInfo(name), datetime(draw(st.integers(1975, 2036)), 1, 1, tzinfo=timezone.utc)
    days = [start + timedelta(days=day) for day in range(366)]
    changes = [
        day
        for day in days
        if (day + timedelta(days=1)).astimezone(zone).utcoffset() != day.astimezone(zone).utcoffset()
    ]
    day = draw(st.sampled_from(changes or days))
    local = (day + timedelta(seconds=draw(st.integers(-86_400, 2 * 86_400)))).astimezone(zone)
    return name, local.replace(tzinfo=None)


def said(read, cell):
    """Return what a reader makes of a cell: seconds, or code and text of the problem."""
    try:
        return read(cell)
    except CellError as error:
        return error.code, error.message


@given(drawn=local_times_near_a_change(), pattern=st.sampled_from([None, "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]))
def test_the_quick_way_to_read_a_time_says_what_the_slow_one_does(drawn, pattern):
    name, middle = drawn
    read = instant_reader(name, pattern)
    times = [middle + timedelta(minutes=step) for step in (-60, -30, -1, 0, 1, 30, 60)]
    for local in (*times, *times):
        for separator in " T":
            text = local.isoformat(sep=separator)
            fits = pattern is None or pattern[8] == separator
            assert said(read, text) == said(read, local) if fits else said(read, text)[0] == "not_a_time"
