"""Where a second factor is asked for: what is wrong in an answer is written down as a failure."""

import hashlib
from typing import Any

from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.cache import cache

from accounts import audit, requests
from accounts.models import User
from marketplace.http import refusals, signing_in
from marketplace.http.clients import address_of


class Watched(forms.Form):
    """A form that proves who somebody is."""

    method = "code"
    user: User | None

    def full_clean(self) -> None:
        """Look at what was sent; write down that it proves nothing."""
        super().full_clean()
        if self.is_bound and self.errors:
            facts: dict[str, Any] = {"verb": "session.refused", "method": self.method}
            who = f"user:{self.user.pk}" if self.user else requests.current().client
            audit.note_seldom(by=self.user or audit.VISITOR, who=f"{who}:{self.method}", **facts)


class Counted(Watched, BaseAuthenticateForm):
    """A form that takes a code: whoever guesses has to wait."""

    user: User

    def clean_code(self) -> str:
        """Return the code if it is one of the person's; only then its attempt does not count."""
        address = address_of(context.request)
        try:
            signing_in.note_code(user=self.user, address=address)
        except signing_in.TooManyAttempts as error:
            raise ImmediateHttpResponse(refusals.answer(context.request, error)) from error
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            require_unused(code, user=self.user)
        signing_in.note_right_code(user=self.user, address=address)
        return code


def require_unused(code: str, *, user: User) -> None:
    """Raise ValidationError for a code that an app showed and that was used already.

    allauth forgets it after one step of the clock, and takes it for as many as it tolerates.
    """
    steps = 2 * app_settings.TOTP_TOLERANCE + 1
    digest = hashlib.sha256(normalize_user_code(code).encode()).hexdigest()
    if not cache.add(f"used:{user.pk}:{digest}", 1, timeout=steps * app_settings.TOTP_PERIOD):
        raise get_adapter().validation_error("incorrect_code")


class CodeForm(Counted, AuthenticateForm):
    """The code of an app, or a recovery code, at signing in."""


class CodeAgainForm(Counted, ReauthenticateForm):
    """The same, to show again who one is."""


class PasskeyForm(Watched, AuthenticateWebAuthnForm):
    """A passkey after the password."""

    method = "passkey"


class PasskeyAloneForm(Watched, LoginWebAuthnForm):
    """A passkey in place of the password."""

    method = "passkey"


class PasskeyAgainForm(Watched, ReauthenticateWebAuthnForm):
    """A passkey, to show again who one is."""

    method = "passkey"
