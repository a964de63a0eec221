"""Grants: the licenses that an organization holds, and what it may download under them."""

import io
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import Scope
from ingestion.archive import blobs
from licensing import access, papers
from licensing.models import Grant
from marketplace.api import sight
from marketplace.api.offers import LicenseName, license_name
from marketplace.api.permissions import may, require_role
from marketplace.api.resource import Collection, Resource, caller, django_request
from marketplace.http import addresses, links, ranges
from marketplace.showcase import held


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
    log_index = serializers.IntegerField(
        source="statement.entry.index",
        allow_null=True,
        help_text="Where the log holds it; null for the seconds until it does.",
    )
    url = serializers.SerializerMethodField()

    @extend_schema_field(LicenseName)
    def get_license(self, grant: Grant) -> dict[str, Any]:
        return license_name(grant.offer)

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


def find_grant(request: Request, grant_id: UUID, permission: str) -> Grant:
    """Return a grant if the caller may do this with it; else 404, or 403 if only not this."""
    grant = held.grants().filter(sight.own(request, "licensee"), pk=grant_id).first()
    if grant is None or not may(request, "licensing.view_grant", grant, owner=grant.licensee):
        raise Http404
    if not may(request, permission, grant, owner=grant.licensee):
        message = _("Your role in %(organization)s does not let you download. Ask an owner of it.")
        raise PermissionDenied(message % {"organization": grant.licensee})
    return grant


class Grants(Collection):
    """The licenses that an organization holds."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.DOWNLOAD)}

    @extend_schema(operation_id="grants_list", responses=GrantJson(many=True))
    def get(self, request: Request) -> Response:
        """Return the licenses of the organization that the caller acts for, newest first."""
        licensee = require_role(request, "accounts.view_organization")
        return self.pages(request, held.by(licensee=licensee), GrantJson)

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
    def get(self, request: Request, grant_id: UUID) -> Response:
        """Return every file with its digest and an address; who asked is written down."""
        grant = find_grant(request, grant_id, "licensing.use_grant")
        access.require(grant=grant)
        holder = links.Holder.of(caller(request), request.auth)
        files = [
            {
                "path": file.path,
                "size": file.size,
                "sha256": file.sha256,
                "url": addresses.of_file(
                    django_request(request), grant=grant, file=file, holder=holder
                ),
            }
            for file in access.release(grant=grant)
        ]
        access.note_access(grant=grant, by=audit.name_of(caller(request)))
        listing = {
            "grant": grant.pk,
            "dataset": str(grant.version.dataset),
            "version": grant.version.number,
            "files": files,
        }
        return Response(ReleaseListing(listing).data)


class ReleaseFile(Resource):
    """One file of a release. The address itself is the permission."""

    authentication_classes = ()
    permission_classes = ()
    kinds: ClassVar = {"GET": "", "HEAD": ""}

    @extend_schema(auth=[], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, grant_id: UUID, sha256: str, path: str) -> HttpResponseBase:
        """Return the bytes, whole or in part (Range), if license and consent stand right now.

        And if whoever asked for the address may still download under the license.
        """
        holder = links.require(django_request(request))
        grant = held.find(grant_id=grant_id)
        if grant is None:
            raise Http404
        holder.require("licensing.use_grant", grant, owner=grant.licensee, scope=Scope.DOWNLOAD)
        access.require(grant=grant)
        content = open_content(grant=grant, sha256=sha256, path=path)
        return ranges.respond(django_request(request), content)


def open_content(*, grant: Grant, sha256: str, path: str) -> ranges.Content:
    """Open the bytes of a published file, or of a paper that was kept. Raises Http404."""
    name = path.rpartition("/")[2]
    for file in access.published(grant=grant, path=path):
        if file.sha256 == sha256:
            opened = blobs.read(sha256)
            return ranges.Content(opened, file.size, sha256, file.media_type, name)
    paper = papers.find(grant=grant, name=path, sha256=sha256)
    if paper is None:
        raise Http404
    size = len(paper.content)
    return ranges.Content(io.BytesIO(paper.content), size, sha256, paper.media_type, name)
