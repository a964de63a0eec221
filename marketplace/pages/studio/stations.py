"""How far a version has come: its thread, read in bulk and told in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion import consent, review
from ingestion.models import File, Recording, Segment, StepRun, Version
from ingestion.review import voices
from ingestion.review.voices import Piece
from marketplace.http.telling import tell_record
from marketplace.pages.studio import consents, figures
from marketplace.pages.studio.access import Work
from marketplace.pages.studio.figures import Figures
from marketplace.templatetags import wording

Station = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the thread and the next step of a version are told from."""

    figures: Figures
    strips: list[consents.Strip]
    """Where consent lies over what goes through the pipeline; empty once it is sealed."""
    pieces: list[Piece] | None
    """What would be published as it stands, without texts; None unless it is being reviewed."""
    unsettled: list[Segment]
    """Speech without text and text without a place that a person has to settle in a review."""
    left: review.Progress | None
    """What is left to do in a review that is open."""

    @property
    def uncovered(self) -> list[consents.Strip]:
        """Recordings and texts that nobody's consent touches."""
        return [one for one in self.strips if not one.speakers]

    @property
    def unprocessed(self) -> int:
        """Recordings and texts that have to go through the pipeline, or through it anew."""
        return self.figures.to_process - self.figures.processed


def read(work: Work) -> Facts:
    """Read what a page about a version tells at its head."""
    found = Version.objects.filter(pk=work.version.pk).select_related("review_finished_by")
    return read_all(list(figures.read_along(found)))[work.version.pk]


def read_all(versions: Sequence[Version]) -> dict[int, Facts]:
    """Read the same of any number of versions, of different datasets, by their primary keys.

    They were read along with their figures. At most four queries more.
    """
    counted = {version.pk: figures.of(version) for version in versions}
    recordings = recordings_of([version for version in versions if version.is_open])
    everything = [one for found in recordings.values() for one in found]
    scopes = consent.in_force(recordings=[one.pk for one in everything]) if everything else {}
    reviewed = [one for one in versions if is_in_review(one, counted[one.pk])]
    pieces, unsettled = stage_of(reviewed, recordings, scopes, counted)
    return {
        version.pk: Facts(
            figures=counted[version.pk],
            strips=[
                consents.strip(one, scopes=scopes.get(one.pk, ()))
                for one in recordings.get(version.pk, ())
            ],
            pieces=pieces.get(version.pk),
            unsettled=unsettled.get(version.pk, []),
            left=review.progress_of(pieces[version.pk], unsettled[version.pk])
            if version.pk in pieces
            else None,
        )
        for version in versions
    }


def is_in_review(version: Version, found: Figures) -> bool:
    """Whether a person can hear and decide: in review, or in a draft with nothing to process."""
    if version.state == Version.State.DRAFT:
        return 0 < found.to_process == found.processed
    return version.state == Version.State.REVIEW and version.is_in_hand


def recordings_of(versions: Sequence[Version]) -> dict[int, list[Recording]]:
    """Return what goes through the pipeline in each version, in order."""
    found: dict[int, list[Recording]] = {}
    if not versions:
        return found
    places = File.objects.to_process().filter(version__in=[one.pk for one in versions])
    for place in places.in_order().select_related("recording__dataset"):
        found.setdefault(place.version_id, []).append(place.recording)
    return found


def stage_of(
    versions: Sequence[Version],
    recordings: dict[int, list[Recording]],
    scopes: consents.Scopes,
    counted: dict[int, Figures],
) -> tuple[dict[int, list[Piece]], dict[int, list[Segment]]]:
    """Return what each version in review would publish, and what is to be settled in each.

    A dataset has one open version, so a recording stands in one of them at most, and whoever is
    left out of one is heard in no other.
    """
    if not versions:
        return {}, {}
    scenes = voices.read(
        recordings=[one for version in versions for one in recordings.get(version.pk, ())],
        left_out=frozenset().union(*(counted[version.pk].left_out for version in versions)),
        scopes=scopes,
        with_texts=False,
    )
    mine = {scene.recording.pk: scene for scene in scenes}
    stages = {
        version.pk: [mine[one.pk] for one in recordings.get(version.pk, ())] for version in versions
    }
    return (
        {pk: [one for scene in stage for one in scene.published()] for pk, stage in stages.items()},
        {pk: [one for scene in stage for one in scene.unsettled()] for pk, stage in stages.items()},
    )


def stations(work: Work, facts: Facts) -> dict[str, Station]:
    """Return the thread of a version, as the component draws it."""
    return {
        "source": source(work, facts),
        "consent": consented(work, facts),
        "text": processed(work, facts, {"decode", "vad", "text"}),
        "scrub": processed(work, facts, {"detect", "redact", "strip", "quality"}),
        "review": reviewed(work, facts),
        "seal": sealed(work),
        "license": licensed(work, facts),
        "download": downloaded(facts),
    }


