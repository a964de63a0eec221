"""Who somebody is: a person is known by an address, and has it by proving that its mail is theirs.

Until then an account is nobody. It can't keep the address either: whoever proves it gets it.
"""

from allauth.account.models import EmailAddress
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import audit, locks, names
from accounts.models import ApiKey, User
from accounts.permissions import is_somebody

GONE = "displaced-{number}@invalid"
"""The address of an account that lost the one it claimed: a name that can't exist (RFC 2606)."""


class Unconfirmed(CommonholdError):
    """The person has not proved that their address is theirs."""

    code = "address-unconfirmed"
    status = 403


class AddressTaken(CommonholdError):
    """Somebody has proved already that this address is theirs."""

    code = "address-taken"
    status = 409


def holder(*, address: str) -> User | None:
    """Return who has proved that an address is theirs, or None. Accounts that only claim it don't.

    Whoever was switched off holds it still.
    """
    proved = EmailAddress.objects.filter(
        email=address.lower(), verified=True, user__confirmed_at__isnull=False
    )
    found = User.objects.filter(pk__in=proved.values("user")).first()
    if found is not None:
        return found
    return named(address).filter(confirmed_at__isnull=False).first()


def named(address: str) -> QuerySet[User]:
    """Return the account that is known by an address, as the index of the table finds it."""
    return User.objects.alias(address=Lower("email")).filter(address=address.lower())


@transaction.atomic
def join(*, address: str, password: str, name: str) -> User:
    """Make the account of somebody who has just proved that `address` is theirs.

    An account that claimed it before without proof is displaced. Raises InvalidName, AddressTaken.
    """
    address, name = address.lower(), names.check_name(name)
    lock(address)
    if holder(address=address):
        raise AddressTaken(_("%(address)s has joined already. Sign in with it."), address=address)
    displaced = displace(address=address)
    now = timezone.now()
    user = User.objects.create_user(address, password, name=name, confirmed_at=now)
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    audit.note(by=user, verb="user.joined", about=(user,))
    note_displaced(displaced, by=user)
    return user


@transaction.atomic
def confirm(*, address: EmailAddress) -> User:
    """Note that an account's owner proved that one of its addresses is theirs.

    The first is the one that they sign in with and are known by. Accounts that only claimed it are
    displaced. Raises AddressTaken when it was proved to be somebody else's.
    """
    lock(address.email)
    user = User.objects.select_for_update().get(pk=address.user_id)
    other = holder(address=address.email)
    if other is not None and other.pk != user.pk:
        sentence = _("%(address)s belongs to another person here already.")
        raise AddressTaken(sentence, address=address.email)
    displaced = displace(address=address.email, but=user)
    EmailAddress.objects.filter(pk=address.pk).update(verified=True)
    if user.confirmed_at is None:
        EmailAddress.objects.filter(user=user).exclude(pk=address.pk).update(primary=False)
        EmailAddress.objects.filter(pk=address.pk).update(primary=True)
        user.email, user.confirmed_at = address.email, timezone.now()
        user.save(update_fields=["email", "confirmed_at"])
    audit.note(by=user, verb="address.confirmed", about=(user,), address=address.email)
    note_displaced(displaced, by=user)
    return user


def displace(*, address: str, but: User | None = None) -> list[User]:
    """Take an address from the accounts that only claim it: whoever calls this has proved it.

    An account that nobody ever proved ends with that: its password, sessions and keys no longer
    work. An account that somebody proved by another address loses no more than this claim.
    """
    claims = EmailAddress.objects.filter(email=address.lower(), verified=False)
    ended = named(address).filter(confirmed_at=None)
    if but is not None:
        claims, ended = claims.exclude(user=but), ended.exclude(pk=but.pk)
    claims.delete()
    displaced = list(ended.select_for_update())
    for user in displaced:
        user.email, user.is_active = GONE.format(number=user.pk), False
        # Sessions are bound to the password.
        user.set_unusable_password()
        user.save(update_fields=["email", "is_active", "password"])
        EmailAddress.objects.filter(user=user).delete()
        ApiKey.objects.filter(user=user, revoked=False).update(revoked=True)
    return displaced


def note_displaced(displaced: list[User], *, by: User) -> None:
    """Write down whose account ended because the address was another person's."""
    for user in displaced:
        audit.note(by=by, verb="user.displaced", about=(user,), address=by.email)


def require_somebody(user: User) -> None:
    """Raise Unconfirmed unless the person has proved that their address is theirs."""
    if not is_somebody(user):
        sentence = _(
            "First confirm that %(address)s is yours: open the link in the mail that we sent "
            "there. You can have it sent again under «Your addresses»."
        )
        raise Unconfirmed(sentence, address=user.email)


def lock(address: str) -> None:
    """Let one at a time settle whose an address is, until the transaction ends."""
    locks.hold(f"address {address.lower()}")
