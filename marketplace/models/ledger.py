"""Money in double entry. The database refuses a transaction that does not sum to zero."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization


class LedgerTransaction(models.Model):
    """One movement of money, whole. Never edited or deleted (trigger)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    description = models.CharField(max_length=200)
    is_test = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.description


class LedgerEntry(models.Model):
    """One side of a transaction. Positive: the account is debited; negative: credited."""

    class Account(models.TextChoices):
        """Where money can be."""

        CLEARING = "clearing", _("Paid in, with the payment provider")
        CONTRIBUTOR = "contributor", _("Owed to a contributor")
        BENEFIT_POOL = "benefit-pool", _("Owed to the consenting speakers of a dataset")
        PLATFORM_FEE = "platform-fee", _("Platform fee")

    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="entries"
    )
    account = models.CharField(max_length=16, choices=Account.choices)
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_entries"
    )
    """Whose contributor or benefit-pool account it is."""
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_entry_is_not_zero"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="ledger_currency_is_iso4217"
            ),
            models.CheckConstraint(
                condition=Q(account__in=["contributor", "benefit-pool"], organization__isnull=False)
                | Q(account__in=["clearing", "platform-fee"], organization__isnull=True),
                name="ledger_account_has_its_owner",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.amount_minor} {self.currency}"
