"""Grants: the licenses that an organization holds, and what it may download under them."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey, Scope
from ingestion.models import File
from ingestion.storage import blob_store
from licensing import access, profiles
from licensing.models import Grant
from marketplace.api import links, ranges
from marketplace.api.offers import LicenseName
from marketplace.api.permissions import may, require_role
from marketplace.api.resource import Collection, Resource, caller


class GrantJson(serializers.Serializer[Any]):
    """A license held."""

    id = serializers.UUIDField()
    dataset = serializers.CharField(source="version.dataset")
    title = serializers.CharField(source="version.dataset.title")
    version = serializers.IntegerField(source="version.number")
    license = serializers.SerializerMethodField()
    licensee = serializers.CharField(source="licensee_name")
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    state = serializers.SerializerMethodField()
    consent_state = serializers.SerializerMethodField()
    test = serializers.BooleanField(source="is_test")
    url = serializers.SerializerMethodField()

    @extend_schema_field(LicenseName)
    def get_license(self, grant: Grant) -> dict[str, Any]:
        return dict(LicenseName(profiles.get(grant.offer.profile)).data)

    def get_state(self, grant: Grant) -> str:
        """Return in-force, expired, revoked or not-yet."""
        return self.now(grant).license

    def get_consent_state(self, grant: Grant) -> str:
        """Return given, withdrawn or expired, of everybody who is heard in the version."""
        return self.now(grant).consent

    def get_url(self, grant: Grant) -> str:
        path = reverse("api:grant-release", args=[grant.pk])
        return str(self.context["request"].build_absolute_uri(path))

    def now(self, grant: Grant) -> access.AccessState:
        """Return the state of a grant, as the view read it."""
        states: dict[UUID, access.AccessState] = self.context["states"]
        return states[grant.pk]


class ReleaseFileJson(serializers.Serializer[Any]):
    """A file of the download, and where to GET it (without a key) for the next hour."""

    path = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()


class ReleaseListing(serializers.Serializer[Any]):
    """Everything that is downloaded under a grant."""

    grant = serializers.UUIDField()
    dataset = serializers.CharField()
    version = serializers.IntegerField()
    files = ReleaseFileJson(many=True)


def grants() -> QuerySet[Grant]:
    """Return grants with what is told of them."""
    return Grant.objects.select_related(
        "offer", "version__dataset__organization", "licensee", "log_entry"
    )


def find_grant(request: Request, grant_id: UUID, permission: str) -> Grant:
    """Return a grant if the caller may do this with it; else 404, or 403 if only not this."""
    grant = get_object_or_404(grants(), pk=grant_id)
    if not may(request, "licensing.view_grant", grant, owner=grant.licensee):
        raise Http404
    if not may(request, permission, grant, owner=grant.licensee):
        message = f"Your role in {grant.licensee} does not let you download. Ask an owner of it."
        raise PermissionDenied(message)
    return grant


class Grants(Collection):
    """The licenses that an organization holds."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.DOWNLOAD)}

    @extend_schema(operation_id="grants_list", responses=GrantJson(many=True))
    def get(self, request: Request) -> Response:
        """Return the licenses of the organization that the caller acts for, newest first."""
        licensee = require_role(request, "accounts.view_organization")
        found = grants().filter(licensee=licensee).order_by("-issued_at", "pk")
        return self.pages(request, found, GrantJson)

    def context(self, rows: Sequence[Grant]) -> dict[str, object]:
        """Read the states of a page of grants at once."""
        return {"states": access.states(grants=rows)}


class OneGrant(Resource):
    """A license held."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.DOWNLOAD)}

    @extend_schema(responses=GrantJson)
    def get(self, request: Request, grant_id: UUID) -> Response:
        """Return a license, and whether it and the consents under it still stand."""
        grant = find_grant(request, grant_id, "licensing.view_grant")
        context = {"request": request, "states": access.states(grants=[grant])}
        return Response(GrantJson(grant, context=context).data)


class Release(Resource):
    """What is downloaded under a grant."""

    scopes: ClassVar = {"GET": (Scope.DOWNLOAD,)}

    @extend_schema(responses=ReleaseListing)
    @transaction.atomic
    def get(self, request: Request, grant_id: UUID) -> Response:
        """Return every file with its digest and an address; who asked is written down."""
        grant = find_grant(request, grant_id, "licensing.use_grant")
        access.require(grant=grant)
        files = [
            {
                "path": file.path,
                "size": file.size,
                "sha256": file.sha256,
                "url": file_url(request, grant, file),
            }
            for file in access.release(grant=grant)
        ]
        access.note_access(grant=grant, by=reader(request))
        listing = {
            "grant": grant.pk,
            "dataset": str(grant.version.dataset),
            "version": grant.version.number,
            "files": files,
        }
        return Response(ReleaseListing(listing).data)


def reader(request: Request) -> str:
    """Say who takes a release, for the record."""
    key = request.auth
    person = caller(request).email
    return f"{person} with the key «{key.name}»" if isinstance(key, ApiKey) else person


def file_url(request: Request, grant: Grant, file: access.ReleaseFile) -> str:
    """Return where a file is fetched. Its digest stands in the address, signed with it.

    What is made for the grant (proofs, status list) differs from one moment to the next and fits
    together only as it was made: it is kept, so that the address gives what the listing names.
    """
    if file.content is not None:
        blob_store().put_bytes(file.content)
    path = reverse("api:grant-file", args=[grant.pk, file.sha256, file.path])
    return links.make(request, "GET", path, seconds=settings.DOWNLOAD_URL_SECONDS)


class ReleaseFile(Resource):
    """One file of a release. The address itself is the permission."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(auth=[], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, grant_id: UUID, sha256: str, path: str) -> HttpResponseBase:
        """Return the bytes, whole or in part (Range), if license and consent stand right now."""
        links.require(request)
        grant = get_object_or_404(grants(), pk=grant_id)
        access.require(grant=grant)
        name = path.rpartition("/")[2]
        content = open_content(grant=grant, sha256=sha256, path=path, name=name)
        return ranges.respond(request._request, content)  # noqa: SLF001 - Django's own request


def open_content(*, grant: Grant, sha256: str, path: str, name: str) -> ranges.Content:
    """Open the bytes of a file of the release."""
    file = File.objects.filter(version=grant.version, role=File.Role.RELEASE, path=path).first()
    opened = blob_store().open(sha256)
    size = opened.seek(0, 2)
    opened.seek(0)
    return ranges.Content(
        file=opened,
        size=size,
        sha256=sha256,
        media_type=file.media_type if file else access.MEDIA_TYPES[path],
        name=name,
    )
