"""How one signs in, beside allauth's own pages: passkeys, sessions, and after a lost password."""

import time
from typing import Any

from allauth.account.views import PasswordResetFromKeyView, PasswordResetView
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.mfa.webauthn.views import AddWebAuthnView
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django.views.generic import RedirectView

from accounts import organizations, requests
from accounts.models import ApiKey, User
from marketplace.host.safety import is_loopback
from marketplace.http.acting import signed_in
from marketplace.http.clients import address_of
from marketplace.http.mailed import LinkTooOld, MailNotSent
from marketplace.http.reauthentication import recently, require_recent
from marketplace.http.signing_in import note_reset
from marketplace.http.telling import tell

RESET = "password_reset"
RESET_SECONDS = 900
"""How long after a reset the keys are shown without signing in."""
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome"}
BROWSERS |= {"Safari/": "Safari", "python-": "Python", "curl/": "curl"}
SYSTEMS = {"Android": "Android", "iPhone": "iOS", "iPad": "iOS", "Windows": "Windows"}
SYSTEMS |= {"Mac OS": "macOS", "CrOS": "ChromeOS", "Linux": "Linux"}


class PasskeyForm(AddWebAuthnForm):
    """A passkey, and what it is called."""

    name = forms.CharField(required=False, max_length=60, label=gettext_lazy("Name"))
    passwordless = forms.BooleanField(
        required=False,
        label=gettext_lazy("Let me sign in with it alone, without my password"),
        help_text=gettext_lazy("It asks for your finger, face or PIN then, each time."),
    )


class AddPasskey(AddWebAuthnView):
    """Add a passkey; at an address that is a number, lead to the same page by its name."""

    form_class = PasskeyForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say where the page is found by a name, if it was asked for by a number."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"as_localhost": as_localhost(self.request)}


def as_localhost(request: HttpRequest) -> str:
    """Return the address of this page under the name localhost; "" where that is not another."""
    host, port = split_domain_port(request.get_host())
    is_number = is_loopback(host) and not host.endswith("localhost")
    if not is_number or not validate_host("localhost", settings.ALLOWED_HOSTS):
        return ""
    return f"{request.scheme}://localhost{f':{port}' if port else ''}{request.path}"


class Sessions(ListUserSessionsView):
    """List where the person is signed in, and end all but this."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the browser of each, and say when sessions end by themselves."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        for session in context["sessions"]:
            session.device = device_of(session.user_agent)
        limits = {"idle_hours": settings.SESSION_IDLE_HOURS, "session_days": settings.SESSION_DAYS}
        return context | limits

    def form_valid(self, form: Any) -> HttpResponse:
        """End all others, if who asks has said a short while ago who they are."""
        require_recent(self.request)
        response: HttpResponse = super().form_valid(form)
        return response


def device_of(user_agent: str) -> str:
    """Return what a browser calls itself, in the words of those who use it."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("An unknown browser")


@recently("usersessions_list")
@require_POST
@login_required
def end_session(request: HttpRequest, number: int) -> HttpResponse:
    """End one other session of the person's own."""
    session = get_object_or_404(UserSession, pk=number, user=signed_in(request))
    end_sessions(request, [session])
    messages.success(request, _("That session has ended."))
    return redirect("usersessions_list")


class AskForPassword(PasswordResetView):
    """Ask for the letter by which a new password is set."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Send it, or say that it could not be sent."""
        response: HttpResponse
        try:
            response = super().form_valid(form)
        except MailNotSent as error:
            form.add_error(None, tell(error))
            context = self.get_context_data(form=form)
            response = self.render_to_response(context, status=error.status)
        return response


class ResetPassword(PasswordResetFromKeyView):
    """Set a new password by the link of a letter, and then ask about the keys."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Note that a link is refused, where it is."""
        if kwargs.get("token_fail"):
            requests.refused(LinkTooOld.code)
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        """Set it. The person's sessions end, this browser's with them if it has one."""
        response: HttpResponse = super().form_valid(form)
        note_reset(user=self.reset_user, address=address_of(self.request))
        if self.request.user.is_authenticated:
            self.logout()
        self.request.session[RESET] = [self.reset_user.pk, time.time()]
        return response


@require_http_methods(["GET", "HEAD", "POST"])
def after_reset(request: HttpRequest) -> HttpResponse:
    """Show the keys that still work after a new password was set, and stop those that are chosen.

    Whoever set it came by a link in a letter to the person's address, which is enough to stop
    keys, and for nothing else.
    """
    user = who_has_reset(request)
    keys = working_keys(user) if user else []
    if user and request.method == "POST":
        chosen = [key for key in keys if key.prefix in request.POST.getlist("key")]
        for key in chosen:
            organizations.revoke_key(key=key, by=user)
        del request.session[RESET]
        if chosen:
            messages.success(request, _("The keys you chose no longer work."))
        return redirect("account_login")
    return render(request, "account/password_reset_from_key_done.html", {"keys": keys})


def working_keys(user: User) -> list[ApiKey]:
    """Return the keys that somebody could use now."""
    working = user.api_keys.filter(revoked=False, expiry_date__gt=timezone.now())
    return list(working.select_related("organization").order_by("organization__name", "-created"))


def who_has_reset(request: HttpRequest) -> User | None:
    """Return who set a new password in this browser a short while ago."""
    number, at = request.session.get(RESET, (None, 0))
    if time.time() - at > RESET_SECONDS:
        return None
    return User.objects.filter(pk=number, is_active=True).first()


urlpatterns = [
    path("2fa/webauthn/add/", AddPasskey.as_view(), name="mfa_add_webauthn"),
    path(
        "2fa/webauthn/",
        RedirectView.as_view(pattern_name="mfa_index"),
        name="mfa_list_webauthn",
    ),
    path("sessions/", Sessions.as_view(), name="usersessions_list"),
    path("sessions/<int:number>/end/", end_session, name="end_session"),
    path("password/reset/", AskForPassword.as_view(), name="account_reset_password"),
    path("password/reset/key/done/", after_reset, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        ResetPassword.as_view(),
        name="account_reset_password_from_key",
    ),
]
