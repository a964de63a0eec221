"""Datasets: the catalogue, making one, and what is known about it."""

from collections.abc import Iterable
from typing import Any, ClassVar

from commonhold import purposes
from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import coverage, datasets
from ingestion.models import ConsentRecord, Dataset, Task, Version
from licensing.models import Offer
from marketplace import listings
from marketplace.api.me import OrganizationJson
from marketplace.api.offers import OfferJson, standing
from marketplace.api.permissions import may, require_role
from marketplace.api.resource import OPEN, Collection, Resource, caller, find_dataset
from marketplace.models import Listing


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


class ConsentSummary(serializers.Serializer[Any]):
    """What the consents behind the newest version say, all together."""

    speakers = serializers.IntegerField()
    records = serializers.IntegerField()
    allows = serializers.ListField(child=serializers.CharField())
    excludes = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()


class DatasetJson(DatasetSummary):
    """A dataset with its versions."""

    versions = VersionLine(many=True)
    quality = serializers.DictField()
    consent = ConsentSummary()


class MakeDataset(serializers.Serializer[Any]):
    """A new dataset's particulars."""

    slug = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(required=False, allow_blank=True, default="")
    language = serializers.CharField()
    task = serializers.CharField()


class Search(serializers.Serializer[Any]):
    """What is looked for. A facet may be given several times."""

    q = serializers.CharField(required=False, allow_blank=True, default="")
    language = serializers.ListField(child=serializers.CharField(), default=list)
    task = serializers.ListField(child=serializers.ChoiceField(Task.choices), default=list)
    allows = serializers.ListField(
        child=serializers.ChoiceField(list(purposes.BY_SLUG)), default=list
    )
    price = serializers.ListField(child=serializers.ChoiceField(["free", "paid"]), default=list)


def summarize(
    *, dataset: Dataset, version: Version | None, offers: Iterable[Offer]
) -> dict[str, Any]:
    """Return the members of a DatasetSummary."""
    quality = version.quality if version else {}
    found = list(offers)
    return {
        "organization": dataset.organization,
        "slug": dataset.slug,
        "title": dataset.title,
        "description": dataset.description,
        "language": dataset.language,
        "task": dataset.task,
        "version": version.number if version else None,
        "state": version.state if version else None,
        "duration_ms": quality.get("clips_ms", 0),
        "clips": quality.get("clips", 0),
        "speakers": quality.get("speakers", 0),
        "allows": sorted({purpose for offer in found for purpose in offer.purposes}),
        "offers": found,
        "url": f"{settings.SITE_URL}/d/{dataset}",
    }


class ListingJson(serializers.BaseSerializer[Listing]):
    """Turns a listing into a DatasetSummary, from what was read with it."""

    def to_representation(self, instance: Listing) -> dict[str, Any]:
        """Show the offers that consent still covers: listings.refresh wrote down which."""
        allowed = set(instance.allows)
        offers = [
            offer for offer in instance.version.offers.all() if set(offer.purposes) <= allowed
        ]
        shown = summarize(dataset=instance.dataset, version=instance.version, offers=offers)
        return dict(DatasetSummary(shown).data)


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
        return self.pages(request, found.prefetch_related(standing("version__offers")), ListingJson)

    @extend_schema(request=MakeDataset, responses={201: DatasetJson})
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Make a dataset of the organization that the caller acts for, with an empty draft."""
        organization = require_role(request, "accounts.contribute_for_organization")
        asked = MakeDataset(data=request.data)
        asked.is_valid(raise_exception=True)
        dataset = datasets.create(
            organization=organization, by=caller(request), **asked.validated_data
        )
        return Response(show(request, dataset), status=status.HTTP_201_CREATED)


class OneDataset(Resource):
    """A dataset."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(responses=DatasetJson)
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return a dataset with its versions: the sealed ones, and to its members all of them."""
        return Response(show(request, find_dataset(request, org, slug)))


def show(request: Request, dataset: Dataset) -> dict[str, Any]:
    """Return a dataset as JSON, with what the caller may see of it."""
    versions = list(dataset.versions.order_by("-number"))
    owner = dataset.organization
    is_member = may(request, "accounts.view_organization", owner, owner=owner) and may(
        request, "ingestion.view_dataset", dataset, owner=owner
    )
    if not is_member:
        versions = [version for version in versions if version.is_sealed]
    sealed = [version for version in versions if version.is_sealed]
    newest = sealed[0] if sealed else (versions[0] if versions else None)
    offers = list(listings.open_offers(version=sealed[0])) if sealed else []
    return dict(
        DatasetJson(
            {
                **summarize(dataset=dataset, version=newest, offers=offers),
                "versions": versions,
                "quality": newest.quality if newest else {},
                "consent": consent_of(dataset, newest),
            }
        ).data
    )


def consent_of(dataset: Dataset, version: Version | None) -> dict[str, Any]:
    """Sum the consents behind a version up: of a sealed one those its manifest names."""
    if version is not None and version.release:
        records = coverage.records(version=version)
        state = coverage.state(version=version)
    else:
        in_force = ConsentRecord.objects.in_force()
        records = list(in_force.filter(dataset=dataset).select_related("speaker"))
        state = "given" if records else "none"
    allowed = [set(record.purposes) for record in records]
    return {
        "speakers": len({record.speaker_id for record in records}),
        "records": len(records),
        "allows": sorted(set.intersection(*allowed)) if allowed else [],
        "excludes": sorted({name for record in records for name in record.excluded_purposes}),
        "state": state,
    }
