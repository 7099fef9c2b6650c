"""Cells to request values: amounts, currencies, text. Nothing is guessed; what is not exact is a ``CellError``."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from airflow_provider_payrecords.core.money import CURRENCIES, MoneyError, decimals, to_minor_units

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}([.,][0-9]{3}){0,3}([.,][0-9]{1,4})?")
_TIME = re.compile(
    r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}"
    r"([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MAX_DIGITS = 20
_EXACT_FLOATS = 2**53


class CellError(Exception):
    """
    A cell that cannot be sent.

    Attributes:
        code: Short name of the fault.
        message: The end of a sentence that starts with the column's name.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def shown_number(cell: Any) -> str:
    """Return an amount for a message, after a space and in quotes; nothing for what may be a phone number or a name."""
    is_number = isinstance(cell, (str, int, Decimal)) and not isinstance(cell, bool)
    return f" '{cell}'" if is_number and _NUMBER.fullmatch(str(cell)) else ""


def shown_time(text: str) -> str:
    """Return a time for a message, after a space and in quotes; nothing for anything else."""
    return f" '{text}'" if _TIME.fullmatch(text) else ""


def minor_amount(cell: Any) -> int:
    """Return an amount in minor units, which must be a whole number already."""
    if isinstance(cell, str):
        digits = cell[1:] if cell[:1] in ("+", "-") else cell
        if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS:
            return int(cell)
    elif isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    elif isinstance(cell, Decimal) and cell.is_finite() and cell.as_tuple().exponent == 0:
        return int(cell)
    _refuse_float(cell)
    raise CellError(
        "not_an_integer",
        f"not a whole number of minor units{shown_number(cell)}; set unit: major if amounts look like 49.50",
    )


def major_reader(decimal: str | None) -> Callable[[Any, str], int]:
    """
    Return the conversion of an amount in major units and its currency to minor units.

    Args:
        decimal: The decimal sign of text. None: a point, unless the text may as well be thousands (``1.000``).
    """

    def read(cell: Any, currency: str) -> int:
        number = cell
        if isinstance(cell, str):
            number = _with_point(cell, decimal)
            if decimal is None and _may_be_thousands(cell, currency):
                raise CellError(
                    "ambiguous_amount",
                    f"the amount{shown_number(cell)} may be thousands; "
                    "set decimal: '.' if the point is the decimal sign",
                )
        else:
            _refuse_no_number(cell)
        try:
            return to_minor_units(number, currency)
        except MoneyError as error:
            raise CellError(error.code, f"cannot be sent{shown_number(cell)}: {error.message.rstrip('.')}") from None

    return read


def currency_code(cell: Any) -> str:
    """Return a currency in the API's lower case."""
    code = cell.lower() if isinstance(cell, str) else ""
    if code not in CURRENCIES:
        raise CellError("unknown_currency", "not a currency the API takes; send an ISO 4217 code such as EUR")
    return code


def plain_text(cell: Any) -> str:
    """Return text as it is, and whole or decimal numbers with the digits they have."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, (int, Decimal, uuid.UUID)) and not isinstance(cell, bool):
        return format(cell, "f") if isinstance(cell, Decimal) else str(cell)
    refuse_large_float(cell)
    if isinstance(cell, float):
        raise CellError("float_text", "a float has no one spelling as text; cast the column to text (NaN: to NULL)")
    raise CellError("invalid_type", f"a {type(cell).__name__} cannot be sent as text; cast the column to text")


def refuse_large_float(cell: Any) -> None:
    """
    Refuse a float beyond the whole numbers that floats hold exactly.

    It is what DuckDB makes of an integer of JSON that fits no other type, so to call it a float would help nobody.
    """
    if isinstance(cell, float) and _EXACT_FLOATS <= abs(cell) < math.inf:
        raise CellError("number_too_large", "the number is too large to be read exactly; make it text in the extract")


def metadata_text(cell: Any) -> str:
    """Return text for a metadata value; truth values and dates are spelled out as well."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, date) else plain_text(cell)


def lookup_reader(values: Mapping[str, str | None], *, may_show: bool) -> Callable[[Any], str | None]:
    """
    Return the conversion of a cell by a table. None leaves the field out.

    Args:
        may_show: Whether a value that is missing from the table may stand in the message.
    """

    def read(cell: Any) -> str | None:
        text = plain_text(cell)
        if text not in values:
            near = get_close_matches(text, values, n=1, cutoff=0.7) if may_show and _TOKEN.fullmatch(text) else []
            # Columns get shifted, and then a name stands here: only what is nearly a known value is repeated.
            what = f"the value '{text}' (did you mean '{near[0]}'?)" if near else "the value of this row"
            raise CellError("unmapped_value", f"{what} is not in values; add it, or leave such rows out with where")
        return values[text]

    return read


def _refuse_no_number(cell: Any) -> None:
    _refuse_float(cell)
    if isinstance(cell, bool) or not isinstance(cell, (int, Decimal)):
        raise CellError("not_a_number", f"a {type(cell).__name__} is not an amount; send text, decimal or integer")


def _refuse_float(cell: Any) -> None:
    if isinstance(cell, float):
        raise CellError("float_amount", "a float is not an exact amount; export it as text, decimal or minor units")


def _with_point(text: str, decimal: str | None) -> str:
    if decimal != ",":
        return text
    return text.replace(".", "?").replace(",", ".")


def _may_be_thousands(text: str, currency: str) -> bool:
    head, point, tail = text.partition(".")
    return bool(point) and tail == "000" and len(head.lstrip("+-")) <= 3 and decimals(currency) != 3
