"""Failed sign-ins back off, by account and address, and never lock the owner out.

What is guessed at an account from one address makes that address wait at that account, and many
failures from one address make it wait at every account, but those that signed in from there before.
Whoever comes from elsewhere is not touched by it: no number of strangers' failures stops the right
password from its owner's own address.

Codes of the second factor are six digits, and tried by those alone who know the password already.
They back off as well, and many wrong ones from everywhere make all addresses wait but those that a
right one came from before. A new password ends it, as whoever guesses then gets no further.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic, sleep, time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from commonhold.errors import CommonholdError
from commonhold.sentences import n_
from django.core.cache import cache
from django.http import HttpRequest

from accounts import audit, security
from accounts.models import User
from marketplace.http import refusals
from marketplace.http.clients import address_of
from marketplace.http.reauthentication import is_recent

FREE_AT_ACCOUNT = 4
FREE_AT_ADDRESS = 20
FREE_ANYWHERE = 50
"""Failures before the first wait; a person mistypes, and an office has one address."""
FIRST_WAIT = 15
LONGEST_WAIT = 15 * 60
"""Seconds; each further failure doubles the wait."""
REMEMBERED = 24 * 3600
KNOWN = 90 * 24 * 3600
HELD = 5.0
CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    "account/email/password_changed": ("password.changed", {}),
    "account/email/password_set": ("password.changed", {}),
    "account/email/password_reset": ("password.reset", {}),
    "account/email/email_changed": ("address.changed", {}),
    "account/email/email_deleted": ("address.removed", {}),
    "mfa/email/totp_activated": ("factor.added", {"kind": "totp"}),
    "mfa/email/totp_deactivated": ("factor.removed", {"kind": "totp"}),
    "mfa/email/webauthn_added": ("factor.added", {"kind": "passkey"}),
    "mfa/email/webauthn_removed": ("factor.removed", {"kind": "passkey"}),
    "mfa/email/recovery_codes_generated": ("factor.added", {"kind": "recovery codes"}),
}
"""What each letter of allauth is about, as it is written down."""


class TooManyAttempts(CommonholdError):
    """Too many sign-ins failed; `wait` seconds, and the next may be tried."""

    code = "too-many-attempts"
    status = 429


class PatientAdapter(DefaultAccountAdapter):
    """What allauth asks of the site about clients, and about who tries to sign in."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that limits count by."""
        return address_of(request)

    def is_reauthentication_required(self, *, app: str, **facts: Any) -> bool:  # noqa: ARG002 - allauth's
        """Ask again before factors and addresses change as before anything else: signing in counts.

        allauth would ask whoever has just signed in.
        """
        return not is_recent(self.request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whose credentials these are; else count a failure. Refuses while it waits."""
        account, address = str(credentials.get("email", "")), address_of(request)
        try:
            note_attempt(account=account, address=address)
        except TooManyAttempts as error:
            raise ImmediateHttpResponse(refusals.answer(request, error)) from error
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            note_success(account=account, address=address)
        else:
            note_failure(account=account, address=address)
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign somebody in, and write it down."""
        super().login(request, user)
        records = get_authentication_records(request, user)
        method = records[-1]["method"] if records else None
        audit.note(by=user, verb="session.began", about=(user,), method=method)

    def logout(self, request: HttpRequest) -> None:
        """Sign somebody out, and write it down."""
        if isinstance(request.user, User):
            user = request.user
            audit.note(by=user, verb="session.ended", about=(user,), why="signed out")
        super().logout(request)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell somebody by mail what was changed in how they sign in, and write it down."""
        if template_prefix in CHANGES:
            verb, facts = CHANGES[template_prefix]
            audit.note(by=user, verb=verb, about=(user,), **facts)
        super().send_notification_mail(template_prefix, user, context, email)


def note_attempt(*, account: str, address: str, anywhere: str = "") -> None:
    """Count an attempt as failed, before it is one: those at the same time are counted too.

    Raises TooManyAttempts while the account at this address, or the address, has to wait; or all
    addresses that are not known, where failures are counted together under the name `anywhere`.
    """
    at_account, at_address, known = keys(account, address)
    wide = {at_address: FREE_AT_ADDRESS} | ({anywhere: FREE_ANYWHERE} if anywhere else {})
    is_known = cache.get(known)
    limits = {at_account: FREE_AT_ACCOUNT} | {
        key: inf if is_known else free for key, free in wide.items()
    }
    with held(at_address):
        now = time()
        found = {key: cache.get(key, (0, 0.0)) for key in limits}
        wait = max(left(*found[key], free=free, now=now) for key, free in limits.items())
        if wait > 0:
            raise too_many(int(wait) + 1, of_codes=bool(anywhere))
        for key, (failures, _last) in found.items():
            cache.set(key, (failures + 1, now), REMEMBERED)


def note_code(*, user: User, address: str) -> None:
    """Count a code of the second factor as wrong, before it is looked at, as `note_attempt` does.

    Raises TooManyAttempts.
    """
    account, anywhere = names_of_code(user)
    with held(anywhere):
        note_attempt(account=account, address=address, anywhere=anywhere)


def note_right_code(*, user: User, address: str) -> None:
    """Forget the wrong codes from an address, and know the address from now on."""
    account, anywhere = names_of_code(user)
    note_success(account=account, address=address)
    with held(anywhere):
        take_back(anywhere)


def names_of_code(user: User) -> tuple[str, str]:
    """Return by which names a person's codes are counted: as an account, and from everywhere."""
    return f"code:{user.pk}", f"failed:anywhere:{user.pk}"


def note_success(*, account: str, address: str) -> None:
    """Forget the failures at an account from an address, and that this attempt was counted."""
    at_account, at_address, known = keys(account, address)
    with held(at_address):
        take_back(at_address)
        cache.delete(at_account)
        cache.set(known, 1, KNOWN)


def take_back(key: str) -> None:
    """Let one attempt be no failure that was counted as one."""
    failures, last = cache.get(key, (1, 0.0))
    cache.set(key, (max(failures - 1, 0), last), REMEMBERED)


def note_reset(*, user: User, address: str) -> None:
    """Let whoever has set a new password from an address sign in from there without waiting.

    By what is proved to be theirs: what somebody only claims is another person's to guess at.
    """
    proved = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    for account in {user.email, *proved}:
        at_account, _at_address, known = keys(account, address)
        cache.delete(at_account)
        cache.set(known, 1, KNOWN)


def note_failure(*, account: str, address: str) -> None:
    """Write down that a sign-in failed: alike whether or not there is such an account."""
    pseudonyms = [security.pseudonym(one) for one in (account.strip().lower(), address)]
    audit.note_seldom(
        by=audit.VISITOR,
        verb="session.refused",
        who=":".join(pseudonyms),
        account=pseudonyms[0],
        method="password",
    )


def left(failures: int, last: float, *, free: float, now: float) -> float:
    """Return how many seconds are left to wait after the last of so many failures."""
    if failures <= free:
        return 0.0
    wait: float = min(FIRST_WAIT * 2.0 ** min(failures - free - 1, 16), LONGEST_WAIT)
    return last + wait - now


def keys(account: str, address: str) -> tuple[str, str, str]:
    """Return the names of what is counted at both, at the address, and whether both are known.

    Digests: the cache holds nobody's mail address.
    """
    both = hashlib.sha256(f"{account.strip().lower()}\n{address}".encode()).hexdigest()
    alone = hashlib.sha256(address.encode()).hexdigest()
    return f"failed:account:{both}", f"failed:address:{alone}", f"signed-in:{both}"


@contextmanager
def held(key: str) -> Iterator[None]:
    """Let one attempt of an address be counted at a time, in all processes."""
    lock, deadline = f"{key}:lock", monotonic() + HELD
    while not cache.add(lock, 1, timeout=HELD):
        if monotonic() > deadline:
            raise too_many(1)
        sleep(0.01)
    try:
        yield
    finally:
        cache.delete(lock)


def too_many(wait: int, *, of_codes: bool = False) -> TooManyAttempts:
    """Make the refusal that says how many seconds to wait; no new password ends that of codes."""
    if of_codes:
        sentence = n_(
            "Too many codes were wrong. Wait %(wait)s second, then try again.",
            "Too many codes were wrong. Wait %(wait)s seconds, then try again.",
            wait,
        )
        return TooManyAttempts(sentence, wait=wait)
    sentence = n_(
        "Too many sign-ins failed. Wait %(wait)s second, then try again, or set a new password.",
        "Too many sign-ins failed. Wait %(wait)s seconds, then try again, or set a new password.",
        wait,
    )
    return TooManyAttempts(sentence, wait=wait)
