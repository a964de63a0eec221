"""Writing down what each act changed, and undoing it: one that nobody has built upon since."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.models import User
from ingestion.archive import recordings, versions
from ingestion.models import Decision, Finding, LeftOut, Recording, Segment, Version

Act = Decision.Act
Snapshot = dict[str, Any]
FINDING = ("kind", "start_char", "end_char", "start_ms", "end_ms", "detector", "confidence")


class UndoRefused(CommonholdError):
    """The act can't be undone by itself any more."""

    code = "undo-refused"
    status = 409


@contextmanager
def noted(
    *,
    version: Version,
    act: Decision.Act,
    segments: Sequence[Segment],
    by: User,
    whole: bool = True,
) -> Iterator[None]:
    """Write down what the block does to segments, for undoing. The caller holds the version.

    `whole` keeps texts and findings along; without it only whether they were read or left out.
    """
    keys = [segment.pk for segment in segments]
    before = snapshot(keys, whole=whole)
    yield
    after = snapshot(keys, whole=whole)
    recording = segments[0].recording if len({one.recording_id for one in segments}) == 1 else None
    write(
        version=version,
        act=act,
        before={"segments": before},
        after={"segments": after},
        by=by,
        recording=recording,
        segments=[segment.position + 1 for segment in segments[:20]],
    )


def write(
    *,
    version: Version,
    act: Decision.Act,
    before: Snapshot,
    after: Snapshot,
    by: User,
    recording: Recording | None = None,
    **copies: object,
) -> Decision:
    """Write an act down, for undoing and for the history."""
    decision = Decision.objects.create(
        version=version, recording=recording, act=act, before=before, after=after, by=by
    )
    about = (recording, version, version.dataset) if recording else (version, version.dataset)
    if recording is not None:
        copies["recording"] = recording.pk
    audit.note(by=by, verb=f"review.{act}", about=about, version=str(version), **copies)
    return decision


def snapshot(keys: Iterable[int], *, whole: bool) -> list[Snapshot]:
    """Return how segments are now."""
    found = Segment.objects.filter(pk__in=list(keys)).order_by("pk")
    return [state_of(segment, whole=whole) for segment in found.prefetch_related("findings")]


def state_of(segment: Segment, *, whole: bool) -> Snapshot:
    """Return how a segment is, as JSON."""
    state: Snapshot = {
        "pk": segment.pk,
        "excluded": segment.excluded,
        "unwritten": segment.unwritten,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "reviewed_at": moment(segment.reviewed_at),
        "reviewed_by": segment.reviewed_by_id,
    }
    if whole:
        state |= {"text": segment.text, "words": segment.words}
        found = sorted(segment.findings.all(), key=lambda one: (one.start_char, one.kind))
        state["findings"] = [finding_state(one) for one in found]
    return state


def finding_state(finding: Finding) -> Snapshot:
    """Return how a finding is, as JSON."""
    return {name: getattr(finding, name) for name in FINDING} | {
        "state": finding.state,
        "decided_at": moment(finding.decided_at),
        "decided_by": finding.decided_by_id,
    }


def moment(at: datetime | None) -> str | None:
    """Write a moment for JSON."""
    return at.isoformat() if at else None


@transaction.atomic
def undo(*, decision: Decision, by: User) -> Decision:
    """Take an act back: everything it changed is as it was before.

    Raises VersionClosed, UndoRefused if it was undone before or built upon since, PathTaken.
    """
    version = versions.lock_open(decision.version_id)
    if decision.act == Act.UNDO or hasattr(decision, "undone"):
        raise UndoRefused(_("This was undone already."))
    if version.state == Version.State.PROCESSING:
        raise UndoRefused(_("Wait until everything is processed, then undo it."))
    if decision.act == Act.REMOVE:
        require_processed(version=version, places=decision.before["places"])
        recordings.put_back(version=version, before=decision.before, by=by)
    elif "left_out" in decision.before:
        put_speakers(version=version, decision=decision)
    else:
        put_segments(decision)
    done = Decision.objects.create(
        version=version,
        recording=decision.recording,
        act=Act.UNDO,
        before=decision.after,
        after=decision.before,
        undoes=decision,
        by=by,
    )
    about = (version, version.dataset)
    audit.note(by=by, verb="review.undone", about=about, version=str(version), act=decision.act)
    return done


def require_processed(*, version: Version, places: Sequence[Snapshot]) -> None:
    """Raise UndoRefused for what was never processed, when the version takes nothing new."""
    if version.state != Version.State.REVIEW:
        return
    wanted = Recording.objects.filter(pk__in=[one["recording"] for one in places])
    unprocessed = wanted.to_process().filter(intake__isnull=True).first()
    if unprocessed is not None:
        sentence = _(
            "«%(path)s» was not processed, and version %(number)s takes nothing new while it is "
            "in review. Upload it to the next version."
        )
        raise UndoRefused(sentence, path=unprocessed.name, number=version.number)


def put_speakers(*, version: Version, decision: Decision) -> None:
    """Leave those speakers out who were, and no others."""
    now = sorted(version.left_out.values_list("speaker_id", flat=True))
    if now != decision.after["left_out"]:
        raise UndoRefused(_("Who is left out was changed since. Bring the speaker back instead."))
    before = set(decision.before["left_out"])
    version.left_out.exclude(speaker__in=before).delete()
    LeftOut.objects.bulk_create(
        LeftOut(version=version, speaker_id=one, by=decision.by) for one in before - set(now)
    )


def put_segments(decision: Decision) -> None:
    """Make segments as they were, if they still are as the act left them."""
    keys = [one["pk"] for one in decision.after["segments"]]
    whole = any("text" in one for one in decision.after["segments"])
    list(Segment.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    if Segment.objects.current().filter(pk__in=keys).count() != len(keys):
        sentence = _("The recording was written down anew since, so there is nothing to undo.")
        raise UndoRefused(sentence)
    if not are_as(decision.after["segments"], snapshot(keys, whole=whole)):
        sentence = _("This was changed again since. Undo the later change first, or decide anew.")
        raise UndoRefused(sentence)
    for state in decision.before["segments"]:
        facts = {name: state[name] for name in state if name not in {"pk", "findings"}}
        facts["reviewed_by_id"] = facts.pop("reviewed_by")
        Segment.objects.filter(pk=state["pk"]).update(**facts)
        if "findings" in state:
            put_findings(state["pk"], state["findings"])


def are_as(then: Sequence[Snapshot], now: Sequence[Snapshot]) -> bool:
    """Whether segments are as they were, in all that was written down of them then."""
    return len(then) == len(now) and all(
        {name: after[name] for name in before} == before
        for before, after in zip(then, now, strict=True)
    )


def put_findings(segment: int, states: Iterable[Snapshot]) -> None:
    """Make the findings of a segment as they were; those that only changed stay the same rows."""
    kept = []
    for one in states:
        facts = {name: one[name] for name in (*FINDING, "state", "decided_at")}
        place = {name: facts.pop(name) for name in ("kind", "start_char", "end_char")}
        facts["decided_by_id"] = one["decided_by"]
        finding, _made = Finding.objects.update_or_create(
            segment_id=segment, **place, defaults=facts
        )
        kept.append(finding.pk)
    Finding.objects.filter(segment=segment).exclude(pk__in=kept).delete()


def last(*, version: Version, by: User) -> Decision | None:
    """Return a person's newest act in a version that changed something and stands, or None."""
    acts = version.decisions.filter(by=by, undone__isnull=True).exclude(act=Act.UNDO)
    return acts.exclude(before=F("after")).order_by("-pk").first()
