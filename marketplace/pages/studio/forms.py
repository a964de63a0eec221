"""Forms of the studio: they read and hold what was typed; services decide whether it can stand."""

from functools import partial
from typing import Any

from commonhold.errors import CommonholdError
from commonhold.purposes import DENIED_BY_DEFAULT, PURPOSES
from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

from ingestion.archive import languages
from ingestion.archive.languages import UnknownLanguage
from ingestion.models import Recording, Task
from marketplace.http.telling import tell
from marketplace.pages.studio import choices


def of_them(phrase: str) -> str:
    """Say to a contributor what `phrase` says to a speaker: "your voice" is theirs."""
    return phrase.replace("your", "their").replace("you", "them")


ORDINARY = [(one.slug, str(one.phrase)) for one in PURPOSES if one.slug not in DENIED_BY_DEFAULT]
SENSITIVE = [(one.slug, of_them(one.phrase)) for one in PURPOSES if one.slug in DENIED_BY_DEFAULT]


def refuse(form: forms.Form, error: CommonholdError, names: dict[str, str] | None = None) -> None:
    """Show a service's refusal at the field it names, or at the head of the form."""
    named = str(error.details.get("field", ""))
    field = (names or {}).get(named, named)
    form.add_error(field if field in form.fields else None, tell(error))


class LanguageInput(forms.TextInput):
    """An input that proposes every language by its name, as others and as its speakers call it."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the input with its proposals."""
        proposals = f"{(attrs or {}).get('id', name)}_languages"
        plain = {"list": proposals, "autocapitalize": "none", "spellcheck": "false"}
        options = format_html_join("", '<option value="{}">{}</option>', choices.tags())
        field = super().render(name, value, (attrs or {}) | plain, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', field, proposals, options)


class LanguageField(forms.CharField):
    """A language, by its code or its name; its value is the standard form of the code."""

    widget = LanguageInput

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        try:
            return languages.tag_of(typed)
        except UnknownLanguage as error:
            raise ValidationError(tell(error)) from error


class DatasetForm(forms.Form):
    """A new dataset."""

    title = forms.CharField(
        max_length=160, help_text="What people read in the catalogue, in any language."
    )
    slug = forms.CharField(
        label="Short name",
        max_length=80,
        required=False,
        help_text="Stands in its address: lower-case letters, digits, hyphens. "
        "Left empty, it is made from the title.",
    )
    language = LanguageField(
        label="Language spoken",
        max_length=80,
        help_text="Type its name or its code, and choose: sw is Swahili, es-419 is Latin American "
        "Spanish.",
    )
    task = forms.ChoiceField(
        label="What a model can learn from it",
        choices=Task.choices,
        widget=forms.RadioSelect,
        initial=Task.SPEECH_RECOGNITION,
    )
    description = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Who speaks, when and where it was recorded, what it is about.",
    )

    def clean(self) -> dict[str, Any]:
        """Make the short name from the title when it was left empty."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("slug") and cleaned.get("title"):
            cleaned["slug"] = slugify(cleaned["title"])[:80].strip("-")
            if not cleaned["slug"]:
                sentence = _("The title has no Latin letters to make one from; type a short name.")
                self.add_error("slug", sentence)
        return cleaned


class SmallFileForm(forms.Form):
    """One file by an ordinary form, for a browser without scripts."""

    file = forms.FileField(label="Recording or transcript")


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
        label="Speaker's name",
        max_length=160,
        help_text="Stays here. Everywhere else the speaker has a number, such as p-0001.",
    )
    contact = forms.CharField(
        label="How to reach them",
        max_length=254,
        required=False,
        help_text="A mail address or a telephone number; stays here too.",
    )
    role = forms.CharField(
        label="Who they are in the recording",
        max_length=40,
        initial="speaker",
        help_text="For example presenter, guest, caller.",
    )
    is_minor = forms.BooleanField(
        label="They were not of age; a parent or guardian agreed", required=False
    )
    purposes = forms.MultipleChoiceField(
        label="Their voice may be used …",
        choices=ORDINARY,
        error_messages={
            "required": "Tick what they agreed to. A consent names at least one purpose."
        },
        widget=forms.CheckboxSelectMultiple,
        help_text="Tick what the form they signed names. What is not ticked is not allowed.",
    )
    sensitive = forms.MultipleChoiceField(
        label="Only if they said so in these words",
        choices=SENSITIVE,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    excluded_purposes = forms.MultipleChoiceField(
        label="They said no to …",
        choices=ORDINARY + SENSITIVE,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only where the speaker refused it in so many words.",
    )
    given_on = forms.DateField(
        label="Agreed on",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    expires_on = forms.DateField(
        label="Holds until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The first day on which it no longer holds. "
        "Left empty, it holds until it is withdrawn.",
    )
    jurisdiction = forms.ChoiceField(
        label="Law it was given under",
        choices=lambda: [("", _("Choose a country")), *choices.countries()],
        help_text="Where the speaker agreed. The European Union has a law of its own.",
    )
    notice_text = forms.CharField(
        label="What they were told before they agreed",
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text="The whole text of the form, as it was read or shown to them.",
    )
    notice_language = LanguageField(
        label="Language of that text",
        max_length=80,
        help_text="Type its name or its code, and choose.",
    )
    notice_version = forms.CharField(label="Edition of that text", max_length=40, required=False)
    evidence = forms.FileField(
        label="The signed form, or a recording of the yes",
        required=False,
        help_text="Only contributors of your organization can open it.",
    )
    everywhere = forms.BooleanField(label="They are heard in every file", required=False)


def chosen(recordings: dict[int, Recording], pk: str) -> Recording:
    """Return the recording that was chosen. Raises ValueError, as fields want it."""
    recording = recordings.get(int(pk))
    if recording is None:
        raise ValueError(pk)
    return recording


class StretchForm(forms.Form):
    """Where a speaker is heard: a recording, or a part of it."""

    file = forms.TypedChoiceField(required=False, empty_value=None)
    start = forms.CharField(
        label="From", required=False, widget=forms.TextInput(attrs={"placeholder": "0:00:00"})
    )
    end = forms.CharField(
        label="To", required=False, widget=forms.TextInput(attrs={"placeholder": "the end"})
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


StretchFormSet = forms.formset_factory(StretchForm, extra=1, max_num=200)


class ConsentImportForm(forms.Form):
    """Many consents at once, from the table."""

    csv = forms.FileField(
        label="The filled-in table",
        help_text="UTF-8, commas or semicolons, up to 20,000 rows.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    notice_text = forms.CharField(
        label="What the speakers were told before they agreed",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        help_text="For rows that have no text of their own in the column notice_text.",
    )
    evidence = FilesField(
        label="The signed forms that the table names",
        required=False,
        help_text="Choose all of them at once.",
    )
