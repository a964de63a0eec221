"""The license catalogue."""

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from licensing import profiles
from licensing.profiles import Profile
from marketplace.api.resource import OPEN, Collection, Resource


class LicenseJson(serializers.Serializer[Any]):
    """A license profile: what it allows and denies, and what a contributor may choose."""

    profile = serializers.CharField(source="slug")
    id = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    spdx = serializers.CharField()
    summary = serializers.CharField()
    legal_code = serializers.CharField(allow_null=True)
    may_cost = serializers.BooleanField(help_text="Whether a price can be asked under it.")
    choices = serializers.SerializerMethodField()
    allows = serializers.SerializerMethodField()
    denies = serializers.SerializerMethodField()

    def get_choices(self, profile: Profile) -> list[str]:
        return sorted(profile.choices)

    def get_allows(self, profile: Profile) -> list[str]:
        return sorted(profile.vector.purposes)

    def get_denies(self, profile: Profile) -> list[str]:
        return sorted(profile.vector.denies)


class LicenseTerms(LicenseJson):
    """A license profile with its text and machine-readable terms, no choices made."""

    text = serializers.SerializerMethodField()
    odrl = serializers.SerializerMethodField()

    def get_text(self, profile: Profile) -> str:
        return profiles.compile_terms(profile=profile).text

    def get_odrl(self, profile: Profile) -> dict[str, Any]:
        return profiles.compile_terms(profile=profile).odrl


class Licenses(Collection):
    """The license profiles."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(operation_id="licenses_list", responses=LicenseJson(many=True))
    def get(self, request: Request) -> Response:
        """Return every license profile, the most open first."""
        return self.pages(request, profiles.catalogue(), LicenseJson)


class OneLicense(Resource):
    """A license profile."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(responses=LicenseTerms)
    def get(self, request: Request, profile: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Return a license profile with its text and its ODRL policy."""
        try:
            found = profiles.get(profile)
        except profiles.UnknownProfile as error:
            raise Http404 from error
        return Response(LicenseTerms(found).data)
