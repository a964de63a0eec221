"""Discarding a version that is still open, and taking a sealed one back."""

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ingestion import releases
from ingestion.archive import versions
from ingestion.models import Version
from ingestion.releases.withdrawing import MAX_REASON
from licensing.models import Grant, Offer
from marketplace.pages.studio import frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import refuse
from marketplace.tasks import follow_news_task


class WithdrawForm(forms.Form):
    """Why a version is taken back."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=gettext_lazy("It stays in the history of this dataset, for your organization."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def discard(request: StudioRequest, work: Work) -> HttpResponse:
    """Say what goes with a version that is open; on POST, discard it."""
    error = None
    if request.method == "POST":
        try:
            is_only = start_over(request, work)
        except CommonholdError as refusal:
            error = refusal
        else:
            number = {"number": work.version.number}
            sentence = _("Version %(number)s is discarded.")
            if is_only:
                sentence = _("Version %(number)s is discarded, and an empty one is open instead.")
            messages.success(request, sentence % number)
            return redirect(work.url())
    mine, others = work.version.files, work.dataset.versions.exclude(pk=work.version.pk)
    context = {
        "is_only": not others.exists(),
        "shares": mine.filter(recording__files__version__in=others).exists(),
        "alone": versions.alone_in(work.version).count(),
        "delete_url": work.url("delete"),
    }
    template = "pages/studio/discard.html"
    return frame.page(request, work, "overview", context, template=template, error=error)


@transaction.atomic
def start_over(request: StudioRequest, work: Work) -> bool:
    """Discard the version at work; return whether it was the only one, and a new one is open.

    A dataset without any version could not be found again in the studio.
    """
    versions.discard(version=work.version, by=request.user)
    if work.dataset.versions.exists():
        return False
    versions.open_draft(dataset=work.dataset, by=request.user)
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def withdraw(request: StudioRequest, work: Work, number: int) -> HttpResponse:
    """Say what taking a sealed version back means; on POST, take it back."""
    version = get_object_or_404(work.dataset.versions, number=number)
    if version.is_open:
        raise Http404
    form = WithdrawForm(request.POST or None)
    if request.method != "POST":
        return page(request, work, version, form)
    if not form.is_valid():
        return page(request, work, version, form, status=422)
    try:
        releases.withdraw(version=version, by=request.user, **form.cleaned_data)
    except CommonholdError as error:
        refuse(form, error)
        return page(request, work, version, form, status=error.status)
    follow_news_task.delay_on_commit()
    sentence = _(
        "Version %(number)s is withdrawn. Nothing of it is licensed or handed out any more."
    )
    messages.success(request, sentence % {"number": version.number})
    return redirect(work.url())


def page(
    request: StudioRequest, work: Work, version: Version, form: WithdrawForm, *, status: int = 200
) -> HttpResponse:
    """Render the question."""
    names = Grant.objects.filter(version=version).values_list("licensee_name", flat=True)
    context = {
        "form": form,
        "status": status,
        "taken": version,
        "licensees": list(names.distinct().order_by("licensee_name")),
        "open_offers": Offer.objects.filter(version=version, closed_at__isnull=True).count(),
    }
    template = "pages/studio/withdraw_version.html"
    return frame.page(request, work, "overview", context, template=template)
