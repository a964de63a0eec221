"""Links that are sent to an address: whoever opens one has proved that its mail is theirs.

Nothing here tells the one who asked whether an address has joined: each asking sends one letter to
that address, and is answered in the same way.
"""

import hashlib
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from commonhold.errors import CommonholdError
from commonhold.sentences import _, n_
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from accounts import names, people
from accounts.invitations import LASTS as INVITATION_LASTS
from accounts.models import Invitation, User
from marketplace.http import pace, refusals
from marketplace.http.signing_in import PatientAdapter
from marketplace.http.telling import tell

SALT = "commonhold.join"
JOIN_DAYS = 3
log = logging.getLogger(__name__)


class LinkTooOld(CommonholdError):
    """The link of a letter is not whole, or too old."""

    code = "link-too-old"
    status = 410


class MailNotSent(CommonholdError):
    """The mail server did not take a letter."""

    code = "mail-not-sent"
    status = 503


class AccountAdapter(PatientAdapter):
    """What allauth asks of us: an address is proved by our rules, and letters can fail."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a letter. Raises MailNotSent."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:
            # What a mail server says can name the address.
            log.error("A letter was not sent: %s", type(error).__name__)  # noqa: TRY400
            raise MailNotSent(
                _("The letter could not be sent just now. Try again in a few minutes.")
            ) from error

    def send_confirmation_mail(
        self,
        request: HttpRequest,
        emailconfirmation: Any,
        signup: bool,  # noqa: FBT001 - allauth's
    ) -> None:
        """Send the link that proves an address, or refuse, and let it be asked for again."""
        try:
            super().send_confirmation_mail(request, emailconfirmation, signup)
        except MailNotSent as error:
            address = emailconfirmation.email_address.email
            ratelimit.clear(request, action="confirm_email", key=address.lower())
            raise ImmediateHttpResponse(refusals.answer(request, error)) from error

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell by mail what was changed. It is changed, and written down, also where that fails."""
        with suppress(MailNotSent):
            super().send_notification_mail(template_prefix, user, context, email)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Note that an address was proved; say so, or why not."""
        try:
            people.confirm(address=email_address)
        except people.AddressTaken as error:
            messages.error(request, tell(error))
            return False
        context = {"email": email_address.email}
        self.add_message(request, messages.SUCCESS, "account/messages/email_confirmed.txt", context)
        return True


@dataclass(frozen=True)
class Proof:
    """What the link of a letter proves, and where its reader was going."""

    address: str
    next: str


def send_join(request: HttpRequest, *, address: str, next_page: str) -> None:
    """Write to an address that somebody wants to join with: how to go on, or that it has joined.

    One letter in three minutes to an address; whoever asks more often is told nothing else.
    Raises MailNotSent.
    """
    address = address.lower()
    if not ratelimit.consume(request, action="join", key=address):
        return
    token = signing.dumps({"address": address, "next": next_page}, salt=SALT)
    onward = f"?{urlencode({'next': next_page})}" if next_page else ""
    addresses = {
        "join_url": reverse("join", args=[token]),
        "login_url": reverse("account_login") + onward,
        "reset_url": reverse("account_reset_password"),
    }
    letter = "emails/joined_already" if people.holder(address=address) else "emails/join"
    try:
        send(request, letter, address, addresses | {"days": JOIN_DAYS})
    except MailNotSent:
        ratelimit.clear(request, action="join", key=address)
        raise


def read_join(token: str) -> Proof:
    """Return what the link of `send_join` proves. Raises LinkTooOld."""
    try:
        found = signing.loads(token, salt=SALT, max_age=JOIN_DAYS * 86400)
    except signing.BadSignature as error:
        raise LinkTooOld(_("The link is too old, or not whole. Ask for a new one.")) from error
    return Proof(address=found["address"], next=found["next"])


def count_invitation(invitation: Invitation) -> None:
    """Count a letter that invites, by who sends it and to whom it goes. Raises TooManyCalls.

    Within the transaction that makes its link: what is refused leaves the former link in force.
    """
    who = hashlib.sha256(invitation.address.encode()).hexdigest()
    try:
        pace.require("invite", f"user:{invitation.invited_by_id}")
        pace.require("invited", f"mail:{who}")
    except pace.TooManyCalls as error:
        wait = int(str(error.details["wait"]))
        hours = -(-wait // 3600)
        sentence = n_(
            "You sent as many invitations as one person may in a day, or %(address)s was sent as "
            "many as one address may. Try again in %(hours)s hour.",
            "You sent as many invitations as one person may in a day, or %(address)s was sent as "
            "many as one address may. Try again in %(hours)s hours.",
            hours,
        )
        address = invitation.address
        raise pace.TooManyCalls(sentence, wait=wait, hours=hours, address=address) from error


def send_invitation(request: HttpRequest, *, invitation: Invitation, secret: str) -> None:
    """Write to an address that it is invited. Raises MailNotSent; the invitation stands."""
    shown = (invitation.invited_by.name, invitation.organization.name)
    context = {
        "organization": invitation.organization,
        "role": invitation.get_role_display(),
        "by": invitation.invited_by,
        "mixed": [one for one in shown if names.mixes_scripts(one)],
        "invitation_url": reverse("invitation", args=[secret]),
        "days": INVITATION_LASTS.days,
    }
    send(request, "emails/invitation", invitation.address, context)


def send(request: HttpRequest, letter: str, address: str, context: dict[str, object]) -> None:
    """Send a letter, its links made whole. Raises MailNotSent."""
    whole = {
        name: request.build_absolute_uri(str(value)) if name.endswith("_url") else value
        for name, value in context.items()
    }
    get_adapter(request).send_mail(letter, address, whole)
