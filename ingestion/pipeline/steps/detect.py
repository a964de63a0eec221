"""Step 4: where the text holds personal data, and what could not be judged."""

from collections.abc import Iterator, Sequence

from ingestion.pipeline.contract import Job, JsonObject, Result, Tool
from ingestion.pipeline.detectors import registry
from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.transcripts import Segment, reach_in_time

JOINED_GAP_MS = 3000
DRAFT = "draft"
"""A wrong word can hide a number or a name."""
UNTIMED = "untimed"
"""Words without times: the text may not be what is said there."""
UNPLACED = "unplaced"
"""It could not be found in the recording."""
UNKNOWN_SPEECH = "unknown-speech"
"""Numbers and addresses said aloud are not looked for in the language."""


def run(job: Job) -> Result:
    """Return findings per segment, and each segment that rules alone can't judge.

    Consecutive segments are read together: a number goes on after a pause. `kinds_not_checked`
    says what no rule looks for in the language, `kinds_spoken` what is found said aloud as well.
    """
    text = job.output_of("text")
    segments = [Segment.from_json(document) for document in text["segments"]]
    language = job.primary_language
    output = {
        "findings": find(segments, language=language),
        "not_checked": not_checked(segments, grade=str(text["grade"]), language=language),
        "kinds_checked": registry.kinds_checked(language),
        "kinds_spoken": registry.kinds_spoken(language),
        "kinds_not_checked": registry.kinds_not_checked(language),
    }
    return Result(output, Tool("commonhold-detectors", registry.VERSION))


def find(segments: Sequence[Segment], *, language: str) -> list[JsonObject]:
    """Return what the rules find in segments, those near one another read as one text.

    `language` is a primary subtag in its short form.
    """
    return [
        finding for group in _groups(segments) for finding in _findings(segments, group, language)
    ]


def not_checked(segments: Sequence[Segment], *, grade: str, language: str) -> list[JsonObject]:
    """Return `{"segment", "reason"}` for each segment that a person has to judge.

    A reason is codes with spaces between them.
    """
    found = []
    is_sound = any(segment.start_ms is not None for segment in segments)
    for index, segment in enumerate(segments):
        reasons = []
        if grade != "reference":
            reasons.append(DRAFT)
        if segment.start_ms is not None and not all(word.timed for word in segment.words):
            reasons.append(UNTIMED)
        if is_sound and segment.start_ms is None:
            reasons.append(UNPLACED)
        if not registry.knows_speech(language):
            reasons.append(UNKNOWN_SPEECH)
        if reasons:
            found.append({"segment": index, "reason": " ".join(reasons)})
    return found


def _groups(segments: Sequence[Segment]) -> Iterator[list[int]]:
    """Yield runs of segments to be read as one text: less than three seconds apart.

    One that could not be placed in a recording may be said right beside its neighbors.
    """
    if not segments:
        return
    is_sound = any(segment.start_ms is not None for segment in segments)
    group = [0]
    end = segments[0].end_ms
    for index, segment in enumerate(segments[1:], start=1):
        if is_sound and (segment.start_ms is None or end is None):
            near = True
        else:
            near = is_sound and (segment.start_ms or 0) - (end or 0) < JOINED_GAP_MS
        if not near:
            yield group
            group = []
        group.append(index)
        end = segment.end_ms
    yield group


def _findings(
    segments: Sequence[Segment], group: Sequence[int], language: str
) -> Iterator[JsonObject]:
    starts = []
    text = ""
    for index in group:
        starts.append(len(text))
        text += segments[index].text + " "
    for hit in registry.find_all(text, language=language):
        for index, start in zip(group, starts, strict=True):
            segment = segments[index]
            first, last = max(hit.start - start, 0), min(hit.end - start, len(segment.text))
            if first < last and segment.text[first:last].strip():
                yield _finding(segments, index, hit, first, last)


def _finding(
    segments: Sequence[Segment], index: int, hit: Hit, first: int, last: int
) -> JsonObject:
    start_ms, end_ms, timed = reach_in_time(segments, index, start_char=first, end_char=last)
    return {
        "segment": index,
        "kind": hit.kind,
        "start_char": first,
        "end_char": last,
        "start_ms": start_ms,
        "end_ms": end_ms,
        "timed": timed,
        "detector": hit.detector,
        "confidence": hit.confidence,
    }
