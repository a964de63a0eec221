"""Uploads: announcing a file, sending its parts, completing it."""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from commonhold.errors import CommonholdError, Recorded
from commonhold.sentences import _
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion.archive import uploads, versions
from ingestion.archive.storage import CHUNK
from ingestion.models import Upload
from marketplace.api import sight
from marketplace.api.permissions import require_dataset
from marketplace.api.resource import Resource, caller, django_request, find_dataset
from marketplace.http import links
from marketplace.http.bodies import LengthRequired
from marketplace.http.telling import tell_record


class PartSizeWrong(CommonholdError):
    """A part is longer or shorter than its place."""

    code = "part-size-wrong"
    status = 422


class UploadRefused(CommonholdError):
    """The bytes arrived, and can't be taken. Nothing was kept."""

    code = "upload-refused"
    status = 422


class BeginUpload(serializers.Serializer[Any]):
    """A file announced."""

    dataset = serializers.RegexField(
        r"^[^/\s]+/[^/\s]+$",
        error_messages={"invalid": gettext_lazy("Name it as organization/dataset.")},
    )
    path = serializers.CharField(trim_whitespace=False, allow_blank=True)
    size = serializers.IntegerField()
    sha256 = serializers.CharField(required=False, allow_blank=True, default="")


class CompleteUpload(serializers.Serializer[Any]):
    """The digest of the whole file, as the client read it."""

    sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$",
        error_messages={
            "invalid": gettext_lazy("A SHA-256 digest is 64 lower-case hexadecimal digits.")
        },
    )


class PartJson(serializers.Serializer[Any]):
    """A part, and where to PUT it (with `x-amz-checksum-sha256`, and no key)."""

    number = serializers.IntegerField()
    offset = serializers.IntegerField()
    size = serializers.IntegerField()
    url = serializers.CharField()
    received = serializers.BooleanField()


