"""Who the caller is."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey, Scope
from accounts.permissions import membership_of
from marketplace.api.authentication import organization_of
from marketplace.api.resource import Resource, caller


class UserJson(serializers.Serializer[Any]):
    """A person, to themselves."""

    email = serializers.EmailField()
    name = serializers.CharField()


class OrganizationJson(serializers.Serializer[Any]):
    """An organization, to anybody."""

    slug = serializers.CharField()
    name = serializers.CharField()


class MeJson(serializers.Serializer[Any]):
    """Who calls, for whom, and what the key is good for."""

    user = UserJson()
    organization = OrganizationJson()
    role = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())


class Me(Resource):
    """The caller: any key may ask, whatever its scopes."""

    scopes: ClassVar = {"GET": tuple(Scope.values)}

    @extend_schema(responses=MeJson)
    def get(self, request: Request) -> Response:
        """Return the person, the organization acted for, the role in it, and the key's scopes."""
        organization = organization_of(request)
        membership = membership_of(user=request.user, organization=organization)
        key = request.auth
        return Response(
            MeJson(
                {
                    "user": caller(request),
                    "organization": organization,
                    "role": membership.role if membership else "",
                    "scopes": key.scopes if isinstance(key, ApiKey) else Scope.values,
                }
            ).data
        )
