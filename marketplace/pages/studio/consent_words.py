"""How consents stand, in words: one record, a speaker with all of theirs, where they are heard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commonhold.purposes import PURPOSES
from django.db.models import Count, Exists, Min, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from ingestion.models import ConsentRecord, ConsentScope, Recording, Speaker
from marketplace.pages.studio import consents
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

TIMES = 12
"""Stretches of one recording that are told by their times; the rest are counted."""


def with_standing(records: QuerySet[ConsentRecord]) -> QuerySet[ConsentRecord]:
    """Return records with `holds`, whether they are in force now."""
    return records.annotate(
        holds=Exists(ConsentRecord.objects.in_force().filter(pk=OuterRef("pk")))
    )


def find_record(work: Work, pk: UUID) -> ConsentRecord:
    """Return a consent of the dataset, or raise Http404."""
    records = ConsentRecord.objects.select_related("speaker", "evidence", "dataset__organization")
    return get_object_or_404(with_standing(records), dataset=work.dataset, pk=pk)


def find_speaker(work: Work, pk: int) -> Speaker:
    """Return a speaker of the dataset, or raise Http404."""
    return get_object_or_404(work.dataset.speakers.select_related("dataset"), pk=pk)


def records_of(speaker: Speaker) -> list[ConsentRecord]:
    """Return every consent of a speaker, the newest first, with `files` and `first_file`."""
    records = speaker.consent_records.annotate(
        files=Count("scopes__recording", distinct=True),
        first_file=Min("scopes__recording__name"),
    )
    return list(with_standing(records.order_by("-given_on", "-created_at", "pk")))


def holds(record: ConsentRecord) -> bool:
    """Whether a consent that was read `with_standing` is in force."""
    return bool(record.holds)  # type: ignore[attr-defined]  # an annotation's name


def is_ended(record: ConsentRecord) -> bool:
    """Whether a consent was withdrawn or struck out, so that there is nothing left to end."""
    return bool(record.withdrawn_at or record.voided_at)


def state(record: ConsentRecord) -> dict[str, str]:
    """Say whether a consent that was read `with_standing` holds: the knot and the word."""
    if record.voided_at:
        word = _("Struck out %(day)s") % {"day": wording.day(record.voided_at)}
        return {"knot": "refused", "word": word}
    if record.withdrawn_at:
        word = _("Withdrawn %(day)s") % {"day": wording.day(record.withdrawn_at)}
        return {"knot": "refused", "word": word}
    if not holds(record):
        day = wording.day(record.expires_on or record.given_on)
        return {"knot": "refused", "word": _("Ended %(day)s") % {"day": day}}
    return {"knot": "done", "word": _("Holds")}


def counted(records: Sequence[ConsentRecord]) -> list[ConsentRecord]:
    """Return what is told of a speaker: what was struck out only where there is nothing else."""
    return [one for one in records if not one.voided_at] or list(records)


def state_of_all(records: Sequence[ConsentRecord]) -> dict[str, str]:
    """Say whether the consents of one speaker hold."""
    telling = counted(records)
    holding = [one for one in telling if holds(one)]
    if not telling:
        return {"knot": "waiting", "word": _("None recorded")}
    if len(holding) in {0, len(telling)}:
        return state(telling[0])
    told = {"count": len(holding), "total": len(telling)}
    return {"knot": "active", "word": _("%(count)s of %(total)s hold") % told}


@dataclass(frozen=True)
class Allowed:
    """What a speaker allows, over several consents."""

    everywhere: list[str]
    """Purposes that every consent which counts allows."""
    in_part: list[str]
    """Those that only some of them allow."""
    refused: list[str]
    taken_back: list[str]

    @classmethod
    def by(cls, records: Sequence[ConsentRecord]) -> "Allowed":
        """Return what the consents in force allow; where none is left, what the ended ones did."""
        telling = [one for one in records if holds(one)] or counted(records)
        standing = [set(one.standing_purposes) for one in telling]
        anywhere = set().union(*standing)
        everywhere = anywhere.intersection(*standing)
        refused = {slug for one in telling for slug in one.excluded_purposes}
        taken_back = {slug for one in telling for slug in one.withdrawn_purposes}
        return cls(
            everywhere=in_order(everywhere),
            in_part=in_order(anywhere - everywhere),
            refused=in_order(refused - anywhere),
            taken_back=in_order(taken_back - anywhere),
        )


def in_order(slugs: Iterable[str]) -> list[str]:
    """Return purposes in the order in which they are always told."""
    wanted = set(slugs)
    return [one.slug for one in PURPOSES if one.slug in wanted]


def heard_in(records: Iterable[ConsentRecord]) -> QuerySet[Recording]:
    """Return the recordings and texts that consents are about, in order."""
    scopes = ConsentScope.objects.filter(record__in=[one.pk for one in records])
    return Recording.objects.filter(pk__in=scopes.values("recording")).in_order()


def places(
    recordings: Sequence[Recording], *, records: Iterable[ConsentRecord]
) -> list[dict[str, Any]]:
    """Return where consents lie in recordings: what is drawn, and the times in words."""
    known = {one.pk: one for one in records}
    found: dict[int, list[ConsentScope]] = {}
    scopes = ConsentScope.objects.filter(recording__in=recordings, record__in=known)
    for scope in scopes.order_by("recording_id", "start_ms", "pk"):
        scope.record = known[scope.record_id]
        found.setdefault(scope.recording_id, []).append(scope)
    return [place(one, found.get(one.pk, [])) for one in recordings]


def place(recording: Recording, scopes: Sequence[ConsentScope]) -> dict[str, Any]:
    """Return where consents lie in one recording."""
    holding = [one for one in scopes if holds(one.record)]
    ended = [one for one in scopes if not holds(one.record)]
    return {
        "strip": consents.strip(recording, scopes=holding, ended=ended),
        "told": ", ".join(told(scope) for scope in scopes[:TIMES]),
        "more": max(0, len(scopes) - TIMES),
    }


def told(scope: ConsentScope) -> str:
    """Say a stretch: from when to when, or the whole."""
    if scope.start_ms is None or scope.end_ms is None:
        return _("the whole of it")
    start, end = (wording.timecode(at, fraction=True) for at in (scope.start_ms, scope.end_ms))
    return f"{start}\N{EN DASH}{end}"
