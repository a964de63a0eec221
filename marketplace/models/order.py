"""One purchase of one license."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from licensing.models import Grant, Offer
from marketplace.models.ledger import LedgerTransaction


class Order(models.Model):
    """A license bought once: amounts as they were shown, the ledger's record, and the grant."""

    class State(models.TextChoices):
        """Orders are made whole or not at all; a refund is a later change."""

        PAID = "paid", _("Paid")
        REFUNDED = "refunded", _("Refunded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    buyer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="orders")
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="orders")
    idempotency_key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    """Digest of what was asked for: the same key with another request is refused."""
    price_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PAID)
    provider = models.CharField(max_length=20)
    provider_reference = models.CharField(max_length=120, blank=True)
    is_test = models.BooleanField(default=False)
    ledger_transaction = models.OneToOneField(
        LedgerTransaction, null=True, blank=True, on_delete=models.PROTECT, related_name="order"
    )
    """Null when the license is free: no money moved."""
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="order")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["buyer", "idempotency_key"], name="one_order_per_idempotency_key"
            ),
            models.CheckConstraint(
                condition=Q(
                    total_minor=F("price_minor") + F("fee_minor"),
                    price_minor__gte=0,
                    fee_minor__gte=0,
                ),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(total_minor=0, ledger_transaction__isnull=True)
                | Q(total_minor__gt=0, ledger_transaction__isnull=False),
                name="order_with_money_is_in_the_ledger",
            ),
        )

    def __str__(self) -> str:
        return f"order {self.id}"
