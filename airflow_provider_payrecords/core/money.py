"""
Amounts, exactly: major units to the integers the API takes, by currency.

Source:
    https://docs.stripe.com/currencies (supported currencies, zero-decimal, three-decimal and special cases)
"""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation

from airflow_provider_payrecords.core.errors import CommandError

CURRENCIES = frozenset(
    """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp
    cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr
    isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mro mur mvr mwk mxn
    myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sll
    sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
    """.split()
)
"""Lowercase ISO 4217 codes the API takes."""

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
WHOLE_UNITS_AS_TWO_DECIMAL = frozenset({"isk", "ugx"})
"""No fractions in real life, yet sent with two decimals that must be 00."""
_DECIMALS = {code: 0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2 for code in CURRENCIES}

MAX_MINOR_UNITS = 10**15
"""Sanity bound of ours; the API publishes none for reported payments."""

_IN_NUMBERS = frozenset("0123456789.+-")
_MAX_DIGITS = 16

# Decimal methods round to the context's precision, and the thread's own context is anybody's to change.
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)


class MoneyError(CommandError):
    """
    An amount or a currency that cannot be sent.

    Attributes:
        code: ``unknown_currency``, ``float_amount``, ``not_a_number``, ``too_many_decimals``,
            ``invalid_minor_units`` or ``amount_out_of_range``.
    """

    def __init__(self, message: str, *, code: str = "", problems: list[dict[str, str]] | None = None) -> None:
        super().__init__(message, problems=problems)
        self._details = {"code": code, "problems": self.problems}
        self.code = code


def decimals(currency: str) -> int:
    """
    Return how many digits of minor units *currency* has on the wire: 0, 2 or 3.

    Raises:
        MoneyError: The API does not take this currency.
    """
    return _DECIMALS[normalize_currency(currency)]


def normalize_currency(currency: str) -> str:
    """
    Return the lowercase code the API takes.

    Raises:
        MoneyError: Not one of ``CURRENCIES``.
    """
    if type(currency) is str and currency in CURRENCIES:
        return currency
    code = str(currency).lower()
    if code not in CURRENCIES:
        raise MoneyError(
            "This is not a currency the API takes: send a three-letter ISO 4217 code such as eur.",
            code="unknown_currency",
        )
    return code


def to_minor_units(amount: Decimal | str | int, currency: str) -> int:
    """
    Convert an amount to the integer the API takes.

    Args:
        amount: Major units; ``Decimal("12.30")`` is twelve dollars thirty. Text must be a plain decimal number
            without separators of thousands. A float is refused: it is not the number its author wrote.
        currency: ISO 4217 code, any case.

    Returns:
        Minor units of *currency*: cents for USD, yen for JPY, 500 for five Icelandic crowns.

    Raises:
        MoneyError: Not a number, more decimals than *currency* has, or an unknown code.
    """
    digits = decimals(currency)
    value = _written_out(amount, digits) if isinstance(amount, str) else None
    if value is None:
        scaled = _exact(amount).scaleb(digits, context=_EXACT)
        if scaled != scaled.to_integral_value(context=_EXACT):
            raise MoneyError(
                f"More decimals than {currency.upper()} has: at most {digits}. "
                "Round it upstream, where the rule is known.",
                code="too_many_decimals",
            )
        value = int(scaled)
    check_minor_units(value, currency)
    return value


def check_minor_units(value: int, currency: str) -> None:
    """
    Check that *value* can be an amount in *currency*.

    Raises:
        MoneyError: Not in 1..10**15, or last digits the API requires to be zero are not.
    """
    code = normalize_currency(currency)
    if not 1 <= value <= MAX_MINOR_UNITS:
        raise MoneyError("The amount must be at least 1 minor unit and at most 10**15.", code="amount_out_of_range")
    if code in THREE_DECIMAL and value % 10:
        raise MoneyError(
            f"{code.upper()} has three decimals and the API requires the last to be 0, such as 5.120.",
            code="invalid_minor_units",
        )
    if code in WHOLE_UNITS_AS_TWO_DECIMAL and value % 100:
        raise MoneyError(
            f"{code.upper()} has no fractions: the API takes it with two decimals that must be 00.",
            code="invalid_minor_units",
        )


def from_minor_units(value: int, currency: str) -> Decimal:
    """Return *value* minor units of *currency* in major units, with all its decimals."""
    return Decimal(value).scaleb(-decimals(currency), context=_EXACT)


def _written_out(text: str, digits: int) -> int | None:
    """Return the minor units of text with all its *digits* and no sign, as most amounts are; None for all others."""
    whole, _, fraction = text.partition(".")
    number = whole + fraction
    is_plain = len(fraction) == digits and len(number) <= _MAX_DIGITS and number.isascii() and number.isdigit()
    return int(number) if is_plain else None


def _exact(amount: Decimal | str | int) -> Decimal:
    if isinstance(amount, float):
        raise MoneyError(
            "A float cannot hold an exact amount. Give text, a decimal or an integer; cast the column upstream.",
            code="float_amount",
        )
    try:
        number = Decimal(_plain(amount) if isinstance(amount, str) else amount)
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    if isinstance(amount, bool) or not number.is_finite() or number.adjusted() >= _MAX_DIGITS:
        raise MoneyError(
            "Not a plain decimal number such as 1234.50, without separators of thousands, spaces or a currency sign.",
            code="not_a_number",
        )
    return number


def _plain(text: str) -> str:
    if not _IN_NUMBERS.issuperset(text):
        raise ValueError("not plain")
    return text