def source(work: Work, facts: Facts) -> Station:
    """Tell what has arrived."""
    found, href = facts.figures, work.url("files")
    if not found.files:
        return {"state": "active", "label": _("No files yet"), "href": href}
    label = ngettext("%(count)s file", "%(count)s files", found.files) % {
        "count": wording.number(found.files)
    }
    if found.duration_ms:
        label = f"{label}, {wording.duration(found.duration_ms)}"
    if found.uploads:
        label = _("%(files)s; %(uploads)s on the way") % {
            "files": label,
            "uploads": wording.number(found.uploads),
        }
    return {"state": "active" if found.uploads else "done", "label": label, "href": href}


def consented(work: Work, facts: Facts) -> Station:
    """Tell whose consent there is, and where it lacks."""
    href = work.url("consent")
    if work.version.sealed_at:
        ended = facts.figures.ended_consents
        if ended:
            label = ngettext("%(count)s ended since", "%(count)s ended since", ended)
            return {
                "state": "refused",
                "label": label % {"count": wording.number(ended)},
                "href": href,
            }
        return {"state": "done", "label": _("Covers everything"), "href": href}
    if not facts.strips:
        return {"state": "waiting", "href": href}
    if all(one.is_complete for one in facts.strips):
        return {"state": "done", "label": _("Covers everything"), "href": href}
    label = _("Covers parts")
    if facts.uncovered:
        touched = len(facts.strips) - len(facts.uncovered)
        label = of_files(touched, len(facts.strips))
    return {"state": "active", "label": label, "href": href}


def of_files(count: int, total: int) -> str:
    """Say how many of the files."""
    sentence = ngettext("%(count)s of %(total)s file", "%(count)s of %(total)s files", total)
    return sentence % {"count": wording.number(count), "total": wording.number(total)}


def processed(work: Work, facts: Facts, names: Iterable[str]) -> Station:
    """Tell how far the steps of one station are, over all files."""
    href = work.url("pipeline")
    mine = [one for one in facts.figures.steps if one.name in names]
    counts = dict.fromkeys(StepRun.State, 0)
    for one in mine:
        counts[StepRun.State(one.state)] += one.count
    total = sum(counts.values())
    if not total or counts[StepRun.State.PENDING] == total:
        return {"state": "waiting", "href": href}
    if counts[StepRun.State.FAILED]:
        return {"state": "refused", "label": _("Stopped"), "href": href}
    if counts[StepRun.State.DONE] == total:
        if facts.unprocessed and work.version.is_open:
            label = of_files(facts.figures.processed, facts.figures.to_process)
            return {"state": "waiting", "label": label, "href": href}
        return {
            "state": "done",
            "at": max(one.ended_at for one in mine if one.ended_at),
            "href": href,
        }
    label = ngettext("%(count)s of %(total)s step", "%(count)s of %(total)s steps", total)
    done = {"count": counts[StepRun.State.DONE], "total": total}
    return {"state": "active", "label": label % done, "href": href}


def reviewed(work: Work, facts: Facts) -> Station:
    """Tell what a person has still to hear."""
    version, href = work.version, work.url("review")
    if version.review_finished_at:
        detail = _("Finished by %(person)s") % {"person": version.review_finished_by}
        return {"state": "done", "at": version.review_finished_at, "detail": detail, "href": href}
    if facts.left is None:
        return {"state": "waiting", "href": href}
    return {"state": "active", "label": to_do(facts.left), "href": href}


def to_do(left: review.Progress) -> str:
    """Say what is left of a review in two or three words."""
    count = count_left(left)
    return (
        _("%(count)s to hear") % {"count": wording.number(count)} if count else _("Ready to finish")
    )


def count_left(left: review.Progress) -> int:
    """Count what is left of a review."""
    return sum(vars(left).values())


def sealed(work: Work) -> Station:
    """Tell whether the version is signed and in the log."""
    version, href = work.version, work.url("seal")
    if version.withdrawn_at:
        return {"state": "refused", "label": _("Withdrawn"), "at": version.withdrawn_at}
    if version.sealed_at:
        return {
            "state": "done",
            "label": _("Sealed"),
            "digest": version.merkle_root,
            "at": version.sealed_at,
            "href": href,
        }
    if version.seal_error:
        return {"state": "refused", "detail": tell_record(version.seal_error), "href": href}
    if version.review_finished_at:
        return {"state": "active", "href": href}
    return {"state": "waiting", "href": href}


def licensed(work: Work, facts: Facts) -> Station:
    """Tell how many licenses are offered."""
    version, offers = work.version, facts.figures.offers
    if not version.sealed_at:
        return {"state": "waiting"}
    href = work.url("offers")
    if offers:
        label = ngettext("%(count)s offer", "%(count)s offers", offers) % {
            "count": wording.number(offers)
        }
        return {"state": "done", "label": label, "href": href}
    if version.withdrawn_at or version.consent_state != Version.Consent.GIVEN:
        return {"state": "refused", "label": _("Closed"), "href": href}
    return {"state": "active", "label": _("Not offered yet"), "href": href}


def downloaded(facts: Facts) -> Station:
    """Tell how often licensees took the release."""
    count = facts.figures.downloads
    if not count:
        return {"state": "waiting", "label": _("Not yet")}
    label = ngettext("Taken once", "Taken %(count)s times", count) % {
        "count": wording.number(count)
    }
    return {"state": "done", "label": label}
