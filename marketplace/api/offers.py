"""Offers: what a license of a version costs and says, and asking for one."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion.models import Dataset, Version
from licensing import profiles
from licensing.models import Offer
from licensing.offers import NotSealed
from marketplace import listings, pricing
from marketplace.api.permissions import require_dataset
from marketplace.api.resource import OPEN, Collection, Resource, caller, find_dataset


class MoneyJson(serializers.Serializer[Any]):
    """An amount in the minor unit of its currency."""

    amount_minor = serializers.IntegerField()
    currency = serializers.CharField(max_length=3)


class LicenseName(serializers.Serializer[Any]):
    """Which license it is."""

    id = serializers.CharField()
    name = serializers.CharField()
    spdx = serializers.CharField()


class OfferJson(serializers.Serializer[Any]):
    """Rights in a version, on these terms, for this price."""

    id = serializers.IntegerField()
    profile = serializers.CharField()
    license = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="version.number")
    price = MoneyJson()
    fee_minor = serializers.SerializerMethodField()
    total_minor = serializers.SerializerMethodField()
    term_days = serializers.IntegerField(allow_null=True)
    benefit_share_bps = serializers.IntegerField()
    allows = serializers.ListField(child=serializers.CharField(), source="purposes")
    denies = serializers.SerializerMethodField()
    terms_sha256 = serializers.CharField()
    active = serializers.SerializerMethodField()

    @extend_schema_field(LicenseName)
    def get_license(self, offer: Offer) -> dict[str, Any]:
        return dict(LicenseName(profiles.get(offer.profile)).data)

    def get_fee_minor(self, offer: Offer) -> int:
        return pricing.fee(offer.price.amount_minor)

    def get_total_minor(self, offer: Offer) -> int:
        return offer.price.amount_minor + pricing.fee(offer.price.amount_minor)

    def get_denies(self, offer: Offer) -> list[str]:
        return list(offer.terms["denies"])

    def get_active(self, offer: Offer) -> bool:
        return offer.is_open and offer.version.is_sealed


class MakeOffer(serializers.Serializer[Any]):
    """What a contributor asks for."""

    profile = serializers.CharField()
    price = MoneyJson()
    term_days = serializers.IntegerField(required=False, allow_null=True, default=None)
    benefit_share_bps = serializers.IntegerField(required=False, allow_null=True, default=None)


class QuoteJson(serializers.Serializer[Any]):
    """What a license costs now, with the text to read before accepting it."""

    offer = OfferJson()
    price_minor = serializers.IntegerField()
    fee_minor = serializers.IntegerField()
    total_minor = serializers.IntegerField()
    currency = serializers.CharField()
    terms_sha256 = serializers.CharField(source="offer.terms_sha256")
    terms_text = serializers.CharField(source="offer.terms_text")
    test = serializers.BooleanField(source="is_test")


def standing(lookup: str) -> Prefetch[Any]:
    """Return how to read the open, priced offers of many versions in one query, cheapest first."""
    offers = Offer.objects.filter(closed_at__isnull=True, price__isnull=False)
    return Prefetch(lookup, offers.select_related("price").order_by("price__amount_minor", "pk"))


def find_offer(request: Request, offer_id: int) -> Offer:
    """Return an offer of a version that the caller may see; else 404."""
    offers: QuerySet[Offer] = Offer.objects.select_related(
        "price", "version__dataset__organization"
    )
    offer = get_object_or_404(offers, pk=offer_id, price__isnull=False)
    require_dataset(request, "ingestion.view_dataset", offer.version)
    return offer


class DatasetOffers(Collection):
    """The offers of a dataset's newest sealed version."""

    scopes: ClassVar = {"GET": OPEN, "POST": (Scope.CONTRIBUTE,)}

    @extend_schema(operation_id="dataset_offers_list", responses=OfferJson(many=True))
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return what can be licensed now, cheapest first."""
        dataset = find_dataset(request, org, slug)
        version = newest_sealed(dataset)
        found = list(listings.open_offers(version=version)) if version else []
        return self.pages(request, found, OfferJson)

    @extend_schema(request=MakeOffer, responses={201: OfferJson})
    @transaction.atomic
    def post(self, request: Request, org: str, slug: str) -> Response:
        """Offer the newest sealed version under a license profile, at a price."""
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        asked = MakeOffer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        version = newest_sealed(dataset)
        if version is None:
            message = (
                f"No version of «{dataset}» is sealed yet; only what is sealed can be offered."
            )
            raise NotSealed(message)
        offer = pricing.publish_offer(
            version=version,
            profile=data["profile"],
            amount_minor=data["price"]["amount_minor"],
            currency=data["price"]["currency"],
            by=caller(request),
            term_days=data["term_days"],
            benefit_share_bps=data["benefit_share_bps"],
        )
        return Response(OfferJson(offer).data, status=status.HTTP_201_CREATED)


def newest_sealed(dataset: Dataset) -> Version | None:
    """Return the version that is offered."""
    sealed = dataset.versions.filter(state=Version.State.SEALED)
    return sealed.select_related("dataset__organization").order_by("-number").first()


class OneOffer(Resource):
    """An offer."""

    scopes: ClassVar = {"GET": OPEN, "DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(responses=OfferJson)
    def get(self, request: Request, offer_id: int) -> Response:
        """Return an offer, open or closed."""
        return Response(OfferJson(find_offer(request, offer_id)).data)

    @extend_schema(request=None, responses=OfferJson)
    @transaction.atomic
    def delete(self, request: Request, offer_id: int) -> Response:
        """Close an offer: no new licenses come of it, and those that were given stay."""
        offer = find_offer(request, offer_id)
        require_dataset(request, "ingestion.change_dataset", offer.version)
        closed = pricing.close_offer(offer=offer, by=caller(request))
        return Response(OfferJson(closed).data)


class Quote(Resource):
    """What an offer costs, and its terms."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(responses=QuoteJson)
    def get(self, request: Request, offer_id: int) -> Response:
        """Return price, fee, total and the whole text whose digest is accepted by an order."""
        return Response(QuoteJson(pricing.quote(offer=find_offer(request, offer_id))).data)
