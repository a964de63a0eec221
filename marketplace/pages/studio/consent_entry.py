"""Writing one consent down, by the form."""

from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ingestion import consent
from ingestion.consent import Evidence, Notice, Person, Stretch, Terms, cells, labels
from ingestion.consent import evidence as evidences
from ingestion.consent.labels import Labeled
from ingestion.models import ConsentRecord, Recording
from marketplace.pages.studio import frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.consent_forms import (
    MOST_STRETCHES,
    ConsentForm,
    StretchForm,
    StretchFormSet,
)
from marketplace.pages.studio.forms import refuse
from marketplace.templatetags import wording

Stretches = BaseFormSet[StretchForm]


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def new(request: StudioRequest, work: Work) -> HttpResponse:
    """Write down one consent; the button for one more stretch gives the form back, longer."""
    recordings = recordings_of(work)
    kwargs: dict[str, Any] = {"form_kwargs": {"recordings": recordings}, "prefix": "heard"}
    if request.method != "POST":
        named = labeled(request, work)
        form = ConsentForm(initial=proposal(work) | ({"name": named.label} if named else {}))
        return form_page(request, work, form, StretchFormSet(initial=places(named), **kwargs))
    if "more" in request.POST:
        return more(request, work, kwargs)
    form = ConsentForm(request.POST, request.FILES)
    stretches = StretchFormSet(request.POST, **kwargs)
    began = timezone.now()
    record = write(request, work, form, stretches)
    if record is None:
        return form_page(request, work, form, stretches, status=422)
    if record.created_at < began:
        messages.info(request, known(record))
        return redirect(work.url("consent_record", record.pk))
    sentence = _("Recorded. %(name)s is %(speaker)s from here on.")
    told = {"name": record.speaker.name, "speaker": record.speaker.pseudonym}
    messages.success(request, sentence % told)
    return redirect(work.url("consent"))


def recordings_of(work: Work) -> dict[int, Recording]:
    """Return what somebody can be heard in: the version's recordings and texts, in order."""
    found = Recording.objects.to_process().filter(files__version=work.version)
    return {recording.pk: recording for recording in found.in_order().select_related("dataset")}


def known(record: ConsentRecord) -> str:
    """Say that this very consent was written down before, and whether it still holds."""
    sentence = _("This very consent is recorded already, so nothing was added.")
    if record.withdrawn_at is not None:
        sentence = _(
            "This very consent was recorded before and withdrawn on %(day)s, so nothing was added. "
            "If %(speaker)s agreed again since, record it with the day on which they did."
        ) % {"day": wording.day(record.withdrawn_at), "speaker": record.speaker.pseudonym}
    return sentence


def labeled(request: StudioRequest, work: Work) -> Labeled | None:
    """Return the name in the transcripts that was chosen, if it still stands there."""
    token = request.GET.get("label")
    found = labels.found_in(version=work.version) if token else []
    return next((one for one in found if one.token == token), None)


def places(named: Labeled | None) -> list[dict[str, Any]]:
    """Propose where a name of the transcripts is heard, as the rows of the form take it."""
    return [
        {
            "file": one.recording.pk,
            "start": "" if one.start_ms is None else consent.clock(one.start_ms),
            "end": "" if one.end_ms is None else consent.clock(one.end_ms),
        }
        for one in (named.stretches[:MOST_STRETCHES] if named else ())
    ]


def proposal(work: Work) -> dict[str, Any]:
    """Propose the notice and the law of the dataset's last consent; never what was agreed to."""
    last = work.dataset.consent_records.order_by("-created_at").first()
    if last is None:
        return {"notice_language": work.dataset.language}
    return {
        "notice_text": last.notice_text,
        "notice_language": last.notice_language,
        "notice_version": last.notice_version,
        "jurisdiction": last.jurisdiction,
    }


def more(request: StudioRequest, work: Work, kwargs: dict[str, Any]) -> HttpResponse:
    """Give the form back as it was typed, with one more stretch."""
    data = request.POST.copy()
    count = data.get("heard-TOTAL_FORMS", "0")
    data["heard-TOTAL_FORMS"] = str(min(int(count) if count.isdecimal() else 0, 199) + 1)
    form = ConsentForm(data)
    stretches = StretchFormSet(data, **kwargs)
    forget_errors(form)
    for one in stretches:
        forget_errors(one)
    return form_page(request, work, form, stretches)


def forget_errors(form: forms.Form) -> None:
    """Show a form as typed, unjudged: its sender is not done with it."""
    form.full_clean()
    form.errors.clear()


def form_page(
    request: StudioRequest,
    work: Work,
    form: ConsentForm,
    stretches: Stretches,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render the form."""
    context = {"form": form, "stretches": stretches, "status": status}
    return frame.page(request, work, "consent", context, template="pages/studio/consent_new.html")


def write(
    request: StudioRequest, work: Work, form: ConsentForm, rows: Stretches
) -> ConsentRecord | None:
    """Record what the forms say, or tell them why not."""
    ready = form.is_valid()
    stretches = read_stretches(form, rows)
    if not ready or stretches is None:
        return None
    typed = form.cleaned_data
    try:
        return consent.enter(
            dataset=work.dataset,
            person=Person(typed["name"], typed["contact"], typed["role"], typed["is_minor"]),
            notice=Notice(typed["notice_text"], typed["notice_language"], typed["notice_version"]),
            terms=read_terms(typed),
            stretches=stretches,
            by=request.user,
            evidence=keep_evidence(typed["evidence"]),
        )
    except CommonholdError as error:
        refuse(form, error)
        return None


def read_terms(typed: dict[str, Any]) -> Terms:
    """Return the terms that the form says."""
    return Terms(
        purposes=(*typed["purposes"], *typed["sensitive"]),
        excluded_purposes=tuple(typed["excluded_purposes"]),
        given_on=typed["given_on"],
        expires_on=typed["expires_on"],
        jurisdiction=typed["jurisdiction"],
    )


def keep_evidence(sent: "UploadedFile[bytes] | None") -> Evidence | None:
    """Store the signed form that came along."""
    if sent is None:
        return None
    name = sent.name or "evidence"
    return Evidence(evidences.keep(name=name, chunks=sent.chunks()), name[:255])


def read_stretches(form: ConsentForm, rows: Stretches) -> list[Stretch] | None:
    """Return where the speaker is heard, or tell the rows what is wrong with them."""
    if not rows.is_valid():
        return None
    if form.cleaned_data.get("everywhere"):
        return [Stretch(recording) for recording in rows.form_kwargs["recordings"].values()]
    found = [stretch for row in rows if row.has_changed() and (stretch := read_stretch(row))]
    if any(row.errors for row in rows):
        return None
    if not found:
        sentence = _("Say where the speaker is heard: tick this, or choose a file below.")
        form.add_error("everywhere", sentence)
        return None
    return found


def read_stretch(row: StretchForm) -> Stretch | None:
    """Return one stretch, or tell its row why it can't stand."""
    recording, start, end = (row.cleaned_data.get(name) for name in ("file", "start", "end"))
    if recording is None:
        if start or end:
            row.add_error("file", _("Which file is this time in?"))
        return None
    try:
        stretch = cells.stretch_of(
            recording,
            cells.clock("start", start) if start else None,
            cells.clock("end", end) if end else None,
        )
        consent.check_stretch(stretch=stretch, dataset=recording.dataset)
    except CommonholdError as error:
        refuse(row, error)
        return None
    return stretch
