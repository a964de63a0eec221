"""Fields of forms that several areas share."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts import names
from marketplace.http.telling import tell


class NameField(forms.CharField):
    """A name that is shown beside other people's; its value is the name as it is kept."""

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        try:
            return names.check_name(typed)
        except names.InvalidName as error:
            raise ValidationError(tell(error)) from error
