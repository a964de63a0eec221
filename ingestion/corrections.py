"""A person's correction of a segment's text: its words timed anew, and looked through anew."""

from ingestion import transcripts
from ingestion.detectors import registry
from ingestion.detectors.finding import Hit
from ingestion.models import Finding, Segment


def apply(*, segment: Segment, text: str) -> list[Finding]:
    """Put `text` in place of the segment's own; return what the pipeline's rules find in it.

    Words that stay keep their times; a finding among words without times stands for the whole
    segment. Nothing is saved here.
    """
    before = transcripts.Segment.from_json(
        {
            "text": segment.text,
            "words": segment.words,
            "start_ms": segment.start_ms,
            "end_ms": segment.end_ms,
        }
    )
    after = transcripts.corrected(before, text=text)
    segment.text, segment.words = after.text, [word.as_json() for word in after.words]
    language = segment.file.version.dataset.language
    return [
        finding_of(segment=segment, after=after, hit=hit)
        for hit in registry.find_all(after.text, language=language.split("-")[0].lower())
    ]


def finding_of(*, segment: Segment, after: transcripts.Segment, hit: Hit) -> Finding:
    """Return a hit as a finding of the segment, not saved."""
    start_ms, end_ms, _ = transcripts.span_in_time(after, start_char=hit.start, end_char=hit.end)
    return Finding(
        segment=segment,
        kind=hit.kind,
        start_char=hit.start,
        end_char=hit.end,
        start_ms=start_ms,
        end_ms=end_ms,
        detector=hit.detector,
        confidence=hit.confidence,
    )
