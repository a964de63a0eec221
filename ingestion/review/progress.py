"""What is left for a person to do before a version can be sealed."""

from collections.abc import Sequence
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import _, n_

from ingestion.consent import clock
from ingestion.models import Finding, Segment, Version
from ingestion.review.voices import Piece, scenes


class ReviewUnfinished(CommonholdError):
    """Something has not been heard, read or covered by consent yet."""

    code = "review-unfinished"
    status = 409


@dataclass(frozen=True)
class Progress:
    """What is left to do."""

    open_findings: int
    unreviewed_segments: int
    uncovered_segments: int
    unsettled_segments: int
    """Speech that the text leaves out, and text of which nobody knows when it is said."""

    @property
    def is_complete(self) -> bool:
        """Whether the review can be finished."""
        return not any(vars(self).values())


def published(*, version: Version) -> list[Piece]:
    """Return everything that the version would publish as it stands, without its texts."""
    stage = scenes(version=version, with_texts=False)
    return [piece for scene in stage for piece in scene.published()]


def uncovered(*, version: Version) -> list[Segment]:
    """Return the segments that would be published but lie outside every consent in force."""
    found = [piece.segment for piece in published(version=version) if not piece.is_covered]
    return list(dict.fromkeys(found))


def progress(*, version: Version) -> Progress:
    """Count what is left to do; what the version does not publish need not be looked at."""
    stage = scenes(version=version, with_texts=False)
    return progress_of(
        [piece for scene in stage for piece in scene.published()],
        [segment for scene in stage for segment in scene.unsettled()],
    )


def progress_of(pieces: Sequence[Piece], unsettled: Sequence[Segment]) -> Progress:
    """Count what is left to do about pieces, and what else is to be settled, read before."""
    segments = {piece.segment.pk: piece.segment for piece in pieces}
    unread = [one for one in segments.values() if one.needs_review and one.reviewed_at is None]
    return Progress(
        open_findings=sum(len(open_in(segment)) for segment in segments.values()),
        unreviewed_segments=len(unread),
        uncovered_segments=len({one.segment.pk for one in pieces if not one.is_covered}),
        unsettled_segments=len(unsettled),
    )


def open_in(segment: Segment) -> list[str]:
    """Return the states of what nobody decided in a segment that was read by `voices.read`."""
    states: list[str] = segment.finding_states  # type: ignore[attr-defined]  # an annotation's name
    return [state for state in states if state == Finding.State.OPEN]


def require_complete(*, version: Version) -> list[Piece]:
    """Return what the version publishes, or raise ReviewUnfinished for the first thing left."""
    stage = scenes(version=version, with_texts=False)
    pieces = [piece for scene in stage for piece in scene.published()]
    unsettled = [segment for scene in stage for segment in scene.unsettled()]
    left = progress_of(pieces, unsettled)
    if left.open_findings or left.unreviewed_segments or left.uncovered_segments:
        raise unfinished(pieces, left)
    if unsettled:
        raise unsettled_first(unsettled, left)
    if not pieces:
        sentence = _("Everything is left out, so there is nothing to publish.")
        raise ReviewUnfinished(sentence, **vars(left))
    return pieces


def unfinished(pieces: Sequence[Piece], left: Progress) -> ReviewUnfinished:
    """Make the refusal that names the first thing left to do, with its recording and place."""
    if left.open_findings:
        return open_finding(pieces, left)
    for piece in pieces:
        segment = piece.segment
        if left.unreviewed_segments and segment.needs_review and segment.reviewed_at is None:
            sentence = n_(
                "A stretch has not been read by a person: it is in «%(path)s»%(at)s.",
                "%(count)s stretches have not been read by a person; the first is in "
                "«%(path)s»%(at)s.",
                left.unreviewed_segments,
            )
            return refusal(sentence, segment, left, count=left.unreviewed_segments)
        if not left.unreviewed_segments and not piece.is_covered:
            break
    sentence = n_(
        "A stretch has no consent that covers it: it is in «%(path)s»%(at)s%(voice)s. Record the "
        "consent, or leave it out.",
        "%(count)s stretches have no consent that covers them; the first is in "
        "«%(path)s»%(at)s%(voice)s. Record the consent, or leave them out.",
        left.uncovered_segments,
    )
    voice = f" ({piece.segment.speaker.pseudonym})" if piece.segment.speaker else ""
    return refusal(sentence, piece.segment, left, count=left.uncovered_segments, voice=voice)


def unsettled_first(unsettled: Sequence[Segment], left: Progress) -> ReviewUnfinished:
    """Make the refusal that names the first speech without text, or text without a place."""
    first = unsettled[0]
    if first.unwritten:
        sentence = n_(
            "A stretch of speech is not in the text: it is in «%(path)s»%(at)s. Write down what is "
            "said there, leave it out, or say that nothing is said.",
            "%(count)s stretches are not settled; the first is speech that is not in the text, in "
            "«%(path)s»%(at)s. Write down what is said there, leave it out, or say that nothing is "
            "said.",
            len(unsettled),
        )
    else:
        sentence = n_(
            "A line of the text has no place in the recording «%(path)s». Say when it is said, or "
            "leave it out.",
            "%(count)s stretches are not settled; the first is a line of the text without a place "
            "in the recording «%(path)s». Say when it is said, or leave it out.",
            len(unsettled),
        )
    return refusal(sentence, first, left, count=len(unsettled))


def open_finding(pieces: Sequence[Piece], left: Progress) -> ReviewUnfinished:
    """Make the refusal that names the first finding that nobody decided."""
    segments = {piece.segment.pk for piece in pieces if open_in(piece.segment)}
    order = {piece.segment.pk: number for number, piece in enumerate(pieces)}
    found = Finding.objects.open().filter(segment__in=segments).select_related("segment")
    first = min(found, key=lambda one: (order[one.segment_id], one.start_char))
    sentence = n_(
        "A finding has not been heard: it is in «%(path)s» (%(kind)s).",
        "%(count)s findings have not been heard; the first is in «%(path)s» (%(kind)s).",
        left.open_findings,
    )
    return refusal(sentence, first.segment, left, count=left.open_findings, kind=first.kind)


def refusal(sentence: str, segment: Segment, left: Progress, **more: object) -> ReviewUnfinished:
    """Make a refusal about a segment."""
    at = f" ({clock(segment.start_ms)})" if segment.start_ms is not None else ""
    return ReviewUnfinished(sentence, path=segment.recording.name, at=at, **vars(left), **more)
