"""What a dataset says of itself, and deleting one of which nothing was sealed."""

from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ingestion.archive import datasets, languages
from ingestion.models import Dataset, Task, Version
from ingestion.models.dataset import MAX_CARD, MAX_DESCRIPTION
from marketplace.pages.studio import frame, stations
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import LanguageField, refuse
from marketplace.tasks import follow_news_task


class EditForm(forms.Form):
    """The texts of a dataset; language and task too, while a version is open."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=datasets.MAX_TITLE,
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy(
            "Who speaks, when and where it was recorded, what it is about. It stands in the "
            "catalogue."
        ),
    )
    card = forms.CharField(
        label=gettext_lazy("Card"),
        required=False,
        max_length=MAX_CARD,
        widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}),
        help_text=gettext_lazy(
            "More about it, in Markdown: how it was recorded, what it is good for and what not, "
            "whom to ask. It goes into the README of what is sealed next."
        ),
    )
    language = LanguageField(
        label=gettext_lazy("Language spoken"),
        max_length=80,
        help_text=gettext_lazy(
            "Type its name or its code, and choose. A recording in another language can say so "
            "of itself, on the files page."
        ),
    )
    task = forms.ChoiceField(
        label=gettext_lazy("What a model can learn from it"),
        choices=Task.choices,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, is_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_open:
            del self.fields["language"], self.fields["task"]


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def edit(request: StudioRequest, work: Work) -> HttpResponse:
    """Change what a dataset says of itself."""
    is_open, dataset = work.version.is_open, work.dataset
    if request.method != "POST":
        known = {name: getattr(dataset, name) for name in EditForm.base_fields}
        return page(request, work, EditForm(initial=known, is_open=is_open))
    form = EditForm(request.POST, is_open=is_open)
    if not form.is_valid():
        return page(request, work, form, status=422)
    try:
        changed = datasets.edit(dataset=dataset, by=request.user, **form.cleaned_data)
    except CommonholdError as error:
        refuse(form, error)
        return page(request, work, form, status=error.status)
    follow_news_task.delay_on_commit()
    messages.success(request, saved(dataset, changed))
    return redirect(work.url())


def saved(before: Dataset, after: Dataset) -> str:
    """Say that the changes are kept, and what a change of language asks for."""
    if languages.are_one(before.language, after.language):
        return _("Saved.")
    return _(
        "Saved. What was written down in another language does not count any more: start "
        "processing, and the machine writes it down anew."
    )


def page(request: StudioRequest, work: Work, form: EditForm, *, status: int = 200) -> HttpResponse:
    """Render the form."""
    facts = stations.read(work)
    context = {
        "form": form,
        "status": status,
        "written_down": facts.figures.processed if work.version.is_open else 0,
        "is_published": not never_sealed(work),
        "delete_url": work.url("delete"),
    }
    template = "pages/studio/edit.html"
    return frame.page(request, work, "overview", context, template=template, facts=facts)


def never_sealed(work: Work) -> bool:
    """Whether nothing of a dataset was ever sealed."""
    return not work.dataset.versions.exclude(state__in=Version.OPEN).exists()


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def delete(request: StudioRequest, work: Work) -> HttpResponse:
    """Say what is deleted with a dataset; on POST, delete it."""
    error = None
    if request.method == "POST":
        title = work.dataset.title
        try:
            datasets.delete(dataset=work.dataset, by=request.user)
        except CommonholdError as refusal:
            error = refusal
        else:
            messages.success(request, _("«%(title)s» is deleted.") % {"title": title})
            return redirect("studio:index")
    context = {
        "is_published": not never_sealed(work),
        "recordings": work.dataset.recordings.count(),
        "consents": work.dataset.consent_records.count(),
    }
    template = "pages/studio/delete.html"
    return frame.page(request, work, "overview", context, template=template, error=error)
