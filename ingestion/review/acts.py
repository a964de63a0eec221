"""What was done last in a review, and what of it can be taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    Func,
    JSONField,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.models import User
from ingestion.models import Decision, Segment, Speaker, Version

Act = Decision.Act
SPEAKERS = (Act.LEAVE_OUT_SPEAKER, Act.BRING_BACK_SPEAKER)
FINDINGS = (Act.DECIDE, Act.MARK)
MOST = 10


@dataclass(frozen=True)
class Deed:
    """An act of a reviewer, as it is told."""

    decision: Decision
    """Without the heavy JSON of what was before and after."""
    segments: tuple[int, ...]
    """Primary keys of the segments that it touched."""
    start_ms: int | None
    """Where the first of them begins; None for a text, and where it touched none."""
    words: str
    """For a finding: what was found."""
    state: str
    """For a finding: what was decided about it."""
    speaker: str
    """For a speaker who was left out or brought back: the pseudonym."""
    is_undone: bool
    can_be_undone: bool
    """Whether nothing that is known here stands in the way; `review.undo` asks anew."""


class SegmentKeys(Func):
    """The primary keys of the segments in the JSON of an act."""

    template = "jsonb_path_query_array(%(expressions)s, '$.segments[*].pk')"
    output_field = JSONField()


def newest(*, version: Version, most: int = MOST) -> list[Deed]:
    """Return the newest acts that changed something in a version, also those undone since."""
    return deeds(version, read(version)[:most])


def last(*, version: Version, by: User) -> Deed | None:
    """Return a person's newest act in a version that changed something and stands, or None.

    It may look as if it could be taken back although somebody else has built upon it.
    """
    mine = read(version).filter(by=by, undone__isnull=True)
    return next(iter(deeds(version, mine[:1])), None)


def undone(*, version: Version, pk: int) -> Deed | None:
    """Return an act that was taken back, or None."""
    found = read(version).filter(pk=pk, undone__isnull=False)
    return next(iter(deeds(version, found)), None)


def deeds(version: Version, acts: Iterable[Decision]) -> list[Deed]:
    """Return acts as they are told, the newest first."""
    found = list(acts)
    names = pseudonyms(found)
    built_upon: set[str] = set()
    told = []
    for one in found:
        things = touched(one)
        stands = not hasattr(one, "undone")
        free = version.is_open and stands and built_upon.isdisjoint(things)
        told.append(deed(one, names, can_be_undone=free))
        if stands:
            built_upon |= things
    return told


def read(version: Version) -> QuerySet[Decision]:
    """Return the acts, the newest first, with what is told of each and no more."""
    acts = version.decisions.exclude(act=Act.UNDO).exclude(before=F("after"))
    told = When(act__in=[*SPEAKERS, *FINDINGS], then=F("before"))
    telling = When(act__in=[*SPEAKERS, *FINDINGS], then=F("after"))
    first = Segment.objects.filter(pk=OuterRef("first_segment")).values("start_ms")
    return (
        acts.select_related("recording", "by", "undone")
        .defer("before", "after", "undone__before", "undone__after")
        .annotate(
            segment_keys=SegmentKeys("before"),
            was=Case(told, output_field=JSONField()),
            became=Case(telling, output_field=JSONField()),
            first_segment=Cast(KT("before__segments__0__pk"), BigIntegerField()),
        )
        .annotate(begins_ms=Subquery(first))
        .order_by("-pk")
    )


def touched(decision: Any) -> set[str]:
    """Return what an act has changed: another act upon it has to be taken back first."""
    if decision.act in SPEAKERS:
        return {"speakers"}
    if decision.act == Act.REMOVE:
        return {f"recording {decision.recording_id}"}
    return {f"segment {pk}" for pk in decision.segment_keys}


def deed(decision: Any, names: dict[int, str], *, can_be_undone: bool) -> Deed:
    """Return an act that was read by `read` as it is told."""
    words, state = finding(decision) if decision.act in FINDINGS else ("", "")
    return Deed(
        decision=decision,
        segments=tuple(decision.segment_keys),
        start_ms=decision.begins_ms,
        words=words,
        state=state,
        speaker=", ".join(names[pk] for pk in moved(decision)),
        is_undone=hasattr(decision, "undone"),
        can_be_undone=can_be_undone,
    )


def finding(decision: Any) -> tuple[str, str]:
    """Return what was found, and what an act has decided about it."""
    for was, became in zip(decision.was["segments"], decision.became["segments"], strict=True):
        for one in became["findings"]:
            if one not in was["findings"]:
                return became["text"][one["start_char"] : one["end_char"]], one["state"]
    return "", ""


def moved(decision: Any) -> Sequence[int]:
    """Return the primary keys of the speakers whom an act has left out or brought back."""
    if decision.act not in SPEAKERS:
        return ()
    return sorted(set(decision.was["left_out"]) ^ set(decision.became["left_out"]))


def pseudonyms(decisions: Sequence[Any]) -> dict[int, str]:
    """Return the pseudonyms of the speakers whom acts have left out or brought back."""
    keys = {pk for one in decisions for pk in moved(one)}
    if not keys:
        return {}
    return dict(Speaker.objects.filter(pk__in=keys).values_list("pk", "pseudonym"))
