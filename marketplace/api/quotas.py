"""What the caller's organization takes up, and how much it may."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion.archive import quotas
from marketplace.api.permissions import require_role
from marketplace.api.resource import Resource


class QuotaJson(serializers.Serializer[Any]):
    """One kind of thing, how much of it is taken up, and how much may be."""

    kind = serializers.ChoiceField(quotas.Kind.choices)
    used = serializers.IntegerField()
    limit = serializers.IntegerField()


class Quotas(Resource):
    """The quotas of an organization."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.CONTRIBUTE)}

    @extend_schema(operation_id="quotas_list", responses=QuotaJson(many=True))
    def get(self, request: Request) -> Response:
        """Return the quotas of the organization that the caller acts for."""
        organization = require_role(request, "accounts.view_organization")
        return Response(QuotaJson(quotas.of(organization), many=True).data)
