"""What there is to do in a review, counted: what is not published need not be looked at."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from ingestion.models import Finding, Segment
from ingestion.review.voices import Piece, Scene


@dataclass(frozen=True)
class Tally:
    """What there is to do in a version or a recording, and what is left of it."""

    findings: int = 0
    open_findings: int = 0
    to_read: int = 0
    unread: int = 0
    uncovered: int = 0
    unsettled: int = 0
    """Speech without text, and text without a place, that nobody has settled."""

    @property
    def total(self) -> int:
        """Everything that a person must decide or has decided."""
        return self.findings + self.to_read + self.uncovered + self.unsettled

    @property
    def left(self) -> int:
        """What is left to decide."""
        return self.open_findings + self.unread + self.uncovered + self.unsettled

    @property
    def done(self) -> int:
        """What has been decided."""
        return self.total - self.left


def of_recordings(pieces: Iterable[Piece], unsettled: Iterable[Segment]) -> dict[int, Tally]:
    """Count what there is to do in each recording, by its primary key.

    The pieces were read with the states of what is found in their segments (`voices.read`).
    """
    found: dict[int, list[Tally]] = {}
    for group in by_segment(pieces).values():
        found.setdefault(group[0].segment.recording_id, []).append(of_segment(group))
    for segment in unsettled:
        found.setdefault(segment.recording_id, []).append(Tally(unsettled=1))
    return {pk: total(tallies) for pk, tallies in found.items()}


def of_stage(stage: Sequence[Scene]) -> dict[int, Tally]:
    """Count the same of scenes."""
    pieces = [piece for scene in stage for piece in scene.published()]
    return of_recordings(pieces, [one for scene in stage for one in scene.unsettled()])


def by_segment(pieces: Iterable[Piece]) -> dict[int, list[Piece]]:
    """Group pieces by their segments."""
    found: dict[int, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.segment.pk, []).append(piece)
    return found


def of_segment(pieces: list[Piece]) -> Tally:
    """Count what there is to do in the pieces of one segment."""
    segment = pieces[0].segment
    states: list[str] = segment.finding_states  # type: ignore[attr-defined]  # an annotation's name
    return Tally(
        findings=len(states),
        open_findings=states.count(Finding.State.OPEN),
        to_read=int(segment.needs_review),
        unread=int(segment.needs_review and segment.reviewed_at is None),
        uncovered=int(not all(piece.is_covered for piece in pieces)),
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """Add tallies up."""
    rows = [numbers(one) for one in tallies]
    return Tally(*(sum(column) for column in zip(*rows, strict=True)))


def minus(whole: Tally, part: Tally) -> Tally:
    """Return what is left of a tally without a part of it."""
    both = zip(numbers(whole), numbers(part), strict=True)
    return Tally(*(one - other for one, other in both))


def numbers(tally: Tally) -> tuple[int, ...]:
    """Return the six numbers of a tally."""
    return astuple(tally)


def packed(tally: Tally) -> str:
    """Write a tally for the query of a form."""
    return "-".join(str(number) for number in numbers(tally))


def unpacked(text: str) -> Tally | None:
    """Read what `packed` wrote; None for anything else."""
    parts = text.split("-")
    if len(parts) != len(numbers(Tally())) or not all(part.isdecimal() for part in parts):
        return None
    return Tally(*(int(part) for part in parts))
