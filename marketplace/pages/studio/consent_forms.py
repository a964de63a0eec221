"""Forms of the consent pages: what was agreed to, what is taken back, what was a mistake."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from commonhold.purposes import DENIED_BY_DEFAULT, PURPOSES
from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from ingestion.consent import MAX_REASON
from ingestion.models import Recording
from ingestion.models.consent import MAX_NOTICE
from marketplace.pages.studio import choices
from marketplace.pages.studio.forms import LanguageField

DAY = "%Y-%m-%d"


def phrases(slugs: Iterable[str]) -> list[tuple[str, str]]:
    """Return purposes in the order in which they are always told, each with its phrase.

    A phrase completes the sentence "Their voice may be used …".
    """
    wanted = set(slugs)
    return [(one.slug, gettext(one.phrase_of_others)) for one in PURPOSES if one.slug in wanted]


def every_purpose() -> list[tuple[str, str]]:
    """Return all purposes with their phrases, those last that need a yes of their own."""
    return [*ordinary(), *phrases(DENIED_BY_DEFAULT)]


def ordinary() -> list[tuple[str, str]]:
    """Return the purposes that a general yes may name, with their phrases."""
    return phrases(one.slug for one in PURPOSES if one.slug not in DENIED_BY_DEFAULT)


class MultipleFileInput(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files at once; its value is a list."""

    widget = MultipleFileInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(FilesField, self).clean(one, initial) for one in data or ()]


class ConsentForm(forms.Form):
    """One consent of one speaker, as the signed form has it."""

    name = forms.CharField(
        label=_("Speaker's name"),
        max_length=160,
        help_text=_("Stays here. Everywhere else the speaker has a number, such as p-0001."),
    )
    contact = forms.CharField(
        label=_("How to reach them"),
        max_length=254,
        required=False,
        help_text=_("A mail address or a telephone number; stays here too."),
    )
    role = forms.CharField(
        label=_("Who they are in the recording"),
        max_length=40,
        initial="speaker",
        help_text=_("For example presenter, guest, caller."),
    )
    is_minor = forms.BooleanField(
        label=_("They were not of age; a parent or guardian agreed"), required=False
    )
    purposes = forms.MultipleChoiceField(
        label=_("Their voice may be used …"),
        choices=ordinary,
        error_messages={
            "required": _("Tick what they agreed to. A consent names at least one purpose.")
        },
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick what the form they signed names. What is not ticked is not allowed."),
    )
    sensitive = forms.MultipleChoiceField(
        label=_("Only if they said so in these words"),
        choices=partial(phrases, DENIED_BY_DEFAULT),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    excluded_purposes = forms.MultipleChoiceField(
        label=_("They said no to …"),
        choices=every_purpose,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only where the speaker refused it in so many words."),
    )
    given_on = forms.DateField(
        label=_("Agreed on"), widget=forms.DateInput(attrs={"type": "date"}, format=DAY)
    )
    expires_on = forms.DateField(
        label=_("Holds until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format=DAY),
        help_text=_(
            "The first day on which it no longer holds. Left empty, it holds until it is withdrawn."
        ),
    )
    jurisdiction = forms.ChoiceField(
        label=_("Law it was given under"),
        choices=lambda: [("", _("Choose a country")), *choices.countries()],
        help_text=_("Where the speaker agreed. The European Union has a law of its own."),
    )
    notice_text = forms.CharField(
        label=_("What they were told before they agreed"),
        max_length=MAX_NOTICE,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text=_("The whole text of the form, as it was read or shown to them."),
    )
    notice_language = LanguageField(
        label=_("Language of that text"),
        max_length=80,
        help_text=_("Type its name or its code, and choose."),
    )
    notice_version = forms.CharField(label=_("Edition of that text"), max_length=40, required=False)
    evidence = forms.FileField(
        label=_("The signed form, or a recording of the yes"),
        required=False,
        help_text=_("Only contributors of your organization can open it."),
    )
    everywhere = forms.BooleanField(label=_("They are heard in every file"), required=False)


def chosen(recordings: dict[int, Recording], pk: str) -> Recording:
    """Return the recording that was chosen. Raises ValueError, as fields want it."""
    recording = recordings.get(int(pk))
    if recording is None:
        raise ValueError(pk)
    return recording


class StretchForm(forms.Form):
    """Where a speaker is heard: a recording, or a part of it."""

    file = forms.TypedChoiceField(label=_("File"), required=False, empty_value=None)
    start = forms.CharField(
        label=pgettext_lazy("a time", "From"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "0:00:00"}),
    )
    end = forms.CharField(
        label=pgettext_lazy("a time", "To"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("the end")}),
    )

    def __init__(self, *args: Any, recordings: dict[int, Recording], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["file"]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = [
                ("", _("Choose a file")),
                *((pk, recording.name) for pk, recording in recordings.items()),
            ]
            field.coerce = partial(chosen, recordings)


MOST_STRETCHES = 199
StretchFormSet = forms.formset_factory(StretchForm, extra=1, max_num=MOST_STRETCHES + 1)


class ConsentImportForm(forms.Form):
    """Many consents at once, from the table."""

    csv = forms.FileField(
        label=_("The filled-in table"),
        help_text=_("UTF-8, commas or semicolons, up to 20,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    notice_text = forms.CharField(
        label=_("What the speakers were told before they agreed"),
        required=False,
        max_length=MAX_NOTICE,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        help_text=_("For rows that have no text of their own in the column notice_text."),
    )
    evidence = FilesField(
        label=_("The signed forms that the table names"),
        required=False,
        help_text=_("Choose all of them at once."),
    )


class PurposesForm(forms.Form):
    """Which purposes are taken back, of those that are allowed still."""

    purposes = forms.MultipleChoiceField(
        label=_("From now on their voice may not be used …"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick what they take back."),
            "invalid_choice": _("Some of it is taken back already. Choose among what is left."),
        },
        help_text=_("What is not ticked stays allowed."),
    )

    def __init__(self, *args: Any, allowed: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["purposes"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = allowed


class VoidForm(forms.Form):
    """Why a record should never have been entered."""

    reason = forms.CharField(
        label=_("What was the mistake?"),
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={"required": _("Say what the mistake was.")},
        help_text=_(
            "For example: entered twice, or for somebody else of the same name. It stays in the "
            "history of this dataset, for your organization."
        ),
    )
