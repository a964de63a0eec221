"""Joining: an address is proved first, by a link that is sent to it, and then makes an account."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.fields import PasswordField
from allauth.account.forms import AddEmailForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm

# The same door as the form for signing in, so that whoever has just set a password is not asked
# for it again in the next minute.
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import EmailAddress, Login
from allauth.account.stages import EmailVerificationStage, LoginStageController
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import ConfirmEmailView
from allauth.core.exceptions import ImmediateHttpResponse
from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import organizations, people, requests
from accounts.models import User
from marketplace.http import mailed
from marketplace.http.telling import tell
from marketplace.pages.account import field_of, short_name_field
from marketplace.pages.fields import NameField

TEMPLATE = "account/join.html"


class SignupForm(forms.Form):
    """Ask for a letter. The answer is the same whatever address is given."""

    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        help_text=gettext_lazy("We send a link there, and you go on from it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    by_passkey = False
    """Of allauth's view for joining."""

    def try_save(self, request: HttpRequest) -> tuple[None, HttpResponse]:
        """Send the letter; an account is made by its link. Called by allauth's view."""
        next_page = get_next_redirect_url(request) or ""
        try:
            mailed.send_join(request, address=self.cleaned_data["email"], next_page=next_page)
        except mailed.MailNotSent as error:
            self.add_error(None, tell(error))
            onward = format_html('<input type="hidden" name="next" value="{}">', next_page)
            context = {"form": self, "redirect_field": onward}
            return None, render(request, "account/signup.html", context, status=error.status)
        return None, get_adapter(request).respond_email_verification_sent(request, None)


class ResetPasswordForm(AllauthResetPasswordForm):
    """Ask for a new password. Only who has proved an address gets one by it."""

    def clean_email(self) -> str:
        """Find whose address it is; whoever only claims it is passed over."""
        email: str = super().clean_email()
        holder = people.holder(address=email)
        self.users = [holder] if holder and holder.is_active else []
        return email


class AddressForm(AddEmailForm):
    """Add an address. One whose letter can't be sent is not added: it can be typed again."""

    def save(self, request: HttpRequest) -> EmailAddress:
        """Add it and send the letter."""
        try:
            return super().save(request)
        except ImmediateHttpResponse:
            added = self.user.emailaddress_set.filter(email=self.cleaned_data["email"])
            added.filter(verified=False).delete()
            raise


class PersonForm(forms.Form):
    """Who somebody is who has just proved an address."""

    name = NameField(
        max_length=150,
        label=gettext_lazy("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password1 = PasswordField(
        label=gettext_lazy("Password"),
        autocomplete="new-password",
        help_text=password_validators_help_text_html(),
    )

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        self.address = address
        super().__init__(*args, **kwargs)

    def clean_password1(self) -> str:
        """Refuse a password that anybody could guess."""
        known = User(email=self.address, name=self.cleaned_data.get("name", ""))
        password: str = get_adapter().clean_password(self.cleaned_data["password1"], user=known)
        return password

    def save(self) -> User:
        """Make the account. Raises people.AddressTaken."""
        return people.join(
            address=self.address,
            password=self.cleaned_data["password1"],
            name=self.cleaned_data["name"],
        )


class FounderForm(PersonForm):
    """Join: a person and the organization they act for, made together or not at all."""

    organization = NameField(
        max_length=120,
        label=gettext_lazy("Organization"),
        help_text=gettext_lazy(
            "The station, community, company or lab that owns datasets or holds licenses."
        ),
    )
    slug = short_name_field()

    @transaction.atomic
    def save(self) -> User:
        """Make both. Raises people.AddressTaken and organizations.NameTaken."""
        user = super().save()
        organizations.create(
            name=self.cleaned_data["organization"], owner=user, slug=self.cleaned_data["slug"]
        )
        return user


@never_cache
@sensitive_post_parameters("password1")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Make an account by the link of a letter, and go on to where its reader was going."""
    try:
        proof = mailed.read_join(token)
        holder = people.holder(address=proof.address)
        if isinstance(request.user, User) and request.user != holder:
            context = {"address": proof.address}
            return render(request, "account/somebody_else.html", context, status=403)
        if isinstance(request.user, User):
            return redirect(proof.next or reverse("account"))
        return found(request, proof) if holder is None else to_sign_in(request, proof.next)
    except (mailed.LinkTooOld, people.AddressTaken) as error:
        return refuse(request, error)


def found(request: HttpRequest, proof: mailed.Proof) -> HttpResponse:
    """Ask who they are, and make the person and their organization. Raises AddressTaken."""
    form = FounderForm(request.POST or None, address=proof.address)
    if request.method != "POST" or not form.is_valid():
        return page(request, form, status=422 if request.method == "POST" else 200)
    try:
        user = form.save()
    except organizations.NameTaken as error:
        form.add_error(field_of(error, form.cleaned_data["slug"], "organization"), tell(error))
        return page(request, form, status=error.status)
    return enter(request, user, proof.next)


def page(request: HttpRequest, form: PersonForm, **options: Any) -> HttpResponse:
    """Render the form of somebody who joins."""
    return render(request, TEMPLATE, {"form": form, "address": form.address}, **options)


def refuse(request: HttpRequest, error: CommonholdError) -> HttpResponse:
    """Say why a link can't be used."""
    requests.refused(error.code)
    context = {"refusal": tell(error)}
    return render(request, "account/link_refused.html", context, status=error.status)


def enter(request: HttpRequest, user: User, next_page: str) -> HttpResponse:
    """Sign in somebody who has just joined."""
    login = Login(user=user, signup=True, redirect_url=next_page or None)
    response: HttpResponse = perform_password_login(request, {"email": user.email}, login)
    return response


def to_sign_in(request: HttpRequest, next_page: str) -> HttpResponse:
    """Lead to where people sign in, and from there on."""
    messages.info(request, _("You have joined already. Sign in."))
    query = f"?{urlencode({'next': next_page})}" if next_page else ""
    return redirect(reverse("account_login") + query)


class ConfirmView(ConfirmEmailView):
    """Confirm an address of an account, in the browser of the person whose account it is.

    Otherwise whoever made an account in another's name would have it confirmed by that other.
    """

    def is_theirs(self) -> bool:
        """Tell whether whose account it is is here: signed in, or by the password nearly so."""
        number = self.object.email_address.user_id
        if self.request.user.is_authenticated:
            return bool(self.request.user.pk == number)
        stage = LoginStageController.enter(self.request, EmailVerificationStage.key)
        return bool(stage and stage.login.user and stage.login.user.pk == number)

    def logout_other_user(self, confirmation: Any) -> None:
        """Leave whoever is signed in as they are: a letter from a stranger signs nobody out."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say whether it is theirs."""
        if not self.object:
            requests.refused(mailed.LinkTooOld.code)
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"is_theirs": bool(self.object) and self.is_theirs()}

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Confirm it, or say where to do it."""
        self.object = self.get_object()
        response: HttpResponse
        if self.is_theirs():
            response = super().post(*args, **kwargs)
        else:
            response = self.render_to_response(self.get_context_data(), status=403)
        return response
