"""Writing many consents down from the table: what it would do is shown first, then done."""

from typing import Any

from commonhold.errors import CommonholdError
from commonhold.sentences import _ as sentence_of
from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from ingestion.consent import evidence as evidences
from ingestion.consent import imports, tables, waiting
from ingestion.consent.imports import ImportChanged, Imported, ImportRefused
from ingestion.consent.tables import TableUnreadable, require_size
from ingestion.consent.waiting import TableForgotten, Waiting
from marketplace.http.telling import tell
from marketplace.pages.studio import consent_preview, frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.consent_forms import ConsentImportForm
from marketplace.pages.studio.forms import refuse

SALT = "consent-import"
HELD_FOR = 20 * 3600
"""Seconds for which a preview can be confirmed: the bytes lie for a day."""


@require_safe
@for_contributors
def template(request: StudioRequest, work: Work) -> HttpResponse:  # noqa: ARG001 - one kind of view
    """Hand out the table to fill in, with a row for each file of the version."""
    filled = imports.prefilled(version=work.version) or imports.template()
    # Excel takes a file for UTF-8 only if it begins with a byte order mark.
    response = HttpResponse(f"\ufeff{filled}", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="consent-template.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """Take a table, show what it would do, and do it once that was confirmed.

    Everything that is wrong with it is listed, and nothing is kept then.
    """
    if request.method != "POST":
        return page(request, work, ConsentImportForm())
    if "waiting" in request.POST:
        return confirm(request, work)
    form = ConsentImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, work, form, status=422)
    try:
        return preview(request, work, taken(form))
    except (ImportRefused, TableUnreadable) as refusal:
        return page(request, work, form, refusal=refusal, status=422)
    except CommonholdError as error:
        refuse(form, error)
        return page(request, work, form, status=error.status)


def taken(form: ConsentImportForm) -> Waiting:
    """Take in what was sent. Raises TableUnreadable, EvidenceInvalid."""
    table = form.cleaned_data["csv"]
    require_size(table.size)
    sent = form.cleaned_data["evidence"]
    return Waiting(
        table=table.read(),
        notice_text=form.cleaned_data["notice_text"],
        evidence=evidences.keep_all((one.name, one.chunks()) for one in sent),
    )


def preview(
    request: StudioRequest, work: Work, sent: Waiting, *, changed: str = ""
) -> HttpResponse:
    """Show what a table would do, and ask whether to do it. Raises as `imports.run` does."""
    told = consent_preview.told(work, sent, by=request.user)
    promise = {
        "version": work.version.pk,
        "by": request.user.pk,
        "counts": told["made"].counts,
        "kept": waiting.keep(sent) if told["made"].records else "",
    }
    context = {
        **told,
        "changed": changed,
        "waiting": signing.dumps(promise, salt=SALT),
        "again_url": work.url("import_consent"),
    }
    name = "pages/studio/consent_preview.html"
    return frame.page(request, work, "consent", context, template=name)


def confirm(request: StudioRequest, work: Work) -> HttpResponse:
    """Bring in what was shown; if it would do something else by now, show that first."""
    form = ConsentImportForm()
    try:
        promise = promised(request, work)
        sent = waiting.read(promise["kept"])
        try:
            made = bring_in(request, work, sent, expected=promise["counts"])
        except ImportChanged as change:
            return preview(request, work, sent, changed=tell(change))
    except (ImportRefused, TableUnreadable, TableForgotten) as refusal:
        return page(request, work, form, refusal=refusal, status=refusal.status)
    messages.success(request, imported(made))
    return redirect(work.url("consent"))


def promised(request: StudioRequest, work: Work) -> dict[str, Any]:
    """Return what the page promised to its reader. Raises TableForgotten."""
    try:
        promise: dict[str, Any] = signing.loads(
            request.POST["waiting"], salt=SALT, max_age=HELD_FOR
        )
    except signing.BadSignature:
        promise = {}
    if (promise.get("version"), promise.get("by")) != (work.version.pk, request.user.pk):
        sentence = sentence_of(
            "What this page showed is not kept any more. Choose the table again."
        )
        raise TableForgotten(sentence)
    return promise


def bring_in(
    request: StudioRequest, work: Work, sent: Waiting, *, expected: dict[str, int]
) -> Imported:
    """Import what was sent, as it was promised."""
    return imports.run(
        version=work.version,
        table=sent.table,
        notice_text=sent.notice_text,
        by=request.user,
        evidence=sent.evidence,
        expected=expected,
    )


def imported(made: Imported) -> str:
    """Say what an import wrote down, and what it found written down already."""
    told = [_("Nothing new was in the table.")]
    if made.records:
        sentence = _("Recorded %(consents)s of %(speakers)s, over %(stretches)s.")
        told = [sentence % counted(made)]
    if made.known:
        sentence = ngettext(
            "%d consent is recorded already.", "%d consents are recorded already.", made.known
        )
        told.append(sentence % made.known)
    if made.voided:
        sentence = ngettext(
            "%d was struck out as a mistake and stays so.",
            "%d were struck out as mistakes and stay so.",
            made.voided,
        )
        told.append(sentence % made.voided)
    return " ".join(told)


def counted(made: Imported) -> dict[str, str]:
    """Count what an import wrote down."""
    consents, speakers, stretches = made.records, made.speakers, made.scopes
    return {
        "consents": ngettext("%d consent", "%d consents", consents) % consents,
        "speakers": ngettext("%d speaker", "%d speakers", speakers) % speakers,
        "stretches": ngettext("%d stretch", "%d stretches", stretches) % stretches,
    }


def page(
    request: StudioRequest,
    work: Work,
    form: ConsentImportForm,
    *,
    status: int = 200,
    refusal: CommonholdError | None = None,
) -> HttpResponse:
    """Render the import."""
    faults = refusal.faults if isinstance(refusal, ImportRefused) else ()
    context = {
        "form": form,
        "refusal": tell(refusal) if refusal else "",
        "faults": [
            {"row": one.row, "field": one.field, "message": tell(one.error)} for one in faults
        ],
        "template_url": work.url("consent_template"),
        "columns": tables.REQUIRED,
        "status": status,
    }
    return frame.page(
        request, work, "consent", context, template="pages/studio/consent_import.html"
    )
