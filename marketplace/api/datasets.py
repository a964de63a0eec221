"""Datasets: the catalogue, making one, and what is known about it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from commonhold import purposes
from django.db.models import Exists, OuterRef
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import releases
from ingestion.archive import datasets
from ingestion.models import Dataset, Task, Version
from licensing.models import Offer
from marketplace import listings
from marketplace.api.me import OrganizationJson
from marketplace.api.offers import OfferJson
from marketplace.api.permissions import BELONG, may, require_role
from marketplace.api.resource import OPEN, Collection, Resource, caller, find_dataset
from marketplace.models import Listing
from marketplace.showcase import consents, resemblance, summary
from marketplace.showcase.consents import Consent
from marketplace.tasks import follow_news_task


class DatasetSummary(serializers.Serializer[Any]):
    """A dataset as the catalogue shows it: its newest version, and what may be done with it."""

    organization = OrganizationJson()
    slug = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    language = serializers.CharField()
    task = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    duration_ms = serializers.IntegerField()
    clips = serializers.IntegerField()
    speakers = serializers.IntegerField()
    allows = serializers.ListField(child=serializers.CharField())
    offers = OfferJson(many=True)
    url = serializers.CharField()


class VersionLine(serializers.Serializer[Any]):
    """One version, in a list of them."""

    number = serializers.IntegerField()
    state = serializers.CharField()
    sealed_at = serializers.DateTimeField(allow_null=True)
    root = serializers.CharField(source="merkle_root", allow_null=True)  # type: ignore[assignment]  # a field, no property
    begun_from = serializers.IntegerField(
        source="begun_from.number",
        default=None,
        allow_null=True,
        help_text="The version whose recordings and decisions it began with.",
    )
    offered = serializers.BooleanField(
        source="is_offered", help_text="Whether it was ever offered: before, members alone see it."
    )
    consent_state = serializers.SerializerMethodField(allow_null=True)

    def get_consent_state(self, version: Version) -> str | None:
        """Return given, withdrawn or expired; null until it is sealed."""
        return version.consent_state or None


class ConsentSummary(serializers.Serializer[Any]):
    """What the consents behind the newest version say, all together."""

    speakers = serializers.IntegerField()
    records = serializers.IntegerField()
    allows = serializers.ListField(child=serializers.CharField())
    excludes = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()


class DatasetJson(DatasetSummary):
    """A dataset with its versions: those that were offered, and to its members all of them."""

    card = serializers.CharField(help_text="More about it, in Markdown.")
    mixed_scripts = serializers.ListField(
        child=serializers.CharField(),
        help_text="Of title and publisher, those with a word in letters of several scripts.",
    )
    looks_like = serializers.ListField(
        child=serializers.CharField(),
        help_text="Datasets of others that were here before with a title that looks the same.",
    )
    versions = VersionLine(many=True)
    quality = serializers.DictField()
    consent = ConsentSummary()


class MakeDataset(serializers.Serializer[Any]):
    """A new dataset's particulars."""

    slug = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(required=False, allow_blank=True, default="")
    language = serializers.CharField(help_text="BCP 47 tag, or a language's name.")
    task = serializers.CharField()


