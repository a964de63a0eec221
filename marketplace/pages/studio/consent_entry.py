"""Writing consents down: one by the form, or many from the table."""

from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from ingestion import consent, consent_import
from ingestion import evidence as evidences
from ingestion.consent import Evidence, Notice, Person, Stretch, Terms
from ingestion.models import Blob, ConsentRecord, File
from marketplace.pages.studio import frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import (
    ConsentForm,
    ConsentImportForm,
    StretchForm,
    StretchFormSet,
    refuse,
)

MAX_TABLE = 10 * 1000 * 1000
Stretches = BaseFormSet[StretchForm]


@require_safe
@for_contributors
def template(request: StudioRequest, work: Work) -> HttpResponse:  # noqa: ARG001 - one kind of view
    """Hand out the table to fill in."""
    response = HttpResponse(consent_import.template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="consent-template.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def new(request: StudioRequest, work: Work) -> HttpResponse:
    """Write down one consent; the button for one more stretch gives the form back, longer."""
    kwargs: dict[str, Any] = {"form_kwargs": {"version": work.version}, "prefix": "heard"}
    if request.method != "POST":
        return form_page(
            request, work, ConsentForm(initial=proposal(work)), StretchFormSet(**kwargs)
        )
    if "more" in request.POST:
        return more(request, work, kwargs)
    form = ConsentForm(request.POST, request.FILES)
    stretches = StretchFormSet(request.POST, **kwargs)
    record = write(request, work, form, stretches)
    if record is None:
        return form_page(request, work, form, stretches, status=422)
    messages.success(
        request, f"Recorded. {record.speaker.name} is {record.speaker.pseudonym} from here on."
    )
    return redirect(work.url("consent"))


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
    stretches = read_stretches(work, form, rows)
    if not ready or stretches is None:
        return None
    typed = form.cleaned_data
    try:
        kept = keep_evidence(typed["evidence"])
        person = Person(typed["name"], typed["contact"], typed["role"], typed["is_minor"])
        return consent.record(
            speaker=consent.add_speaker(dataset=work.dataset, person=person),
            notice=Notice(typed["notice_text"], typed["notice_language"], typed["notice_version"]),
            terms=read_terms(typed),
            stretches=stretches,
            by=request.user,
            evidence=kept,
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


def read_stretches(work: Work, form: ConsentForm, rows: Stretches) -> list[Stretch] | None:
    """Return where the speaker is heard, or tell the rows what is wrong with them."""
    if not rows.is_valid():
        return None
    if form.cleaned_data.get("everywhere"):
        return [Stretch(file) for file in work.version.files.filter(role=File.Role.SOURCE)]
    found = [stretch for row in rows if row.has_changed() and (stretch := read_stretch(work, row))]
    if any(row.errors for row in rows):
        return None
    if not found:
        form.add_error(
            "everywhere", "Say where the speaker is heard: tick this, or choose a file below."
        )
        return None
    return found


def read_stretch(work: Work, row: StretchForm) -> Stretch | None:
    """Return one stretch, or tell its row why it can't stand."""
    file, start, end = (row.cleaned_data.get(name) for name in ("file", "start", "end"))
    if file is None:
        if start or end:
            row.add_error("file", "Which file is this time in?")
        return None
    try:
        if not start and not end:
            stretch = Stretch(file)
        else:
            stretch = Stretch(
                file,
                consent_import.parse_clock("start", start) if start else 0,
                consent_import.parse_clock("end", end) if end else file.duration_ms,
            )
        consent.check_stretch(stretch=stretch, dataset=work.dataset)
    except consent_import.RowFault as fault:
        row.add_error(fault.name, fault.message)
        return None
    except CommonholdError as error:
        refuse(row, error)
        return None
    return stretch


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def import_table(request: StudioRequest, work: Work) -> HttpResponse:
    """Bring in many consents at once; rows that can't stand are listed, and nothing is kept."""
    if request.method != "POST":
        return import_page(request, work, ConsentImportForm())
    form = ConsentImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return import_page(request, work, form, status=422)
    try:
        made = run_import(request, work, form)
    except consent_import.ImportRefused as refusal:
        rows = refusal.details.get("rows")
        return import_page(request, work, form, refusal=refusal.message, faults=rows, status=422)
    except CommonholdError as error:
        refuse(form, error)
        return import_page(request, work, form, status=error.status)
    told = ngettext("Recorded %d consent", "Recorded %d consents", made.records) % made.records
    told += ngettext(" of %d speaker", " of %d speakers", made.speakers) % made.speakers
    told += ngettext(", over %d stretch.", ", over %d stretches.", made.scopes) % made.scopes
    messages.success(request, told)
    return redirect(work.url("consent"))


def run_import(
    request: StudioRequest, work: Work, form: ConsentImportForm
) -> consent_import.Imported:
    """Read the table and the evidence of a form, and import them."""
    table = form.cleaned_data["csv"]
    if table.size > MAX_TABLE:
        message = "The table has more than 10 MB. Bring it in in parts."
        raise consent_import.ImportRefused(message, rows=[])
    kept: dict[str, Blob] = {
        sent.name: evidences.keep(name=sent.name, chunks=sent.chunks())
        for sent in form.cleaned_data["evidence"]
    }
    return consent_import.run(
        version=work.version,
        table=table.read(),
        notice_text=form.cleaned_data["notice_text"],
        by=request.user,
        evidence=kept,
    )


def import_page(
    request: StudioRequest,
    work: Work,
    form: ConsentImportForm,
    *,
    status: int = 200,
    refusal: str = "",
    faults: object = (),
) -> HttpResponse:
    """Render the import."""
    context = {
        "form": form,
        "refusal": refusal,
        "faults": faults,
        "template_url": work.url("consent_template"),
        "status": status,
    }
    return frame.page(
        request, work, "consent", context, template="pages/studio/consent_import.html"
    )
