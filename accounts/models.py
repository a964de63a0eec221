"""Who acts: users, the organizations they act for, who is asked to join, and machines' keys."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager
from rules.permissions import has_perm

KEY_TERM = timedelta(days=365)
"""How long a key works at most: what is forgotten stops by itself."""


class UserManager(BaseUserManager["User"]):
    """Users are found by email, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create a user; without a password nobody can log in until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create an operator."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by email for login (case-insensitive)."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Acts only through a membership of an organization."""

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False)
    """Runs this deployment (the operator of the design brief)."""
    is_active = models.BooleanField(default=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    """When they proved that mail to `email` reaches them. Until then they are nobody: no rule lets
    them do anything for an organization, and whoever proves the address has it."""
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_is_unique"),)

    def __str__(self) -> str:
        return self.name or self.email

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Tell whether the person has a permission.

        On an object the rules alone decide: being an operator opens nobody's originals or licenses.
        """
        return has_perm(perm, self, obj) if obj is not None else super().has_perm(perm)


class Organization(models.Model):
    """A station, a community, a company: the party that owns datasets and holds licenses."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    look = models.CharField(max_length=600, unique=True, editable=False)
    """What the name looks like (accounts.names.look_of): nobody else's may look the same."""
    country = models.CharField(max_length=2, blank=True)
    """ISO 3166-1 alpha-2, or empty where the organization did not say."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
                name="organization_slug_is_plain",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do for the organization."""

    OWNER = "owner", _("Owner")
    EDITOR = "editor", _("Editor")
    BUYER = "buyer", _("Buyer")


class Membership(models.Model):
    """One user acting for one organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "organization"], name="one_membership_per_organization"
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="membership_role_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()}, {self.organization})"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Reads of invitations."""

    def open(self) -> "InvitationQuerySet":
        """Keep what nobody accepted or withdrew; a link may be too old all the same."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class Invitation(models.Model):
    """An address that was asked to join an organization. Whoever opens the link in its mail may.

    Only the hash of what stands in the link is kept.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invitations"
    )
    address = models.EmailField(max_length=254)
    """In lower case."""
    role = models.CharField(max_length=10, choices=Role.choices)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="+", null=True, blank=True
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("address"),
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_per_address",
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="invitation_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(withdrawn_at=None),
                name="invitation_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="invitation_is_accepted_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.address} ({self.organization})"

    @property
    def has_expired(self) -> bool:
        """Whether its link is too old."""
        return self.expires_at <= timezone.now()


class Scope(models.TextChoices):
    """What a key may be used for, within what its user may do."""

    READ = "read", _("See what I can see")
    CONTRIBUTE = "contribute", _("Upload, record consent, review, publish")
    BUY = "buy", _("License datasets")
    DOWNLOAD = "download", _("Download licensed releases")


class ApiKey(AbstractAPIKey):
    """A key for one user's machine, for one organization. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_keys"
    )
    scopes = ArrayField(models.CharField(max_length=12, choices=Scope.choices))
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[APIKeyManager] = APIKeyManager()

    class Meta(AbstractAPIKey.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values) & Q(scopes__len__gt=0),
                name="api_key_scopes_are_known",
            ),
            # A day more, for the moment between two looks at the clock and for leap years.
            models.CheckConstraint(
                condition=Q(
                    expiry_date__isnull=False,
                    expiry_date__lte=F("created") + KEY_TERM + timedelta(days=1),
                ),
                name="api_key_ends_within_a_year",
            ),
        )


class AuditEntry(models.Model):
    """Who did what, and to what, with copies of it: append-only (trigger), and no foreign keys.

    Names of speakers are never copied here, only their pseudonyms.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=254)
    """Who, as the history tells it: an address, with the key that was used; or "the site"."""
    actor_id = models.BigIntegerField(null=True, blank=True)
    """The user's id, where it was a user."""
    verb = models.CharField(max_length=40)
    """What was done, as thing.done: `recording.removed`, `consent.withdrawn`."""
    about = ArrayField(models.CharField(max_length=80))
    """What it touched, as kind:id, the smallest thing first: `file:12`, `dataset:3`."""
    copies = models.JSONField(default=dict)
    """What the history says of it, once it may be gone."""
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (GinIndex(fields=["about"], name="audit_about"),)

    def __str__(self) -> str:
        return f"{self.actor} {self.verb}"
