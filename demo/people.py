"""The demo's people, organizations and keys. What the demo did not make, it leaves alone."""

import secrets
from dataclasses import dataclass
from typing import Any

from commonhold.errors import CommonholdError
from django.db import transaction

from accounts import organizations, people
from accounts.models import ApiKey, Organization, User
from demo import notebook
from demo.plan import Account

KEY_NAME = "Demo"


class NotOurs(CommonholdError):
    """Somebody else has the demo's email address or its organization's name."""

    code = "demo-name-taken"
    status = 409


@dataclass(frozen=True)
class Actor:
    """A person of the demo, acting for their organization."""

    user: User
    organization: Organization


def ensure(*, account: Account, notes: dict[str, Any]) -> Actor:
    """Return the account's person and organization, made if need be, and write down their secrets.

    The password is written down before anything is made with it: so a load that was killed in
    between recognizes by it what it made. Raises NotOurs.
    """
    written = notes["accounts"].setdefault(account.key, {})
    if "password" not in written:
        written["password"] = secrets.token_urlsafe(12)
        notebook.write(notes)
    with transaction.atomic():
        actor = find(account=account, written=written) or make(
            account=account, password=written["password"]
        )
    if written.get("organization") != actor.organization.pk:
        written["organization"] = actor.organization.pk
        notebook.write(notes)
    if not key_works(secret=written.get("api_key", "")):
        written["api_key"] = issue_key(actor=actor, account=account)
        notebook.write(notes)
    return actor


def find(*, account: Account, written: dict[str, Any]) -> Actor | None:
    """Return what an earlier load made, or None where there is nothing of these names."""
    user = User.objects.filter(email__iexact=account.email).first()
    organization = Organization.objects.filter(slug=account.slug).first()
    if user is None and organization is None:
        return None
    if user is not None and organization is not None:
        owned = organization.memberships.filter(user=user).exists()
        if owned and user.check_password(written["password"]):
            return Actor(user, organization)
    message = (
        f"«{account.email}» or the organization «{account.slug}» exists already, and this demo did "
        "not make it. Nothing of it was touched; load the demo into an installation of its own."
    )
    raise NotOurs(message, email=account.email, slug=account.slug)


def make(*, account: Account, password: str) -> Actor:
    """Make the person and their organization."""
    user = people.join(address=account.email, password=password, name=account.name)
    if account.is_operator:
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    organization = organizations.create(
        name=account.organization, owner=user, slug=account.slug, country=account.country
    )
    return Actor(user, organization)


def key_works(*, secret: str) -> bool:
    """Tell whether an API key is known and not revoked."""
    return bool(secret) and bool(ApiKey.objects.is_valid(secret))


def issue_key(*, actor: Actor, account: Account) -> str:
    """Make the account's key; one that was made and never written down is revoked."""
    lost = ApiKey.objects.filter(
        user=actor.user, organization=actor.organization, name=KEY_NAME, revoked=False
    )
    for key in lost:
        organizations.revoke_key(key=key, by=actor.user)
    _, secret = organizations.issue_key(
        organization=actor.organization, user=actor.user, name=KEY_NAME, scopes=account.scopes
    )
    return secret
