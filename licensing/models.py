"""Offers of rights, the grants made from them, and who used a grant."""

import uuid
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from ingestion.models import NewsRow, Version
from notary.models import Statement


class OfferQuerySet(models.QuerySet["Offer"]):
    """Reads of offers."""

    def open(self) -> Self:
        """Offers that can be taken up: not closed, of a sealed version whose consents stand.

        An offer that a consent stopped covering is closed as soon as the news are read; whoever
        grants asks the consents themselves.
        """
        return self.filter(
            closed_at__isnull=True,
            version__state=Version.State.SEALED,
            version__consent_state=Version.Consent.GIVEN,
        )


class Offer(models.Model):
    """Rights in a sealed version that anybody may take up. Their terms are never edited."""

    class Closed(models.TextChoices):
        """Why an offer was closed."""

        PUBLISHER = "publisher", _("Closed by its publisher")
        CONSENT = "consent", _("A consent that it needs ended")
        VERSION = "version", _("The version was withdrawn")

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="offers")
    profile = models.CharField(max_length=60)
    profile_version = models.CharField(max_length=10)
    name = models.CharField(max_length=80)
    """Name, summary and identifiers of the license as they were: profiles may change or go."""
    summary = models.TextField()
    iri = models.CharField(max_length=200)
    spdx = models.CharField(max_length=80)
    terms = models.JSONField()
    """The grant vector that text and ODRL were compiled from (licensing.profiles)."""
    odrl = models.JSONField()
    terms_text = models.TextField()
    terms_sha256 = models.CharField(max_length=64)
    """SHA-256 of `terms_text` in UTF-8: what a licensee accepts and the manifest binds."""
    purposes = ArrayField(models.CharField(max_length=40))
    """What the terms allow; consent covered all of it when the offer was made."""
    term_days = models.PositiveIntegerField(null=True, blank=True)
    """How long a grant holds; null for good."""
    benefit_share_bps = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_because = models.CharField(max_length=9, choices=Closed.choices, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(closed_because="") ^ Q(closed_at__isnull=False),
                name="closed_offer_says_why",
            ),
            models.CheckConstraint(
                condition=Q(terms_sha256__regex=r"^[0-9a-f]{64}$"), name="offer_binds_its_text"
            ),
            models.CheckConstraint(
                condition=Q(benefit_share_bps__lte=10000), name="offer_share_is_at_most_all"
            ),
            models.UniqueConstraint(
                fields=["version", "profile"],
                condition=Q(closed_at__isnull=True),
                name="one_open_offer_per_profile",
            ),
        )

    def __str__(self) -> str:
        return f"{self.profile} for {self.version}"

    @property
    def is_open(self) -> bool:
        """Whether the offer can still be taken up."""
        return self.closed_at is None


class GrantQuerySet(models.QuerySet["Grant"]):
    """Reads of grants."""

    def in_force(self) -> Self:
        """Licenses that hold now: not revoked, and their term is not over."""
        return self.filter(state=Grant.State.IN_FORCE).exclude(valid_until__lte=timezone.now())


class Grant(models.Model):
    """A license: these rights in this version, to this organization, from when until when."""

    class State(models.TextChoices):
        """Whether the license is in force (its dates apart)."""

        IN_FORCE = "in-force", _("In force")
        REVOKED = "revoked", _("Revoked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="grants")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="grants")
    licensee = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="grants")
    licensee_name = models.CharField(max_length=120)
    """The name as it stands in the manifest: a copy."""
    issued_at = models.DateTimeField(default=timezone.now)
    issued_to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.IN_FORCE)
    revoked_at = models.DateTimeField(null=True, blank=True)
    is_test = models.BooleanField(default=False)
    """Made in TEST MODE: no money moved, and the manifest says so."""
    status_index = models.PositiveIntegerField(unique=True)
    """Place in the status lists (notary.status)."""
    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="+")
    """The signed licensed-release statement."""

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="grant_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(state="in-force", revoked_at__isnull=True)
                | Q(state="revoked", revoked_at__isnull=False),
                name="revoked_grant_says_when",
            ),
        )

    def __str__(self) -> str:
        return f"license {self.id}"


class GrantPaper(models.Model):
    """A paper that was made for a grant, kept so that an address of it gives what it named.

    Old ones are removed (licensing.tasks); they are made anew when somebody asks.
    """

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="papers")
    name = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["grant", "name", "sha256"], name="grant_paper_is_kept_once"
            ),
        )
        indexes = (models.Index(fields=["made_at"], name="grant_paper_by_age"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.grant}"


class AccessRecord(models.Model):
    """A release handed out under a grant. Copies, no foreign keys: the record outlives its rows."""

    grant_id = models.UUIDField(db_index=True)
    dataset = models.CharField(max_length=150)
    version = models.PositiveIntegerField()
    licensee = models.CharField(max_length=60)
    by = models.CharField(max_length=254)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["dataset", "version"], name="access_by_version"),)

    def __str__(self) -> str:
        return f"{self.licensee} took {self.dataset}@{self.version}"


class News(NewsRow):
    """What happened in licensing that the layers above may have to act on."""

    class Kind(models.TextChoices):
        """What happened."""

        OFFER_OPENED = "offer-opened"
        OFFER_CLOSED = "offer-closed"
        GRANTED = "granted"
        REVOKED = "revoked"

    offer_id = models.BigIntegerField(null=True, blank=True)
    grant_id: "models.UUIDField[uuid.UUID | None, uuid.UUID | None]" = models.UUIDField(
        null=True, blank=True
    )
