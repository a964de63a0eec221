"""The files tab: sending recordings and transcripts, and taking them out again."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion.archive import recordings, uploads
from ingestion.models import Decision, File, Recording, Upload, Version
from marketplace.http.telling import tell_record
from marketplace.pages.studio import frame, undoing
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import LanguageField, SmallFileForm, refuse
from marketplace.templatetags import wording

PER_PAGE = 100
CHUNK = 1024 * 1024
MOST_GONE = 50
"""Removed recordings that are shown, the newest first."""
ICONS = {
    Recording.Kind.AUDIO: "file-audio",
    Recording.Kind.TRANSCRIPT: "message-square-quote",
    Recording.Kind.DOCUMENT: "file-text",
}


class LanguageForm(forms.Form):
    """The language that is spoken in one recording."""

    language = LanguageField(
        label=gettext_lazy("Language spoken"),
        max_length=80,
        help_text=gettext_lazy("Type its name or its code, and choose."),
    )


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
    page = Paginator(places(work.version), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "form": form or SmallFileForm(),
        "page": page,
        "rows": [row(work, place) for place in page],
        "takes_files": work.version.state == Version.State.DRAFT,
        "removable": work.version.is_in_hand,
        "unfinished": work.version.uploads.filter(
            state=Upload.State.OPEN, expires_at__gt=timezone.now()
        ).order_by("path"),
        "status": 422 if form is not None and form.errors else 200,
        "upload_url": work.url("upload"),
        "removed": [removed_row(work, act) for act in removals(work.version)],
    }
    return frame.page(request, work, "files", context, error=error)


def places(version: Version) -> QuerySet[File]:
    """Return the places of a version by name, each with whether the version began with it."""
    before = File.objects.filter(version=version.begun_from_id, recording=OuterRef("recording"))
    return (
        version.files.select_related(
            "recording__blob", "recording__transcript", "recording__beside"
        )
        .annotate(is_carried_over=Exists(before))
        .order_by("key", "pk")
    )


def row(work: Work, place: File) -> dict[str, Any]:
    """Return one original as the list shows it."""
    recording = place.recording
    return {
        "recording": recording,
        "is_carried_over": place.is_carried_over,  # type: ignore[attr-defined]  # an annotation's name
        "icon": ICONS[Recording.Kind(recording.kind)],
        "partner": recording.transcript or getattr(recording, "beside", None),
        "remove_url": work.url("remove_file", recording.pk),
        "history_url": f"{work.url('history')}?recording={recording.pk}",
        "language_url": work.url("language", recording.pk)
        if recording.kind != Recording.Kind.TRANSCRIPT
        else "",
    }


def removals(version: Version) -> QuerySet[Decision]:
    """Return the acts that took away what is not in an open version now, the newest first."""
    acts = version.decisions.filter(act=Decision.Act.REMOVE, undone__isnull=True)
    if not version.is_in_hand:
        return acts.none()
    here = version.files.values("recording_id")
    return acts.exclude(recording__in=here).select_related("recording").order_by("-pk")[:MOST_GONE]


def removed_row(work: Work, act: Decision) -> dict[str, Any]:
    """Return what was removed as the list shows it."""
    return {"recording": act.recording, "undo_url": undoing.address(work, act, back="files")}


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
        form.add_error("file", tell_record(kept.error))
        return listing(request, work, form=form)
    messages.success(request, _("«%(path)s» has arrived whole.") % {"path": kept.path})
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
    return uploads.complete(upload=announced, by=request.user)


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
    """Take an original out of the version. It lasts, with all that was made of it."""
    place = get_object_or_404(work.version.files.select_related("recording"), recording=pk)
    try:
        decision = recordings.remove(file=place, by=request.user)
    except CommonholdError as error:
        return listing(request, work, error=error)
    sentence = _("«%(path)s» is removed from version %(number)s.")
    told = {"path": place.recording.name, "number": work.version.number}
    undoing.offer(request, work, decision, sentence % told, back="files")
    return redirect(work.url("pipeline" if request.POST.get("from") == "pipeline" else "files"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def language(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Say which language is spoken in a recording, where it is not the dataset's."""
    mine = Recording.objects.to_process().filter(files__version=work.version)
    recording = get_object_or_404(mine.select_related("dataset"), pk=pk)
    if request.method != "POST":
        form = LanguageForm(initial={"language": recording.spoken})
        return language_page(request, work, recording, form)
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return language_page(request, work, recording, form, status=422)
    try:
        recordings.say_language(recording=recording, by=request.user, **form.cleaned_data)
    except CommonholdError as error:
        refuse(form, error)
        return language_page(request, work, recording, form, status=error.status)
    sentence = _("«%(path)s» is in %(language)s.")
    told = {"path": recording.name, "language": wording.language(form.cleaned_data["language"])}
    messages.success(request, sentence % told)
    return redirect(work.url("files"))


def language_page(
    request: StudioRequest,
    work: Work,
    recording: Recording,
    form: LanguageForm,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render the question in which language a recording is."""
    context = {"form": form, "recording": recording, "status": status}
    template = "pages/studio/language.html"
    return frame.page(request, work, "files", context, template=template)


@require_POST
@for_contributors
def cancel(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Give up an upload that is not finished."""
    unfinished = get_object_or_404(work.version.uploads, pk=pk)
    uploads.cancel(upload=unfinished, by=request.user)
    messages.success(
        request, _("The upload of «%(path)s» is given up.") % {"path": unfinished.path}
    )
    return redirect(work.url("files"))
