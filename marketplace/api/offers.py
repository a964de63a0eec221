"""Offers: what a license of a version costs and says, and asking for one."""

from typing import Any, ClassVar

from commonhold.sentences import _
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion.models import Version
from licensing.models import Offer
from licensing.offers import NotSealed
from marketplace import listings, pricing
from marketplace.api.permissions import BELONG, VIEW, may, require_dataset, require_recent_proof
from marketplace.api.resource import OPEN, Collection, Resource, caller, find_dataset
from marketplace.showcase import publication
from marketplace.tasks import follow_news_task


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
    summary = serializers.CharField(help_text="The license in a sentence.")
    allows = serializers.ListField(child=serializers.CharField(), source="purposes")
    denies = serializers.SerializerMethodField()
    terms_sha256 = serializers.CharField()
    active = serializers.SerializerMethodField()
    closed_because = serializers.SerializerMethodField(allow_null=True)

    @extend_schema_field(LicenseName)
    def get_license(self, offer: Offer) -> dict[str, Any]:
        return license_name(offer)

    def get_fee_minor(self, offer: Offer) -> int:
        return pricing.fee(offer.price.amount_minor)

    def get_total_minor(self, offer: Offer) -> int:
        return offer.price.amount_minor + pricing.fee(offer.price.amount_minor)

    def get_denies(self, offer: Offer) -> list[str]:
        return list(offer.terms["denies"])

    def get_active(self, offer: Offer) -> bool:
        """Return whether it can be taken up now."""
        stands = offer.version.consent_state == Version.Consent.GIVEN
        return offer.is_open and offer.version.is_sealed and stands

    def get_closed_because(self, offer: Offer) -> str | None:
        """Return publisher, consent or version; null while it is open."""
        return offer.closed_because or None


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


def license_name(offer: Offer) -> dict[str, str]:
    """Return the members of a LicenseName, as the offer froze them."""
    return {"id": offer.iri, "name": offer.name, "spdx": offer.spdx}


def find_offer(request: Request, offer_id: int) -> Offer:
    """Return an offer of a version that the caller may see; else 404."""
    offers: QuerySet[Offer] = Offer.objects.select_related(
        "price", "version__dataset__organization"
    )
    offer = get_object_or_404(offers, pk=offer_id, price__isnull=False)
    require_dataset(request, VIEW, offer.version)
    return offer


class DatasetOffers(Collection):
    """The offers of a dataset's newest version."""

    scopes: ClassVar = {"GET": OPEN, "POST": (Scope.CONTRIBUTE,)}

    @extend_schema(operation_id="dataset_offers_list", responses=OfferJson(many=True))
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return what can be licensed now, what is free first, then the cheapest."""
        dataset = find_dataset(request, org, slug)
        is_member = may(request, BELONG, dataset, owner=dataset.organization)
        version = publication.newest(dataset=dataset, is_member=is_member)
        found = listings.open_offers(version=version) if version else Offer.objects.none()
        return self.pages(request, found.select_related("version"), OfferJson)

    @extend_schema(request=MakeOffer, responses={201: OfferJson})
    def post(self, request: Request, org: str, slug: str) -> Response:
        """Offer the newest sealed version under a license profile, at a price.

        The first offer of a dataset lists it: before, only its members see it.
        """
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        require_recent_proof(request)
        asked = MakeOffer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        version = dataset.versions.select_related("dataset__organization").newest_sealed()
        if version is None:
            sentence = _(
                "No version of «%(dataset)s» is sealed yet; only what is sealed can be offered."
            )
            raise NotSealed(sentence, dataset=str(dataset))
        offer = pricing.publish_offer(
            version=version,
            profile=data["profile"],
            amount_minor=data["price"]["amount_minor"],
            currency=data["price"]["currency"],
            by=caller(request),
            term_days=data["term_days"],
            benefit_share_bps=data["benefit_share_bps"],
        )
        follow_news_task.delay_on_commit()
        return Response(OfferJson(offer).data, status=status.HTTP_201_CREATED)


class OneOffer(Resource):
    """An offer."""

    scopes: ClassVar = {"GET": OPEN, "DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(responses=OfferJson)
    def get(self, request: Request, offer_id: int) -> Response:
        """Return an offer, open or closed."""
        return Response(OfferJson(find_offer(request, offer_id)).data)

    @extend_schema(request=None, responses=OfferJson)
    def delete(self, request: Request, offer_id: int) -> Response:
        """Close an offer: no new licenses come of it, and those that were given stay."""
        offer = find_offer(request, offer_id)
        require_dataset(request, "ingestion.change_dataset", offer.version)
        closed = pricing.close_offer(offer=offer, by=caller(request))
        follow_news_task.delay_on_commit()
        return Response(OfferJson(closed).data)


class Quote(Resource):
    """What an offer costs, and its terms."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(responses=QuoteJson)
    def get(self, request: Request, offer_id: int) -> Response:
        """Return price, fee, total and the whole text whose digest is accepted by an order."""
        return Response(QuoteJson(pricing.quote(offer=find_offer(request, offer_id))).data)
