"""What an organization's people keep in order: its members, their API keys, other organizations."""

from datetime import timedelta
from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts import organizations
from accounts.models import ApiKey, Organization, Scope, User
from marketplace.http.acting import SESSION_KEY, acting_membership, signed_in
from marketplace.http.reauthentication import recently
from marketplace.http.telling import tell
from marketplace.pages import acts, roster
from marketplace.pages.fields import NameField

TEMPLATE = "pages/settings/account.html"
KEY_TERMS = {
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    "365": gettext_lazy("a year"),
}


def short_name_field() -> forms.RegexField:
    """Make the field for the part of an address that names an organization."""
    return forms.RegexField(
        regex=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=60,
        required=False,
        label=gettext_lazy("Short name in web addresses"),
        help_text=gettext_lazy(
            "Made from the name unless you give one: Latin letters, digits and hyphens."
        ),
        error_messages={
            "invalid": gettext_lazy("Use lower-case Latin letters, digits and single hyphens.")
        },
    )


def field_of(error: CommonholdError, slug: str, name: str) -> str:
    """Return the field that a taken name was typed in: the short name only where one was given."""
    return "slug" if slug and "field" not in error.details else name


class OrganizationForm(forms.Form):
    """Found another organization."""

    name = NameField(max_length=120, label=gettext_lazy("Name"))
    slug = short_name_field()


class KeyForm(forms.Form):
    """Make an API key."""

    name = NameField(
        max_length=50,
        label=gettext_lazy("What is it for?"),
        help_text=gettext_lazy("For example: the training box."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may"),
        choices=Scope.choices,
        initial=[Scope.READ, Scope.DOWNLOAD],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one thing that the key may do.")},
    )
    days = forms.ChoiceField(
        label=gettext_lazy("It works for"), choices=list(KEY_TERMS.items()), initial="90"
    )


@require_safe
@login_required
def show(request: HttpRequest) -> HttpResponse:
    """Show the organization that the reader acts for: its members, and their own keys."""
    return page(request)


def page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render the settings; `context` replaces the empty forms with those that came back wrong."""
    user = signed_in(request)
    membership = acting_membership(request)
    organization = membership.organization if membership else None
    base: dict[str, Any] = {
        "organization": organization,
        "is_owner": user.has_perm("accounts.manage_organization", organization),
        "keys": keys_of(organization, user),
        "memberships": user.memberships.select_related("organization").order_by("created_at"),
        "key_form": KeyForm(prefix="key"),
        "organization_form": OrganizationForm(prefix="organization"),
        "site_url": settings.SITE_URL,
    }
    base |= roster.context(organization)
    if organization and base["is_owner"]:
        base |= acts.context(organization, request.GET.get("page"))
    return render(request, TEMPLATE, base | context, status=status)


def keys_of(organization: Organization | None, user: User) -> list[ApiKey]:
    """Return the keys that still work: all for an owner, else the user's own."""
    if organization is None:
        return []
    keys = organization.api_keys.filter(revoked=False).select_related("user").order_by("-created")
    if not user.has_perm("accounts.manage_organization", organization):
        keys = keys.filter(user=user)
    return list(keys)


@require_POST
@login_required
def create_organization(request: HttpRequest) -> HttpResponse:
    """Found another organization and act for it."""
    form = OrganizationForm(request.POST, prefix="organization")
    if not form.is_valid():
        return page(request, status=422, organization_form=form)
    try:
        organization = organizations.create(owner=signed_in(request), **form.cleaned_data)
    except CommonholdError as error:
        form.add_error(field_of(error, form.cleaned_data["slug"], "name"), tell(error))
        return page(request, status=error.status, organization_form=form)
    request.session[SESSION_KEY] = organization.pk
    told = _("%(organization)s stands, and you act for it now.")
    messages.success(request, told % {"organization": organization})
    return redirect("account")


@recently("account")
@require_POST
@login_required
@sensitive_variables("secret")
def create_key(request: HttpRequest) -> HttpResponse:
    """Make a key and show its secret in this one answer; it is kept nowhere."""
    organization = own_organization(request)
    form = KeyForm(request.POST, prefix="key")
    if not form.is_valid():
        return page(request, status=422, key_form=form)
    days = int(form.cleaned_data["days"])
    try:
        key, secret = organizations.issue_key(
            organization=organization,
            user=signed_in(request),
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=timezone.now() + timedelta(days=days),
        )
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error), key_form=form)
    exports = f"export COMMONHOLD_URL={settings.SITE_URL}\nexport COMMONHOLD_API_KEY={secret}"
    return page(request, status=201, new_key=key, exports=exports)


@require_POST
@login_required
def revoke_key(request: HttpRequest, prefix: str) -> HttpResponse:
    """Stop a key."""
    key = get_object_or_404(own_organization(request).api_keys, prefix=prefix)
    try:
        organizations.revoke_key(key=key, by=signed_in(request))
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    messages.success(request, _("The key «%(name)s» no longer works.") % {"name": key.name})
    return redirect("account")


def own_organization(request: HttpRequest) -> Organization:
    """Return the organization that the reader acts for; Http404 where there is none."""
    membership = acting_membership(request)
    if membership is None:
        raise Http404(_("You belong to no organization yet."))
    return membership.organization
