"""A person's correction of a text.

Its words are timed anew, its findings carried over, and it is looked through anew together with
what stands around it.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.models import Finding, Segment
from ingestion.pipeline import transcripts
from ingestion.pipeline.contract import JsonObject, primary_language
from ingestion.pipeline.steps import detect
from ingestion.pipeline.steps.unwritten import LEAST_MS

NEAR = 4
"""Segments to each side that a number can go on into."""


@dataclass(frozen=True)
class Shift:
    """Where the words of the old text are in the new one."""

    old: Sequence[transcripts.Word]
    new: Sequence[transcripts.Word]
    codes: Sequence[tuple[str, int, int, int, int]]

    @classmethod
    def of(cls, old: transcripts.Segment, new: transcripts.Segment) -> "Shift":
        """Compare two texts word by word."""
        matcher = difflib.SequenceMatcher(
            a=[word.text.casefold() for word in old.words],
            b=[word.text.casefold() for word in new.words],
            autojunk=False,
        )
        return cls(old.words, new.words, matcher.get_opcodes())

    def follow(self, start_char: int, end_char: int) -> tuple[int, int, bool]:
        """Return where a range of the old text is now, and whether its words are the same.

        Of words that were taken out, what stands beside their place answers for them: the sound
        still holds them. For a range without words the whole text does.
        """
        touched = self.touched(start_char, end_char)
        if not touched:
            return self.new[0].start_char, self.new[-1].end_char, False
        first, last, same = len(self.new), -1, True
        for tag, old_from, old_to, new_from, new_to in self.codes:
            mine = [number for number in touched if old_from <= number < old_to]
            if not mine:
                continue
            same = same and tag == "equal"
            if tag == "equal":
                begins, ends = new_from + mine[0] - old_from, new_from + mine[-1] - old_from
            elif new_from == new_to:
                begins, ends = max(0, new_from - 1), min(len(self.new) - 1, new_from)
            else:
                begins, ends = new_from, new_to - 1
            first, last = min(first, begins), max(last, ends)
        return self.new[first].start_char, self.new[last].end_char, same

    def touched(self, start_char: int, end_char: int) -> list[int]:
        """Return the numbers of the old text's words that a range of it touches."""
        return [
            number
            for number, word in enumerate(self.old)
            if word.start_char < end_char and start_char < word.end_char
        ]

    def loses(self, start_char: int, end_char: int) -> bool:
        """Whether words in a range of the old text went without as many others in their place."""
        touched = self.touched(start_char, end_char)
        return any(
            old_to - old_from > new_to - new_from
            for _, old_from, old_to, new_from, new_to in self.codes
            if any(old_from <= number < old_to for number in touched)
        )

    def taken_out(self) -> Iterable[Finding]:
        """Yield a finding, on the words beside it, for all that is heard and no longer written."""
        for tag, old_from, old_to, new_from, _ in self.codes:
            beside = self.new[max(0, new_from - 1) : new_from + 1]
            is_inside = 0 < new_from < len(self.new)
            sound = sound_of(self.old[old_from:old_to], beside=beside, is_inside=is_inside)
            if tag == "delete" and sound and sound[1] - sound[0] >= LEAST_MS:
                yield Finding(
                    kind="other",
                    start_char=beside[0].start_char,
                    end_char=beside[-1].end_char,
                    start_ms=sound[0],
                    end_ms=sound[1],
                    detector=Finding.TAKEN_OUT,
                )


def sound_of(
    gone: Iterable[transcripts.Word], *, beside: Sequence[transcripts.Word], is_inside: bool
) -> tuple[int, int] | None:
    """Return when words that were taken out are heard, given the words beside them.

    Words without times lie anywhere between those beside them. None where untimed words are left
    that answer for it, and at an edge: clips are cut to their words.
    """
    parts = list(gone)
    if all(word.timed for word in beside):
        if not is_inside:
            return None
        if not all(word.timed for word in parts):
            return beside[0].end_ms or 0, beside[1].start_ms or 0
    times = [(word.start_ms or 0, word.end_ms or 0) for word in parts if word.timed]
    return (times[0][0], times[-1][1]) if times else None


def apply(*, segment: Segment, text: str) -> None:
    """Put `text`, which has a word, in place of a segment's own; settle the findings around it.

    Words that stay keep their times. What a person had redacted stays redacted, and what a person
    kept stays kept while its words are the same; everything else is looked for anew. Sound whose
    words were taken out is to be heard: silenced, or kept by a decision. The caller holds the
    version's lock; segment and findings are saved here.
    """
    before = as_transcript(segment)
    after = transcripts.corrected(before, text=text)
    shift = Shift.of(before, after)
    carried = carry_over(segment=segment, after=after, shift=shift)
    segment.text, segment.words = after.text, [word.as_json() for word in after.words]
    segment.save(update_fields=["text", "words"])
    segment.findings.all().delete()
    Finding.objects.bulk_create(carried)
    look_anew(segment=segment, settled=carried)


