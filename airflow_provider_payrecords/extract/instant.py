"""Times: cells to Unix seconds. A time that names no instant, or two, is a problem and never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_payrecords.extract.cell import CellError, shown_time

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = timedelta(seconds=1)
_MIN_EPOCH, _MAX_EPOCH = 100_000_000, 99_999_999_999
"""1973 to 5138. Smaller whole numbers are dates such as 20260131, larger ones milliseconds."""

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)? ?(?:(Z|z|UTC)|([+-])(\d\d)(?::?(\d\d))?)?",
    re.ASCII,
)
_EXACT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:[0-5]\d:[0-5]\d", re.ASCII).fullmatch
_EXACT_LENGTH = 19
_EXACT_PATTERNS = {"%Y-%m-%d %H:%M:%S": " ", "%Y-%m-%dT%H:%M:%S": "T"}
_MAX_HOURS = 10_000
_SAMPLE = datetime(2021, 12, 31, 22, 45, 59, tzinfo=timezone.utc)


def check_timezone(name: str) -> str:
    """
    Return *name* if it is a time zone of the IANA database.

    Raises:
        ValueError: It is not.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; use an IANA name such as Europe/Amsterdam or UTC") from None
    return name


def check_format(pattern: str) -> str:
    """
    Return *pattern* if ``strptime`` can read a date with it.

    Raises:
        ValueError: It is no pattern, has no full date, or hours of a half day without ``%p``.
    """
    try:
        read = _by_pattern(_SAMPLE.strftime(pattern), pattern)
    except CellError:
        raise ValueError("not a strptime pattern; an example is %Y-%m-%d %H:%M:%S") from None
    if read.date() != _SAMPLE.date() or read.hour not in (0, _SAMPLE.hour):
        raise ValueError("the pattern must hold year, month and day, and %p where it has %I")
    return pattern


def instant_reader(timezone_name: str | None, pattern: str | None) -> Callable[[Any], int]:
    """
    Return the conversion of a cell to Unix seconds; fractions of a second are cut off.

    Args:
        timezone_name: Zone of the times that carry none. None: such a time is a problem.
        pattern: ``strptime`` pattern of text and dates. None: ISO 8601 with date and time, or Unix seconds.
    """
    zone = ZoneInfo(timezone_name) if timezone_name else None
    exact = _exact_reader(zone, pattern)

    def read(cell: Any) -> int:
        if type(cell) is str and len(cell) == _EXACT_LENGTH and (known := exact(cell)) is not None:
            return known
        if isinstance(cell, datetime):
            return _seconds(cell, zone)
        if pattern is not None and isinstance(cell, (str, date, int)) and not isinstance(cell, bool):
            return _seconds(_by_pattern(_text(cell), pattern), zone)
        if isinstance(cell, str):
            return _from_text(cell, zone)
        return _from_number(cell)

    return read


def _exact_reader(zone: ZoneInfo | None, pattern: str | None) -> Callable[[str], int | None]:
    """
    Return a quick conversion of what most times look like, or None for all others: ``2026-01-31 10:00:00``.

    All seconds of an hour of a zone in which the clocks were not changed have one offset, so it is looked up once.
    """
    if zone is None or pattern not in (None, *_EXACT_PATTERNS):
        return lambda _: None
    separators = "T " if pattern is None else _EXACT_PATTERNS[pattern]
    starts: dict[str, int | None] = {}

    def read(text: str) -> int | None:
        if not _EXACT(text) or text[10] not in separators:
            return None
        hour = text[:13]
        if hour not in starts:
            if len(starts) >= _MAX_HOURS:
                starts.clear()
            starts[hour] = _start_of_hour(hour, zone)
        start = starts[hour]
        return None if start is None else start + int(text[14:16]) * 60 + int(text[17:])

    return read


def _start_of_hour(hour: str, zone: ZoneInfo) -> int | None:
    """Return the Unix seconds of a local hour, or None if it does not have one offset from beginning to end."""
    try:
        first = datetime.fromisoformat(f"{hour}:00:00")
    except ValueError:
        return None
    ends = (first, first + timedelta(minutes=59, seconds=59))
    starts = {(one.replace(tzinfo=zone, fold=fold) - _EPOCH) // _SECOND for one in ends for fold in (0, 1)}
    return min(starts) if len(starts) == 2 and max(starts) - min(starts) == 3599 else None


def _text(cell: str | date | int) -> str:
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _by_pattern(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - _seconds refuses or places a naive time
    except ValueError:
        raise CellError("not_a_time", f"the time{shown_time(text)} does not match the format {pattern}") from None


def _from_text(text: str, zone: ZoneInfo | None) -> int:
    match = _ISO.fullmatch(text)
    if match is None:
        if text.isascii() and text.isdigit() and len(text) <= 20:
            return _epoch(int(text))
        raise CellError(
            "not_a_time",
            f"not an ISO 8601 time with date and hour{shown_time(text)}; "
            "set format (and timezone) for another notation",
        )
    year, month, day, hour, minute, second, utc, sign, hours, minutes = match.groups()
    try:
        value = datetime(  # noqa: DTZ001 - _seconds refuses or places a naive time
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0)
        )
        if utc:
            value = value.replace(tzinfo=timezone.utc)
        elif sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            value = value.replace(tzinfo=timezone(-offset if sign == "-" else offset))
    except ValueError:
        raise CellError("not_a_time", f"no such date or time{shown_time(text)}; correct it in the extract") from None
    return _seconds(value, zone)


def _from_number(cell: Any) -> int:
    if isinstance(cell, float):
        raise CellError("float_time", "a float is not an exact time; send whole Unix seconds or ISO 8601 text")
    if isinstance(cell, Decimal) and cell.is_finite() and cell == cell.to_integral_value():
        return _epoch(int(cell))
    if isinstance(cell, int) and not isinstance(cell, bool):
        return _epoch(cell)
    if isinstance(cell, date):
        raise CellError("naive_time", "a date alone names no instant; set format (%Y-%m-%d) and timezone for midnight")
    raise CellError("not_a_time", f"a {type(cell).__name__} is not a time; send ISO 8601 text or Unix seconds")


def _epoch(value: int) -> int:
    if not _MIN_EPOCH <= value <= _MAX_EPOCH:
        raise CellError(
            "invalid_time",
            "the number is not Unix seconds: milliseconds and dates without a format are not taken",
        )
    return value


def _seconds(value: datetime, zone: ZoneInfo | None) -> int:
    if value != value:
        raise CellError("not_a_time", "not a time (NaT); use None for a missing one")
    if value.utcoffset() is None:
        if zone is None:
            raise CellError("naive_time", "the time carries no zone, so it names no instant; set timezone")
        value = _localized(value, zone)
    return (value - _EPOCH) // _SECOND


def _localized(value: datetime, zone: ZoneInfo) -> datetime:
    first, second = value.replace(tzinfo=zone, fold=0), value.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    if before != after and before is not None and after is not None:
        text = shown_time(value.isoformat(sep=" "))
        if before < after:
            raise CellError(
                "nonexistent_time", f"clocks in {zone.key} skipped{text}; correct it, or export times with their offset"
            )
        raise CellError(
            "ambiguous_time", f"clocks in {zone.key} showed{text} twice; export times in UTC or with their offset"
        )
    return first
