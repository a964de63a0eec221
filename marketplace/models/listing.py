"""What stands in the catalogue, and for how much."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ingestion.models import Dataset, Version
from licensing.models import Offer


class Listing(models.Model):
    """A dataset as the catalogue shows it: copies from below, made by listings.refresh."""

    dataset = models.OneToOneField(Dataset, on_delete=models.CASCADE, related_name="listing")
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="+")
    """The newest version that was offered."""
    title = models.CharField(max_length=160)
    description = models.TextField(blank=True)
    publisher = models.CharField(max_length=120)
    language = models.CharField(max_length=35)
    task = models.CharField(max_length=24)
    allows = ArrayField(models.CharField(max_length=40), default=list)
    """Purposes that at least one open offer allows; empty while nothing is offered."""
    duration_ms = models.BigIntegerField(default=0)
    clips = models.PositiveIntegerField(default=0)
    speakers = models.PositiveIntegerField(default=0)
    published_at = models.DateTimeField()
    updated_at = models.DateTimeField(default=timezone.now)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="simple")
        + SearchVector("publisher", weight="B", config="simple")
        + SearchVector("description", weight="C", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        indexes = (
            GinIndex(fields=["search"], name="listing_search"),
            GinIndex(fields=["allows"], name="listing_allows"),
            models.Index(fields=["-published_at"], name="listing_newest"),
        )

    def __str__(self) -> str:
        return self.title


class Price(models.Model):
    """What an offer costs, before the fee. Zero is free."""

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="price")
    amount_minor = models.BigIntegerField()
    """In the minor unit of the currency (cents for EUR; yen for JPY)."""
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="price_is_not_negative"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="price_currency_is_iso4217"
            ),
        )
        indexes = (models.Index(fields=["currency", "amount_minor"], name="price_in_order"),)

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"
