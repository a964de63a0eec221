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
        touched = [
            number
            for number, word in enumerate(self.old)
            if word.start_char < end_char and start_char < word.end_char
        ]
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


def apply(*, segment: Segment, text: str) -> None:
    """Put `text`, which has a word, in place of a segment's own; settle the findings around it.

    Words that stay keep their times. What a person had redacted stays redacted, and what a person
    kept stays kept while its words are the same; everything else is looked for anew. The caller
    holds the version's lock; segment and findings are saved here.
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
        if not (confirmed or (same and found.state == Finding.State.REJECTED)):
            continue
        start_ms, end_ms, _ = transcripts.span_in_time(after, start_char=start, end_char=end)
        found.pk = None
        found.start_char, found.end_char = start, end
        # The sound did not change: what was to be silenced before is silenced still.
        found.start_ms = lesser(found.start_ms, start_ms)
        found.end_ms = greater(found.end_ms, end_ms)
        place = (found.kind, start, end)
        carried[place] = joined(carried[place], found) if place in carried else found
    return list(carried.values())


def joined(one: Finding, other: Finding) -> Finding:
    """Return what is left of two findings that came to lie on the same words: all the silence."""
    confirmed = [found for found in (one, other) if found.state == Finding.State.CONFIRMED]
    kept = confirmed[0] if confirmed else one
    for found in confirmed:
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
