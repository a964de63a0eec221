"""Mail that did not leave: on one machine without a mail server, whoever runs it reads it here."""

from pathlib import Path

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from marketplace.host import letters

SESSION_KEY = "mail"


class CodeForm(forms.Form):
    """Ask for the code that the start printed."""

    code = forms.CharField(
        max_length=100,
        label=gettext_lazy("Code"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Show the newest messages to whom may read them. Where mail is sent there is no such page."""
    if not settings.SHOW_MAIL:
        raise Http404
    if request.method == "POST" or "code" in request.GET:
        return enter(request)
    if not may_read(request):
        return render(request, "pages/mail/closed.html", {"form": CodeForm()})
    mails = letters.newest(Path(settings.EMAIL_FILE_PATH))
    return render(request, "pages/mail/index.html", {"mails": mails})


def enter(request: HttpRequest) -> HttpResponse:
    """Take the code from the form, or from the link that the start printed, for this session."""
    form = CodeForm(request.POST if request.method == "POST" else request.GET)
    if form.is_valid() and is_code(form.cleaned_data["code"]):
        request.session[SESSION_KEY] = mark_of(form.cleaned_data["code"])
        return redirect("mail")
    if form.is_valid():
        form.add_error("code", _("This is not the code of the last start."))
    return render(request, "pages/mail/closed.html", {"form": form}, status=403)


def may_read(request: HttpRequest) -> bool:
    """Tell whether the reader runs this site, or gave the code of its last start."""
    if isinstance(request.user, User) and request.user.is_staff:
        return True
    code = letters.code_of(Path(settings.DATA_DIR))
    return bool(code) and constant_time_compare(request.session.get(SESSION_KEY, ""), mark_of(code))


def is_code(given: str) -> bool:
    """Tell whether this is the code of the last start."""
    code = letters.code_of(Path(settings.DATA_DIR))
    return bool(code) and constant_time_compare(given, code)


def mark_of(code: str) -> str:
    """Return what a session keeps of a code."""
    return salted_hmac("commonhold.mail", code).hexdigest()
