"""Forms of the studio: they read and hold what was typed; services decide whether it can stand."""

from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from ingestion.archive import languages
from ingestion.archive.languages import UnknownLanguage
from ingestion.models import Task
from ingestion.models.dataset import MAX_DESCRIPTION
from marketplace.http.telling import tell
from marketplace.pages.studio import choices


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
        label=_("Title"),
        max_length=160,
        help_text=_("What people read in the catalogue, in any language."),
    )
    slug = forms.CharField(
        label=_("Short name"),
        max_length=80,
        required=False,
        help_text=_(
            "Stands in its address: lower-case letters, digits, hyphens. Left empty, it is made "
            "from the title."
        ),
    )
    language = LanguageField(
        label=_("Language spoken"),
        max_length=80,
        help_text=_(
            "Type its name or its code, and choose: sw is Swahili, es-419 is Latin American "
            "Spanish."
        ),
    )
    task = forms.ChoiceField(
        label=_("What a model can learn from it"),
        choices=Task.choices,
        widget=forms.RadioSelect,
        initial=Task.SPEECH_RECOGNITION,
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Who speaks, when and where it was recorded, what it is about."),
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

    file = forms.FileField(label=_("Recording or transcript"))
