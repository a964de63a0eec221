"""Where a second factor is asked for: what is wrong in an answer is written down as a failure."""

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import (
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms

from accounts import audit, requests
from accounts.models import User


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


class CodeForm(Watched, AuthenticateForm):
    """The code of an app, or a recovery code, at signing in."""


class CodeAgainForm(Watched, ReauthenticateForm):
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
