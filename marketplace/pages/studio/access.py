"""Whose studio it is: finding the dataset of an address for a person who may work on it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from ingestion.models import Dataset, Version
from marketplace.http.acting import acting_organization, memberships_of
from marketplace.http.unsent import with_unsent

P = ParamSpec("P")


class StudioRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    unsent: QueryDict | None
    """What was typed into this page's form before its session ended."""


@dataclass(frozen=True)
class Work:
    """A dataset and the version of it that is being worked on, or else its latest."""

    dataset: Dataset
    version: Version

    def url(self, page: str = "overview", *args: object) -> str:
        """Return the address of a studio page of this dataset."""
        place = (self.dataset.organization.slug, self.dataset.slug)
        return reverse(f"studio:{page}", args=[*place, *args])

    def public_url(self) -> str:
        """Return the address of the dataset in the catalogue."""
        return reverse("dataset", args=[self.dataset.organization.slug, self.dataset.slug])


OrganizationView = Callable[Concatenate[StudioRequest, Organization, P], HttpResponseBase]
StudioView = Callable[Concatenate[StudioRequest, Work, P], HttpResponseBase]
PlainView = Callable[..., HttpResponseBase]


def for_contributors(view: StudioView[P]) -> PlainView:
    """Turn the two slugs of an address into a Work, and let only its contributors in.

    Strangers get 404, as if there were nothing; members whose role can't contribute get 403.
    """

    @with_unsent
    @wraps(view)
    def found(
        request: StudioRequest, org: str, slug: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        # Every page tells for whom the reader acts; permissions asked after it read no more.
        acting_organization(request)
        return view(request, find(user=request.user, org=org, slug=slug), *args, **kwargs)

    return found


def for_organization(view: OrganizationView[P]) -> PlainView:
    """Give a view the organization that the reader acts for, if they may contribute for it."""

    @with_unsent
    @wraps(view)
    def acting(request: StudioRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        organization = acting_organization(request)
        if organization is None:
            return render(request, "pages/studio/no_organization.html")
        if not request.user.has_perm("accounts.contribute_for_organization", organization):
            context = {"organization": organization}
            return render(request, "pages/studio/not_contributor.html", context, status=403)
        return view(request, organization, *args, **kwargs)

    return acting


def find(*, user: User, org: str, slug: str) -> Work:
    """Return the dataset for one of its contributors. Raises Http404, PermissionDenied."""
    # Within the query: a dataset of others and none at all are one miss.
    mine = [membership.organization_id for membership in memberships_of(user)]
    dataset = (
        Dataset.objects.filter(organization__in=mine, organization__slug=org, slug=slug)
        .select_related("organization")
        .first()
    )
    if dataset is None or not user.has_perm("accounts.view_organization", dataset.organization):
        raise Http404
    if not user.has_perm("ingestion.change_dataset", dataset):
        message = _(
            "You can see %(organization)s, but your role there is to license data, not to "
            "contribute it. An owner of the organization can change your role."
        )
        raise PermissionDenied(message % {"organization": dataset.organization})
    version = dataset.versions.newest()
    if version is None:
        raise Http404
    return Work(dataset=dataset, version=version)


def is_htmx(request: HttpRequest) -> bool:
    """Whether the answer is to be a fragment for htmx, not a page."""
    return request.headers.get("HX-Request") == "true"


def never_kept(response: HttpResponse) -> HttpResponse:
    """Mark a page that names people: no cache keeps it."""
    response["Cache-Control"] = "private, no-store"
    return response
