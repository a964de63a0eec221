"""Joining, and what an organization's people keep in order: members and API keys."""

from datetime import timedelta
from typing import Any

from allauth.account import forms as allauth_forms
from commonhold.errors import CommonholdError
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts import organizations
from accounts.models import ApiKey, Membership, Organization, Role, Scope, User
from marketplace.http.acting import SESSION_KEY, acting_membership, signed_in
from marketplace.http.telling import tell

TEMPLATE = "pages/settings/account.html"
ROLE_MEANING = {
    Role.OWNER: gettext_lazy("Owner: everything, and who else belongs here"),
    Role.EDITOR: gettext_lazy("Editor: uploads, records consent, reviews, publishes"),
    Role.BUYER: gettext_lazy("Buyer: licenses datasets and downloads them"),
}
KEY_TERMS = {
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    "365": gettext_lazy("a year"),
    "0": gettext_lazy("until it is revoked"),
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


class SignupForm(allauth_forms.SignupForm):
    """Join: a person and the organization they act for, made together or not at all."""

    name = forms.CharField(max_length=150, label=gettext_lazy("Your name"))
    organization = forms.CharField(
        max_length=120,
        label=gettext_lazy("Organization"),
        help_text=gettext_lazy(
            "The station, community, company or lab that owns datasets or holds licenses."
        ),
    )
    slug = short_name_field()
    field_order = ("name", "email", "password1", "organization", "slug")

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Save both, or return the form again with the organization's error beside its field."""
        try:
            with transaction.atomic():
                saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
                return saved
        except organizations.NameTaken as error:
            self.add_error("slug" if self.cleaned_data["slug"] else "organization", tell(error))
            return None, render(request, "account/signup.html", {"form": self}, status=error.status)

    def custom_signup(self, request: HttpRequest, user: User) -> None:  # noqa: ARG002 - allauth's
        """Give the new user a name and an organization, in the transaction of try_save."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        organizations.create(
            name=self.cleaned_data["organization"], owner=user, slug=self.cleaned_data["slug"]
        )


class OrganizationForm(forms.Form):
    """Found another organization."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    slug = short_name_field()


class MemberForm(forms.Form):
    """Add somebody who has an account here."""

    email = forms.EmailField(
        label=gettext_lazy("Email"),
        help_text=gettext_lazy("They must have joined Commonhold first."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=list(ROLE_MEANING.items()),
        initial=Role.EDITOR,
        widget=forms.RadioSelect,
    )

    def clean_email(self) -> User:
        """Return the user with that email."""
        email = self.cleaned_data["email"]
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            told = _("Nobody has joined with %(email)s yet. Ask them to join, then add them here.")
            raise forms.ValidationError(told % {"email": email})
        return user


class KeyForm(forms.Form):
    """Make an API key."""

    name = forms.CharField(
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
@never_cache
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
        "members": members_of(organization),
        "keys": keys_of(organization, user),
        "memberships": user.memberships.select_related("organization").order_by("created_at"),
        "roles": Role.choices,
        "member_form": MemberForm(prefix="member"),
        "key_form": KeyForm(prefix="key"),
        "organization_form": OrganizationForm(prefix="organization"),
        "site_url": settings.SITE_URL,
    }
    return render(request, TEMPLATE, base | context, status=status)


def members_of(organization: Organization | None) -> list[Membership]:
    """Return who belongs to the organization, longest first."""
    if organization is None:
        return []
    return list(organization.memberships.select_related("user").order_by("created_at", "pk"))


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
        form.add_error("slug" if form.cleaned_data["slug"] else "name", tell(error))
        return page(request, status=error.status, organization_form=form)
    request.session[SESSION_KEY] = organization.pk
    told = _("%(organization)s stands, and you act for it now.")
    messages.success(request, told % {"organization": organization})
    return redirect("account")


@require_POST
@login_required
def add_member(request: HttpRequest) -> HttpResponse:
    """Add somebody to the organization."""
    organization = own_organization(request)
    form = MemberForm(request.POST, prefix="member")
    if not form.is_valid():
        return page(request, status=422, member_form=form)
    user, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    if organization.memberships.filter(user=user).exists():
        told = _("%(person)s is a member already; change the role in the list.")
        form.add_error("email", told % {"person": user})
        return page(request, status=409, member_form=form)
    try:
        organizations.add_member(
            organization=organization, user=user, role=role, by=signed_in(request)
        )
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error), member_form=form)
    told = _("%(person)s belongs to %(organization)s now.")
    messages.success(request, told % {"person": user, "organization": organization})
    return redirect("account")


@require_POST
@login_required
def change_role(request: HttpRequest, number: int) -> HttpResponse:
    """Give a member another role."""
    organization = own_organization(request)
    member = get_object_or_404(organization.memberships.select_related("user"), pk=number)
    role = request.POST.get("role", "")
    if role not in Role.values:
        roles = ", ".join(str(label) for label in Role.labels)
        refusal = _("Choose one of %(roles)s.") % {"roles": roles}
        return page(request, status=422, refusal=refusal)
    try:
        organizations.add_member(
            organization=organization, user=member.user, role=Role(role), by=signed_in(request)
        )
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    told = _("%(person)s is %(role)s now.")
    words = {"person": member.user, "role": Role(role).label.lower()}
    messages.success(request, told % words)
    return redirect("account")


@require_POST
@login_required
def remove_member(request: HttpRequest, number: int) -> HttpResponse:
    """Take a membership away, with the member's keys for this organization."""
    organization = own_organization(request)
    member = get_object_or_404(organization.memberships.select_related("user"), pk=number)
    try:
        organizations.remove_member(
            organization=organization, user=member.user, by=signed_in(request)
        )
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    told = _("%(person)s has left %(organization)s, and their keys with them.")
    messages.success(request, told % {"person": member.user, "organization": organization})
    return redirect("account")


@require_POST
@login_required
@never_cache
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
            expires_at=timezone.now() + timedelta(days=days) if days else None,
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