class UploadJson(serializers.Serializer[Any]):
    """An upload, with fresh addresses for its parts while it is open."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    path = serializers.CharField()
    size = serializers.IntegerField()
    part_size = serializers.IntegerField()
    parts = PartJson(many=True)
    error = serializers.CharField(allow_null=True)


class ReceivedFileJson(serializers.Serializer[Any]):
    """The recording or text that an upload became."""

    path = serializers.CharField(source="name")
    sha256 = serializers.CharField(source="blob_id")
    size = serializers.IntegerField(source="blob.size")
    kind = serializers.CharField()
    recording = serializers.IntegerField(source="pk")


class CompletedJson(serializers.Serializer[Any]):
    """An upload that is over."""

    state = serializers.CharField()
    file = ReceivedFileJson(allow_null=True, help_text="Null once it was deleted again.")


def render(request: Request, upload: Upload) -> dict[str, Any]:
    """Return an upload as JSON, its part addresses signed for the next hour."""
    is_open = upload.state == Upload.State.OPEN
    states = uploads.part_states(upload=upload) if is_open else []
    parts = [
        {
            "number": part.number,
            "offset": part.offset,
            "size": part.size,
            "url": part_url(request, upload, part.number),
            "received": part.received,
        }
        for part in states
    ]
    shown = {name: getattr(upload, name) for name in ("id", "state", "path", "size", "part_size")}
    return dict(
        UploadJson({**shown, "parts": parts, "error": tell_record(upload.error) or None}).data
    )


def part_url(request: Request, upload: Upload, number: int) -> str:
    """Return where one part is sent."""
    path = reverse("api:part", args=[upload.pk, number])
    holder = links.Holder.of(caller(request), request.auth)
    seconds = settings.DOWNLOAD_URL_SECONDS
    return links.make(django_request(request), "PUT", path, holder=holder, seconds=seconds)


def find_upload(request: Request, upload_id: UUID) -> Upload:
    """Return an upload if the caller may change its dataset; else 404 or 403."""
    found = Upload.objects.select_related("version__dataset__organization", "recording__blob")
    seen = sight.own(request, "version__dataset__organization") | sight.offered("version")
    upload = get_object_or_404(found, seen, pk=upload_id)
    require_dataset(request, "ingestion.change_dataset", upload)
    return upload


class Uploads(Resource):
    """The door for new files."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    # A file that is refused opens no version: both or neither.
    @extend_schema(request=BeginUpload, responses={201: UploadJson})
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Announce a file for a dataset's draft. Asked again, returns the upload under way."""
        asked = BeginUpload(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        org, slug = data["dataset"].split("/")
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        version = versions.open_draft(dataset=dataset, by=caller(request))
        upload = uploads.begin(
            version=version,
            path=data["path"],
            size=data["size"],
            sha256=data["sha256"],
            by=caller(request),
        )
        return Response(render(request, upload), status=status.HTTP_201_CREATED)


class OneUpload(Resource):
    """An upload under way."""

    scopes: ClassVar = {"GET": (Scope.CONTRIBUTE,), "DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(responses=UploadJson)
    def get(self, request: Request, upload_id: UUID) -> Response:
        """Tell which parts have arrived, with fresh addresses: what a client needs to resume.

        An upload that was given up, or left lying too long, is no longer there.
        """
        upload = find_upload(request, upload_id)
        lapsed = upload.state == Upload.State.OPEN and upload.expires_at <= timezone.now()
        if lapsed or upload.state == Upload.State.CANCELED:
            raise Http404
        return Response(render(request, upload))

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Give the upload up and forget its parts. A file that is complete stays."""
        uploads.cancel(upload=find_upload(request, upload_id), by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Completion(Resource):
    """The end of an upload."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=CompleteUpload, responses=CompletedJson)
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Join the parts and check the whole: the file it became, or why it is refused."""
        asked = CompleteUpload(data=request.data)
        asked.is_valid(raise_exception=True)
        upload = find_upload(request, upload_id)
        sha256 = asked.validated_data["sha256"]
        done = uploads.complete(upload=upload, by=caller(request), sha256=sha256)
        if done.error is not None:
            raise refusal(done, done.error)
        return Response(CompletedJson({"state": done.state, "file": done.recording}).data)


def refusal(upload: Upload, record: dict[str, Any]) -> UploadRefused:
    """Make the refusal of an upload from why it was refused; `reason` is that refusal's code."""
    why = Recorded.of(record)
    details = why.details | {"path": upload.path, "reason": why.recorded_code}
    return UploadRefused(tell_record(record), **details)


class Part(Resource):
    """Where the bytes of one part are sent. The address itself is the permission."""

    authentication_classes = ()
    permission_classes = ()
    kinds: ClassVar = {"PUT": "parts"}

    @extend_schema(
        auth=[],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: None},
        parameters=[
            OpenApiParameter(
                "x-amz-checksum-sha256",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="SHA-256 of the part's bytes, base64.",
            )
        ],
    )
    def put(self, request: Request, upload_id: UUID, number: int) -> HttpResponse:
        """Take the bytes of a part as they come. Sent again, it replaces what was sent before."""
        holder = links.require(django_request(request))
        found = Upload.objects.select_related("version__dataset__organization")
        upload = get_object_or_404(found, pk=upload_id)
        owner = upload.version.dataset.organization
        holder.require("ingestion.change_dataset", upload, owner=owner, scope=Scope.CONTRIBUTE)
        require_length(request, upload, number)
        part = uploads.receive_part(
            upload=upload,
            number=number,
            chunks=chunks(request),
            checksum=request.headers.get("x-amz-checksum-sha256", ""),
        )
        return HttpResponse(headers={"ETag": f'"{part.sha256}"'})


def require_length(request: Request, upload: Upload, number: int) -> None:
    """Refuse a part by its Content-Length, before a byte of it is read."""
    try:
        length = int(request.headers.get("Content-Length") or "")
    except ValueError as error:
        sentence = _("Send part %(number)s of «%(path)s» with its Content-Length.")
        raise LengthRequired(sentence, number=number, path=upload.path) from error
    if 1 <= number <= upload.part_count and length != upload.part_length(number):
        sentence = _(
            "Part %(number)s of «%(path)s» has %(size)s bytes; %(sent)s were about to be sent."
        )
        size = upload.part_length(number)
        raise PartSizeWrong(
            sentence,
            number=number,
            path=upload.path,
            size=size,
            sent=length,
        )


def chunks(request: Request) -> Iterator[bytes]:
    """Yield the body as it arrives; it is never whole in memory."""
    while chunk := django_request(request).read(CHUNK):
        yield chunk