def carry_over(*, segment: Segment, after: transcripts.Segment, shift: Shift) -> list[Finding]:
    """Return the findings that outlive a correction, at their new places; not saved."""
    carried: dict[tuple[str, int, int], Finding] = {}
    for found in segment.findings.order_by("start_char", "pk"):
        start, end, same = shift.follow(found.start_char, found.end_char)
        confirmed = found.state == Finding.State.CONFIRMED
        is_loose = is_taken_out(found, shift)
        if not (confirmed or is_loose or (same and found.state == Finding.State.REJECTED)):
            continue
        if is_loose:
            found.detector, found.confidence = Finding.TAKEN_OUT, None
        start_ms, end_ms, _ = transcripts.span_in_time(after, start_char=start, end_char=end)
        found.pk = None
        found.start_char, found.end_char = start, end
        # The sound did not change: what was to be silenced before is silenced still.
        found.start_ms = lesser(found.start_ms, start_ms)
        found.end_ms = greater(found.end_ms, end_ms)
        lay(found, carried)
    for found in shift.taken_out():
        found.segment = segment
        if not any(holds(one, found) for one in carried.values()):
            lay(found, carried)
    return list(carried.values())


def is_taken_out(found: Finding, shift: Shift) -> bool:
    """Whether nobody decided about a sound whose words are not in the text any more."""
    is_open = found.state == Finding.State.OPEN and found.start_ms is not None
    was_before = found.detector == Finding.TAKEN_OUT
    return is_open and (was_before or shift.loses(found.start_char, found.end_char))


def holds(one: Finding, other: Finding) -> bool:
    """Whether a finding that is not kept covers the sound of another."""
    if one.state == Finding.State.REJECTED or None in (one.start_ms, one.end_ms):
        return False
    return (one.start_ms or 0) <= (other.start_ms or 0) and (other.end_ms or 0) <= (one.end_ms or 0)


def lay(found: Finding, carried: dict[tuple[str, int, int], Finding]) -> None:
    """Put a finding to others, joined with the one that lies on the same words."""
    place = (found.kind, found.start_char, found.end_char)
    carried[place] = joined(carried[place], found) if place in carried else found


def joined(one: Finding, other: Finding) -> Finding:
    """Return what is left of two findings that came to lie on the same words: all the silence."""
    silent = [found for found in (one, other) if found.state != Finding.State.REJECTED]
    kept = min(silent, key=lambda found: found.state, default=one)
    for found in silent:
        kept.start_ms = lesser(kept.start_ms, found.start_ms)
        kept.end_ms = greater(kept.end_ms, found.end_ms)
    return kept


def look_anew(*, segment: Segment, settled: Sequence[Finding]) -> None:
    """Find what the pipeline's rules find now in a segment and its neighbors, read together."""
    around = list(
        Segment.objects.filter(
            run=segment.run_id,
            unwritten=False,
            position__range=(max(0, segment.position - NEAR), segment.position + NEAR),
        ).order_by("position")
    )
    language = primary_language(segment.recording.spoken)
    for row in detect.find([as_transcript(one) for one in around], language=language):
        owner = around[row["segment"]]
        known = settled if owner.pk == segment.pk else list(owner.findings.all())
        if not is_known(row, known):
            Finding.objects.get_or_create(
                segment=owner,
                kind=row["kind"],
                start_char=row["start_char"],
                end_char=row["end_char"],
                defaults={
                    "start_ms": row["start_ms"],
                    "end_ms": row["end_ms"],
                    "detector": row["detector"],
                    "confidence": row["confidence"],
                },
            )


def is_known(row: JsonObject, known: Iterable[Finding]) -> bool:
    """Whether a finding covers what a rule found: then nothing new was found."""
    return any(
        one.start_char <= row["start_char"]
        and row["end_char"] <= one.end_char
        and (one.kind == row["kind"] or one.state == Finding.State.CONFIRMED)
        for one in known
    )


def as_transcript(segment: Segment) -> transcripts.Segment:
    """Return a segment as the pipeline has it."""
    return transcripts.Segment.from_json(
        {
            "text": segment.text,
            "words": segment.words,
            "start_ms": segment.start_ms,
            "end_ms": segment.end_ms,
        }
    )


def lesser(one: int | None, other: int | None) -> int | None:
    """Return the earlier of two times that may be unknown."""
    known = [value for value in (one, other) if value is not None]
    return min(known, default=None)


def greater(one: int | None, other: int | None) -> int | None:
    """Return the later of two times that may be unknown."""
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
