"""Payment providers: one small interface, chosen by the setting PAYMENT_PROVIDER."""

from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from marketplace.payments.test import TestProvider


class PaymentProvider(Protocol):
    """What the orders need of a provider."""

    name: str
    is_test: bool

    def charge(self, *, idempotency_key: str, amount_minor: int, currency: str) -> str:
        """Take a payment once per key; return the provider's reference of it."""


def provider() -> PaymentProvider:
    """Return the provider that the settings choose; test payments only where they are allowed."""
    if settings.PAYMENT_PROVIDER != "test":
        message = (
            f"PAYMENT_PROVIDER={settings.PAYMENT_PROVIDER!r} is not known: this release has «test»."
        )
        raise ImproperlyConfigured(message)
    if not settings.ALLOW_TEST_PAYMENTS:
        message = (
            "Test payments are off where DEBUG is off. To allow them by name, set "
            "ALLOW_TEST_PAYMENTS=1."
        )
        raise ImproperlyConfigured(message)
    return TestProvider()
