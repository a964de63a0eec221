"""What was done to a dataset, each act in a sentence: from the record that every act writes."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import SITE
from accounts.models import AuditEntry
from ingestion.models import Dataset
from marketplace.showcase import history
from marketplace.templatetags import wording

SENTENCES = {
    "dataset.created": gettext_lazy("%(actor)s began the dataset."),
    "dataset.edited": gettext_lazy("%(actor)s changed %(fields)s."),
    "version.opened": gettext_lazy("%(actor)s began version %(number)s."),
    "version.discarded": gettext_lazy("%(actor)s discarded version %(number)s."),
    "version.sealed": gettext_lazy("Version %(number)s was sealed, as %(reviewed_by)s left it."),
    "version.withdrawn": gettext_lazy("%(actor)s withdrew version %(number)s: %(reason)s"),
    "recording.added": gettext_lazy("%(actor)s added «%(recording)s» to version %(number)s."),
    "upload.canceled": gettext_lazy("%(actor)s gave up an upload to version %(number)s."),
    "recording.removed": gettext_lazy("%(actor)s removed «%(recording)s» from version %(number)s."),
    "recording.language": gettext_lazy(
        "%(actor)s said that «%(recording)s» is in %(after)s, not %(before)s."
    ),
    "recording.erased": gettext_lazy("%(actor)s erased «%(recording)s» for good."),
    "pipeline.started": gettext_lazy("%(actor)s had version %(number)s processed."),
    "run.retried": gettext_lazy("%(actor)s had «%(recording)s» tried again."),
    "review.decide": gettext_lazy("%(actor)s decided about a finding in «%(recording)s»."),
    "review.mark": gettext_lazy("%(actor)s marked words to redact in «%(recording)s»."),
    "review.correct": gettext_lazy("%(actor)s corrected words in «%(recording)s»."),
    "review.read": gettext_lazy("%(actor)s read a stretch of «%(recording)s»."),
    "review.leave-out": gettext_lazy("%(actor)s left a stretch of «%(recording)s» out."),
    "review.bring-back": gettext_lazy("%(actor)s brought a stretch of «%(recording)s» back."),
    "review.leave-out-uncovered": gettext_lazy(
        "%(actor)s left out of version %(number)s what no consent covers."
    ),
    "review.leave-out-unwritten": gettext_lazy(
        "%(actor)s left speech without text out of version %(number)s."
    ),
    "review.write": gettext_lazy("%(actor)s wrote down what is said in «%(recording)s»."),
    "review.keep-unwritten": gettext_lazy(
        "%(actor)s said that nothing more is said in a stretch of «%(recording)s»."
    ),
    "review.place": gettext_lazy("%(actor)s said when a line is said in «%(recording)s»."),
    "review.leave-out-speaker": gettext_lazy(
        "%(actor)s left %(speaker)s out of version %(number)s."
    ),
    "review.bring-back-speaker": gettext_lazy(
        "%(actor)s brought %(speaker)s back into version %(number)s."
    ),
    "review.undone": gettext_lazy("%(actor)s took an act in version %(number)s back."),
    "review.finished": gettext_lazy("%(actor)s finished the review of version %(number)s."),
    "speaker.added": gettext_lazy("%(actor)s added the speaker %(speaker)s."),
    "speaker.withdrawn": gettext_lazy("%(actor)s recorded that %(speaker)s withdrew everything."),
    "consent.recorded": gettext_lazy("%(actor)s recorded a consent of %(speaker)s: %(purposes)s."),
    "consent.imported": gettext_lazy("%(actor)s brought in consents from a table."),
    "consent.withdrawn": gettext_lazy("%(actor)s recorded that %(speaker)s withdrew consent."),
    "consent.narrowed": gettext_lazy(
        "%(actor)s recorded what %(speaker)s took back: %(purposes)s."
    ),
    "consent.voided": gettext_lazy(
        "%(actor)s struck out a consent of %(speaker)s as a mistake: %(reason)s"
    ),
    "consent.erased": gettext_lazy("%(actor)s erased a consent of %(speaker)s."),
    "consent.expired": gettext_lazy("A consent of %(speaker)s ran out on %(day)s."),
    "offer.opened": gettext_lazy("%(actor)s offered version %(number)s: %(license)s."),
    "offer.closed": gettext_lazy("%(actor)s closed the offer of version %(number)s: %(license)s."),
    "grant.issued": gettext_lazy("%(actor)s licensed version %(number)s: %(license)s."),
    "grant.revoked": gettext_lazy(
        "%(actor)s revoked the license of %(licensee)s for version %(number)s: %(reason)s"
    ),
}
WITHOUT = gettext_lazy("%(actor)s began version %(number)s without %(people)s.")
FIELDS = {
    "title": gettext_lazy("the title"),
    "description": gettext_lazy("the description"),
    "card": gettext_lazy("the card"),
    "language": gettext_lazy("the language"),
    "task": gettext_lazy("the task"),
}


def told(dataset: Dataset, entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    """Return entries as the history shows them, their recordings named as they are now."""
    entries = list(entries)
    keys = {one.copies["recording"] for one in entries if "recording" in one.copies}
    found = dataset.recordings.filter(pk__in=keys, erased_at__isnull=True)
    names: dict[int, str] = dict(found.values_list("pk", "name")) if keys else {}
    return [{"at": one.at, "sentence": sentence(one, names)} for one in entries]


def sentence(entry: AuditEntry, names: Mapping[int, str]) -> str:
    """Say what was done; a verb that is not known here is told as it stands."""
    known = SENTENCES.get(entry.verb)
    if entry.verb == "version.opened" and entry.copies.get("without"):
        known = WITHOUT
    if known is None:
        return f"{actor(entry)}: {entry.verb}"
    return known % parameters(entry, names)


def parameters(entry: AuditEntry, names: Mapping[int, str]) -> dict[str, str]:
    """Return what the sentences take."""
    copies = entry.copies
    language = entry.verb == "recording.language"
    return {
        "actor": actor(entry),
        "number": str(copies.get("version", "")).rpartition("@")[2],
        "recording": names.get(copies.get("recording", 0)) or _("a recording that is gone"),
        "people": ", ".join(copies.get("without", ())),
        "fields": ", ".join(str(FIELDS[one]) for one in copies.get("after", ()) if one in FIELDS),
        "license": _(copies["license"]) if "license" in copies else "",
        "purposes": wording.purposes(copies.get("purposes", ())),
        "day": wording.day(date.fromisoformat(copies["day"])) if "day" in copies else "",
        "before": wording.language(copies["before"]) if language else "",
        "after": wording.language(copies["after"]) if language else "",
        **{
            name: str(copies.get(name, ""))
            for name in ("speaker", "reason", "licensee", "reviewed_by")
        },
    }


def actor(entry: AuditEntry) -> str:
    """Say who acted."""
    found = history.actor_of(entry)
    return _("The site") if found == SITE.name else found
