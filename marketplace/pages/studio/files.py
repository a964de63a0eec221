"""The files tab: sending recordings and transcripts, and taking them out again."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from ingestion import files, uploads
from ingestion.models import File, Upload, Version
from marketplace.pages.studio import frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import SmallFileForm, refuse

PER_PAGE = 100
CHUNK = 1024 * 1024
ICONS = {
    File.Kind.AUDIO: "file-audio",
    File.Kind.TRANSCRIPT: "message-square-quote",
    File.Kind.DOCUMENT: "file-text",
}


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List the originals of the version, with a place to add more."""
    return listing(request, work)


def listing(
    request: StudioRequest,
    work: Work,
    *,
    form: SmallFileForm | None = None,
    error: CommonholdError | None = None,
) -> HttpResponse:
    """Render the files tab, with a refusal where there was one."""
    found = (
        work.version.files.filter(role=File.Role.SOURCE)
        .select_related("transcript", "recording", "blob")
        .order_by("path_key")
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "form": form or SmallFileForm(),
        "page": page,
        "rows": [row(work, file) for file in page],
        "takes_files": work.version.state == Version.State.DRAFT,
        "removable": work.version.is_open and work.version.review_finished_at is None,
        "unfinished": work.version.uploads.filter(
            state=Upload.State.OPEN, expires_at__gt=timezone.now()
        ).order_by("path"),
        "status": 422 if form is not None and form.errors else 200,
        "upload_url": work.url("upload"),
        "open_version_url": work.url("open_version"),
    }
    return frame.page(request, work, "files", context, error=error)


def row(work: Work, file: File) -> dict[str, Any]:
    """Return one original as the list shows it."""
    recording = getattr(file, "recording", None)
    return {
        "file": file,
        "icon": ICONS[File.Kind(file.kind)],
        "partner": file.transcript or recording,
        "remove_url": work.url("remove_file", file.pk),
    }


@require_POST
@for_contributors
def upload(request: StudioRequest, work: Work) -> HttpResponse:
    """Take one small file by an ordinary form, streamed through the same service as large ones."""
    form = SmallFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return listing(request, work, form=form)
    sent: UploadedFile[bytes] = form.cleaned_data["file"]
    try:
        kept = receive(request, work, sent)
    except CommonholdError as error:
        refuse(form, error, {})
        return listing(request, work, form=form)
    if kept.state == Upload.State.REFUSED:
        form.add_error("file", kept.error)
        return listing(request, work, form=form)
    messages.success(request, f"«{kept.path}» has arrived whole.")
    return redirect(work.url("files"))


def receive(request: StudioRequest, work: Work, sent: "UploadedFile[bytes]") -> Upload:
    """Hand a file that came by form to the upload service, part by part."""
    size = sent.size or 0
    # The digest is announced, so that what is left of an upload of other bytes is never mixed in.
    announced = uploads.begin(
        version=work.version,
        path=sent.name or "",
        size=size,
        by=request.user,
        sha256=digest(sent, 0, size).hex(),
    )
    for part in uploads.part_states(upload=announced):
        uploads.receive_part(
            upload=announced,
            number=part.number,
            chunks=pieces(sent, part.offset, part.size),
            checksum=base64.b64encode(digest(sent, part.offset, part.size)).decode(),
        )
    return uploads.complete(upload=announced)


def pieces(sent: "UploadedFile[bytes]", offset: int, size: int) -> Iterator[bytes]:
    """Yield `size` bytes from `offset`, a mebibyte at a time."""
    sent.seek(offset)
    left = size
    while left and (chunk := sent.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


def digest(sent: "UploadedFile[bytes]", offset: int, size: int) -> bytes:
    """Return the SHA-256 of `size` bytes from `offset`."""
    found = hashlib.sha256()
    for chunk in pieces(sent, offset, size):
        found.update(chunk)
    return found.digest()


@require_POST
@for_contributors
def remove(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Take an original out of the version."""
    file = get_object_or_404(work.version.files, pk=pk, role=File.Role.SOURCE)
    try:
        files.remove(file=file, by=request.user)
    except CommonholdError as error:
        return listing(request, work, error=error)
    messages.success(request, f"«{file.path}» is removed from version {work.version.number}.")
    return redirect(back(request, work))


def back(request: StudioRequest, work: Work) -> str:
    """Return the tab that the button stood on."""
    return work.url("pipeline" if request.POST.get("from") == "pipeline" else "files")


@require_POST
@for_contributors
def cancel(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Give up an upload that is not finished."""
    unfinished = get_object_or_404(work.version.uploads, pk=pk)
    uploads.cancel(upload=unfinished)
    messages.success(request, f"The upload of «{unfinished.path}» is given up.")
    return redirect(work.url("files"))
