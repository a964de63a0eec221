"""Why a document breaks its JSON Schema, in words of ours: a library's are for programmers."""

from collections.abc import Mapping
from typing import cast

from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]

from commonhold.sentences import Sentence, _, filled

KINDS = {
    "object": _("is not an object"),
    "array": _("is not a list"),
    "string": _("is not text"),
    "integer": _("is not a whole number"),
    "boolean": _("is neither true nor false"),
    "null": _("is not null"),
}
FAULTS = {
    "pattern": _("is not written as it must be"),
    "const": _("is not “%(expected)s”"),
    "minLength": _("is empty"),
    "maxLength": _("is longer than %(expected)s characters"),
    "minItems": _("has fewer than %(expected)s entries"),
    "minimum": _("is less than %(expected)s"),
    "maximum": _("is more than %(expected)s"),
    "dependentRequired": _("has one of license and grant without the other"),
}
MAX_SHOWN = 100


def fault_of(error: ValidationError) -> Sentence:
    """Return what is wrong with the part of a document that a validator found a fault in."""
    keyword, expected, part = str(error.validator), error.validator_value, error.instance
    if keyword == "type":
        return KINDS.get(str(expected), _("is of another kind than it must be"))
    if keyword == "required":
        lacking = next(name for name in cast("list[str]", expected) if name not in part)
        return filled(_("lacks “%(name)s”"), name=lacking)
    if keyword == "additionalProperties":
        known = cast("Mapping[str, object]", error.schema).get("properties", {})
        extra = min(set(part) - set(cast("Mapping[str, object]", known)))
        return filled(_("has “%(name)s”, which does not belong there"), name=extra[:MAX_SHOWN])
    return filled(FAULTS.get(keyword, _("is not what it must be")), expected=expected)
