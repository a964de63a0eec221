"""Amounts of money: integer minor units with a currency, read and written exactly.

How many digits a currency has is CLDR's word (through Babel), the one table of the project. How a
payment provider counts is the provider's affair (marketplace.payments).
"""

from decimal import Decimal, InvalidOperation

from babel import Locale
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol
from commonhold.errors import CommonholdError
from commonhold.sentences import _

CURRENCIES = ("EUR", "USD", "GBP", "KES", "UGX", "TZS", "NGN", "ZAR", "XOF", "INR", "MXN", "JPY")


class InvalidAmount(CommonholdError):
    """Text that is no amount in its currency."""

    code = "invalid-price"
    status = 422


def digits(currency: str) -> int:
    """Return how many digits of the currency stand after its point."""
    return int(get_currency_precision(currency))


def decimal_of(amount_minor: int, currency: str) -> Decimal:
    """Return an amount in units of the currency."""
    return Decimal(amount_minor).scaleb(-digits(currency))


def decimal_text(amount_minor: int, currency: str) -> str:
    """Write an amount as a decimal string, such as 490.00."""
    return f"{decimal_of(amount_minor, currency):f}"


def written(amount_minor: int, currency: str, *, locale: str = "en") -> str:
    """Write an amount for people: €40, €40.50, UGX 120,000; whole amounts without a point."""
    amount = decimal_of(amount_minor, currency)
    whole = amount == amount.to_integral_value()
    pattern = str(Locale.parse(locale, sep="-").currency_formats["standard"].pattern)
    if whole:
        pattern = pattern.replace(".00", "")
    if get_currency_symbol(currency, locale)[-1].isalpha():
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    return str(
        format_currency(amount, currency, pattern, locale=locale, currency_digits=not whole)
    ).replace("-", "\N{MINUS SIGN}")


def parse(text: str, currency: str) -> int:
    """Read a decimal amount as minor units, exactly. Raises InvalidAmount."""
    try:
        scaled = Decimal(text.strip()).scaleb(digits(currency))
    except InvalidOperation:
        scaled = Decimal("0.5")
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        sentence = _("«%(text)s» is not an amount in %(currency)s; write it like %(example)s.")
        example = decimal_text(120 * 10 ** digits(currency), currency)
        raise InvalidAmount(
            sentence, field="amount", text=text.strip(), currency=currency, example=example
        )
    return int(scaled)
