"""The forms around a password, with labels that read like the rest of the site."""

from typing import Any, ClassVar

from allauth.account import forms as allauth
from django import forms
from django.utils.translation import gettext_lazy


class Labeled(forms.Form):
    """A form of a library under our own labels."""

    labels: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in self.labels.items():
            self.fields[name].label = label


NEW = {
    "password1": gettext_lazy("New password"),
    "password2": gettext_lazy("New password, once more"),
}


class SignInForm(Labeled, allauth.LoginForm):
    """Sign in; without the box the session ends with the browser."""

    labels: ClassVar = {"remember": gettext_lazy("Stay signed in on this device")}


class ChangePasswordForm(Labeled, allauth.ChangePasswordForm):
    """Change a password that one knows."""

    labels: ClassVar = {"oldpassword": gettext_lazy("Current password"), **NEW}


class NewPasswordForm(Labeled, allauth.ResetPasswordKeyForm):
    """Set a password by the link of a letter."""

    labels: ClassVar = NEW
