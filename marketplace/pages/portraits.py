"""What a sealed release says of its making and its quality, in a page's words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ingestion.models import Version
from marketplace.templatetags import wording

STEP_NAMES = {
    "decode": gettext_lazy("Decode the recording"),
    "vad": gettext_lazy("Find speech in it"),
    "text": gettext_lazy("Text with word times"),
    "detect": gettext_lazy("Look for personal data"),
    "redact": gettext_lazy("Redact text and sound"),
    "strip": gettext_lazy("Strip tags, pictures, chapters"),
    "quality": gettext_lazy("Measure"),
}


def figures_of(version: Version) -> list[tuple[str, str, str]]:
    """Return the quality figures that are known: name, value with its unit, what it means."""
    quality: dict[str, Any] = version.quality
    found: list[tuple[str, str, str]] = []
    if quality.get("clips_ms"):
        found.append((_("Length of the clips"), wording.duration(quality["clips_ms"]), ""))
    if quality.get("words"):
        timed = quality.get("words_timed", 0) * 100 // quality["words"]
        meaning = _("%(share)s with times of their own") % {"share": wording.percent(timed * 100)}
        found.append((_("Words"), wording.number(quality["words"]), meaning))
    if quality.get("snr_db") is not None:
        meaning = _("mean of the recordings")
        found.append((_("Signal to noise"), f"{quality['snr_db']} dB", meaning))
    if quality.get("rms_dbfs") is not None:
        level = str(quality["rms_dbfs"]).replace("-", "\N{MINUS SIGN}")
        found.append((_("Loudness"), f"{level} dBFS", _("RMS, mean of the recordings")))
    if quality.get("heard_ms") or quality.get("unheard_ms"):
        found.append(heard(quality))
    if quality.get("clips_ms"):
        removed = quality.get("redacted_ms", 0)
        share = removed * 1000 // quality["clips_ms"]
        told = _("%(share)s of the clips, %(redactions)s")
        words = {
            "share": wording.percent(share * 10, tenths=True),
            "redactions": redactions(quality),
        }
        found.append((_("Redacted"), wording.duration(removed), told % words))
    return found


def heard(quality: dict[str, Any]) -> tuple[str, str, str]:
    """Say how much of the clips a person played in the review, and how much nobody did."""
    missing = quality["unheard_ms"]
    meaning = _("all of it")
    if missing:
        meaning = _("%(length)s not heard") % {"length": wording.duration(missing)}
    return _("Heard by a person"), wording.duration(quality["heard_ms"]), meaning


def redactions(quality: dict[str, Any]) -> str:
    """Say how many redactions of which kinds there are, and how much speech without text."""
    kinds = dict(quality.get("redactions_by_kind") or {})
    if quality.get("unwritten"):
        kinds["unwritten"] = quality["unwritten"]
    if not kinds and quality.get("redacted_ms"):
        return _("beside what was left out")
    if not kinds:
        return _("nothing personal was found of what was looked for")
    return ", ".join(
        wording.redacted(kind, count)
        for kind, count in sorted(kinds.items(), key=lambda item: -item[1])
    )


def activities_of(release: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps that made the release, as the manifest has them."""
    return [
        {
            "name": str(STEP_NAMES.get(activity["type"], activity["type"].capitalize())),
            "tool": activity["tool"]["name"],
            "version": activity["tool"]["version"],
            "model": activity.get("model", {}).get("digest", {}).get("sha256", ""),
            "files": activity.get("counts", {}).get("files"),
            "ended": activity.get("ended"),
        }
        for activity in release["processing"]
    ]
