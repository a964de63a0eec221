"""Payments that move no money. Everything made with them says TEST."""

import hashlib


class TestProvider:
    """Answers every charge at once; the same key gets the same reference."""

    name = "test"
    is_test = True

    def charge(self, *, idempotency_key: str, amount_minor: int, currency: str) -> str:
        """See PaymentProvider.charge."""
        said = f"{idempotency_key}\n{amount_minor}\n{currency}"
        return f"test_{hashlib.sha256(said.encode()).hexdigest()[:24]}"