class EditDataset(serializers.Serializer[Any]):
    """What is to be changed. Language and task change only while a version is open."""

    title = serializers.CharField(required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    card = serializers.CharField(required=False, allow_blank=True)
    language = serializers.CharField(required=False)
    task = serializers.CharField(required=False)


class Search(serializers.Serializer[Any]):
    """What is looked for. A facet may be given several times."""

    q = serializers.CharField(required=False, allow_blank=True, default="")
    language = serializers.ListField(child=serializers.CharField(), default=list)
    task = serializers.ListField(child=serializers.ChoiceField(Task.choices), default=list)
    allows = serializers.ListField(
        child=serializers.ChoiceField(list(purposes.BY_SLUG)), default=list
    )
    price = serializers.ListField(child=serializers.ChoiceField(["free", "paid"]), default=list)


class ListingJson(serializers.BaseSerializer[Listing]):
    """Turns a listing into a DatasetSummary, from what was read with it."""

    def to_representation(self, instance: Listing) -> dict[str, Any]:
        return dict(DatasetSummary(summary.of_listing(instance)).data)


class Datasets(Collection):
    """The catalogue."""

    scopes: ClassVar = {"GET": OPEN, "POST": (Scope.CONTRIBUTE,)}

    @extend_schema(
        operation_id="datasets_list",
        responses=DatasetSummary(many=True),
        parameters=[
            OpenApiParameter("q", str, description="Words of title, publisher or description."),
            OpenApiParameter("language", str, many=True, description="BCP 47; any of them."),
            OpenApiParameter("task", str, many=True, enum=Task.values),
            OpenApiParameter("allows", str, many=True, enum=list(purposes.BY_SLUG)),
            OpenApiParameter("price", str, many=True, enum=["free", "paid"]),
        ],
    )
    def get(self, request: Request) -> Response:
        """Find published datasets: every purpose of `allows`, any of the other facets."""
        query = request.query_params
        facets = {name: query.getlist(name) for name in ("language", "task", "allows", "price")}
        asked = Search(data={"q": query.get("q", ""), **facets})
        asked.is_valid(raise_exception=True)
        found = listings.search(**asked.validated_data)
        return self.pages(request, summary.with_offers(found), ListingJson)

    @extend_schema(request=MakeDataset, responses={201: DatasetJson})
    def post(self, request: Request) -> Response:
        """Make a dataset of the organization that the caller acts for, with an empty draft.

        Its members alone see it until something of it is offered.
        """
        organization = require_role(request, "accounts.contribute_for_organization")
        asked = MakeDataset(data=request.data)
        asked.is_valid(raise_exception=True)
        dataset = datasets.create(
            organization=organization, by=caller(request), **asked.validated_data
        )
        return Response(show(request, dataset), status=status.HTTP_201_CREATED)


class OneDataset(Resource):
    """A dataset."""

    scopes: ClassVar = {"GET": OPEN, "PATCH": (Scope.CONTRIBUTE,), "DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(responses=DatasetJson)
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return a dataset with its versions: the offered ones, and to its members all of them."""
        return Response(show(request, find_dataset(request, org, slug)))

    @extend_schema(request=EditDataset, responses=DatasetJson)
    def patch(self, request: Request, org: str, slug: str) -> Response:
        """Change what a dataset says of itself; what is not named stays.

        After a seal the texts are what the catalogue says, and the release keeps its own.
        """
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        asked = EditDataset(data=request.data)
        asked.is_valid(raise_exception=True)
        edited = datasets.edit(dataset=dataset, by=caller(request), **asked.validated_data)
        follow_news_task.delay_on_commit()
        return Response(show(request, edited))

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, org: str, slug: str) -> Response:
        """Delete a dataset of which nothing was ever sealed, with all that is in it."""
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        datasets.delete(dataset=dataset, by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def show(request: Request, dataset: Dataset) -> dict[str, Any]:
    """Return a dataset as JSON, with what the caller may see of it."""
    is_member = may(request, BELONG, dataset, owner=dataset.organization)
    versions = versions_of(dataset, is_member=is_member)
    newest = newest_of(versions)
    offers = standing_offers(newest)
    resembles = resemblance.of_dataset(dataset=dataset)
    shown = summary.of_dataset(dataset=dataset, version=newest, offers=offers)
    return dict(
        DatasetJson(
            {
                **vars(shown),
                "card": dataset.card,
                "mixed_scripts": list(resembles.mixed),
                "looks_like": [str(one.dataset) for one in resembles.alike],
                "versions": versions,
                "quality": newest.quality if newest else {},
                "consent": consent_of(newest),
            }
        ).data
    )


def versions_of(dataset: Dataset, *, is_member: bool) -> list[Version]:
    """Return the versions that a caller may see, the newest first."""
    offers = Offer.objects.filter(version=OuterRef("pk"))
    versions = dataset.versions.select_related("begun_from").annotate(is_offered=Exists(offers))
    if not is_member:
        versions = versions.sealed().filter(is_offered=True)
    return list(versions.order_by("-number"))


def newest_of(versions: Sequence[Version]) -> Version | None:
    """Return the version that sums a dataset up: the newest offered, else sealed, else any."""
    sealed = [version for version in versions if version.is_sealed]
    offered = [version for version in sealed if version.is_offered]  # type: ignore[attr-defined]  # an annotation
    return next(iter([*offered, *sealed, *versions]), None)


def standing_offers(version: Version | None) -> list[Offer]:
    """Return the offers of a version that can be taken up now, in the order of the catalogue."""
    if version is None or not version.is_sealed:
        return []
    offers = list(listings.open_offers(version=version))
    for offer in offers:
        offer.version = version
    return offers


def consent_of(version: Version | None) -> Consent:
    """Sum the consents behind a version up: of a sealed one those its manifest names."""
    if version is None:
        return Consent(state="none")
    if version.seal_id is None:
        return consents.of_open(version=version)
    return consents.of_sealed(version=version, release=releases.seal_of(version=version).release)
