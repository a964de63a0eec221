"""Orders: one request buys one license, however often it is repeated."""

from typing import Any, ClassVar
from uuid import UUID

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion.models import Version
from licensing.models import Offer
from marketplace import orders
from marketplace.api import sight
from marketplace.api.permissions import may, require_recent_proof, require_role
from marketplace.api.resource import Collection, Resource, caller
from marketplace.models import Order
from marketplace.tasks import follow_news_task


class NoSuchOffer(CommonholdError):
    """The order names an offer that isn't there, or can't be seen."""

    code = "no-such-offer"
    status = 422


class PlaceOrder(serializers.Serializer[Any]):
    """Which offer, and the digest of the terms that were read and are accepted."""

    offer = serializers.IntegerField()
    accept_terms_sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$",
        error_messages={
            "invalid": gettext_lazy("Send the terms_sha256 of the quote whose text you accept.")
        },
    )
    another = serializers.BooleanField(
        default=False, help_text="Buy it although the organization holds this license already."
    )


class OrderJson(serializers.Serializer[Any]):
    """A license bought."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    offer = serializers.IntegerField(source="offer_id")
    price_minor = serializers.IntegerField()
    fee_minor = serializers.IntegerField()
    total_minor = serializers.IntegerField()
    currency = serializers.CharField()
    test = serializers.BooleanField(source="is_test")
    grant = serializers.UUIDField(source="grant_id")
    created_at = serializers.DateTimeField()


class Orders(Collection):
    """The orders of an organization."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.BUY), "POST": (Scope.BUY,)}
    kinds: ClassVar = {"POST": "spend"}

    @extend_schema(operation_id="orders_list", responses=OrderJson(many=True))
    def get(self, request: Request) -> Response:
        """Return the orders of the organization that the caller acts for, newest first."""
        buyer = require_role(request, "accounts.view_organization")
        return self.pages(
            request, Order.objects.filter(buyer=buyer).order_by("-created_at"), OrderJson
        )

    @extend_schema(
        request=PlaceOrder,
        responses={200: OrderJson, 201: OrderJson},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="1 to 200 characters. A repetition with the same key buys nothing.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Accept an offer's terms and buy: payment, ledger, license and log entry, or none."""
        buyer = require_role(request, "accounts.buy_for_organization")
        asked = PlaceOrder(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        offer = offered(data["offer"])
        if offer.price.amount_minor:
            require_recent_proof(request)
        order, is_new = orders.place(
            offer=offer,
            buyer=buyer,
            by=caller(request),
            accept_terms_sha256=data["accept_terms_sha256"],
            idempotency_key=request.headers.get("Idempotency-Key", ""),
            method="api",
            another=data["another"],
        )
        if is_new:
            follow_news_task.delay_on_commit()
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(OrderJson(order).data, status=code)


def offered(offer_id: int) -> Offer:
    """Return an offer that was published, also one that is over (a repeated order names it)."""
    published = (Version.State.SEALED, Version.State.WITHDRAWN)
    offers = Offer.objects.select_related("price", "version__dataset__organization")
    offer = offers.filter(version__state__in=published, price__isnull=False, pk=offer_id).first()
    if offer is None:
        sentence = _(
            "There is no offer %(offer)s. The offers of a dataset stand under its address."
        )
        raise NoSuchOffer(sentence, offer=str(offer_id))
    return offer


class OneOrder(Resource):
    """An order."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.BUY)}

    @extend_schema(responses=OrderJson)
    def get(self, request: Request, order_id: UUID) -> Response:
        """Return an order of the caller's organization."""
        own = sight.own(request, "buyer")
        order = get_object_or_404(Order.objects.select_related("buyer"), own, pk=order_id)
        if not may(request, "accounts.view_organization", order.buyer, owner=order.buyer):
            raise Http404
        return Response(OrderJson(order).data)
