"""A contributor's transcript, placed in its recording."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from commonhold.sentences import Sentence, _

from ingestion.archive.formats.rows import Row
from ingestion.pipeline.contract import RefusedError
from ingestion.pipeline.steps.align import RATE, Aligner, Audio, read_analysis
from ingestion.pipeline.steps.places import Placed, without_doubtful
from ingestion.pipeline.steps.seams import moved, resettled
from ingestion.pipeline.steps.segmentation import Line, segments_of
from ingestion.pipeline.steps.vad import Window
from ingestion.pipeline.transcripts import Segment, Word, words_of

MARGIN_MS = 300
LONGEST_ROW_MS = 10 * 60 * 1000
BREAK_EVERY = 8


def place_rows(
    rows: Sequence[Row],
    *,
    analysis: Path,
    voiced: Sequence[Window],
    duration_ms: int,
    language: str,
    name: str,
) -> list[Segment]:
    """Return the segments of a transcript of the recording `analysis` (16 kHz mono).

    Rows with times are aligned inside them, a text without times over the whole recording.
    Words that could not be placed, or not believably, are untimed, and so are segments of a text
    without times that hold no other. `voiced` is where the voice detector answers, `name` is the
    transcript's. Raises RefusedError `unplaced` when nothing of a text without times fits.
    """
    aligner = Aligner(language)
    if all(row.start_ms is not None for row in rows):
        lines = [
            _place_row(row, aligner, analysis, voiced=voiced, duration_ms=duration_ms, name=name)
            for row in rows
        ]
        return segments_of(lines, duration_ms=duration_ms)
    if any(row.start_ms is not None for row in rows):
        untimed = next(row for row in rows if row.start_ms is None)
        sentence = _(
            "«%(path)s» gives start and end for some lines but not for line %(row)s. "
            "Give them for all lines or for none."
        )
        raise RefusedError(sentence, reason="bad-row", path=name, row=untimed.number)
    lines = _place_text(rows, aligner, analysis, voiced, name)
    segments = [
        _doubted(segment, aligner, analysis)
        for segment in segments_of(lines, duration_ms=duration_ms)
    ]
    if not any(word.timed for segment in segments for word in segment.words):
        raise _advice(name, _("nothing of it is what is said there"))
    return segments


def _advice(name: str, why: Sentence) -> RefusedError:
    sentence = _(
        "«%(path)s» could not be placed in the recording: %(why)s. Check that it is the transcript "
        "of this recording, word for word; or give it with times, as .srt, .vtt, .csv or .jsonl."
    )
    return RefusedError(sentence, reason="unplaced", path=name, why=why)


def _place_text(
    rows: Sequence[Row], aligner: Aligner, analysis: Path, voiced: Sequence[Window], name: str
) -> list[Line]:
    lines = [Line(row.text, words_of(row.text), row.speaker) for row in rows]
    tokens = [word.text for line in lines for word in line.words]
    if not aligner.sayable(tokens):
        raise _advice(name, _("its words can't be read out by the rules known here"))
    placed = aligner.place_long(analysis, tokens, breaks=_breaks(lines))
    placed = resettled(placed, tokens, aligner=aligner, analysis=analysis, voiced=voiced)
    position = 0
    result = []
    for line in lines:
        share = placed[position : position + len(line.words)]
        result.append(replace(line, words=_timed(line.words, share)))
        position += len(line.words)
    return result


def _breaks(lines: Sequence[Line]) -> list[int]:
    """Return the tokens before which sound and text may part: line starts, and every eighth."""
    found: list[int] = []
    position = 0
    for line in lines:
        found.extend(range(position, position + max(1, len(line.words) - 3), BREAK_EVERY))
        position += len(line.words)
    return found


def _place_row(
    row: Row,
    aligner: Aligner,
    analysis: Path,
    *,
    voiced: Sequence[Window],
    duration_ms: int,
    name: str,
) -> Line:
    start, end = row.start_ms or 0, row.end_ms or 0
    if end - start > LONGEST_ROW_MS:
        sentence = _(
            "«%(path)s» line %(row)s is longer than ten minutes. Give times per utterance."
        )
        raise RefusedError(sentence, reason="bad-row", path=name, row=row.number)
    line = Line(row.text, words_of(row.text), row.speaker, start, end)
    tokens = [word.text for word in line.words]
    if not aligner.sayable(tokens):
        # Nobody here can tell: the row's word is taken for it that its words fill its stretch.
        guessed = [replace(word, start_ms=start, end_ms=end) for word in line.words]
        return replace(line, words=tuple(guessed))
    first = max(0, start - MARGIN_MS)
    audio = _stretch(analysis, first, min(duration_ms, end + MARGIN_MS))
    heard = aligner.place(audio, tokens)
    if not aligner.believes(audio, tokens, heard):
        return line
    placed = [place and moved(place, first) for place in without_doubtful(heard)]
    placed = resettled(
        placed, tokens, aligner=aligner, analysis=analysis, voiced=voiced, is_row=True
    )
    return replace(line, words=_timed(line.words, placed))


def _doubted(segment: Segment, aligner: Aligner, analysis: Path) -> Segment:
    """Take back the times of a segment whose text is not believably what is said there."""
    if segment.start_ms is None or segment.end_ms is None:
        return segment
    tokens = [word.text for word in segment.words]
    audio = _stretch(analysis, segment.start_ms, segment.end_ms)
    placed = aligner.place(audio, tokens)
    if aligner.believes(audio, tokens, placed):
        return segment
    words = tuple(Word(word.text, word.start_char, word.end_char) for word in segment.words)
    return replace(segment, words=words, start_ms=None, end_ms=None)


def _stretch(analysis: Path, start_ms: int, end_ms: int) -> Audio:
    first = start_ms * RATE // 1000
    return read_analysis(analysis, first, end_ms * RATE // 1000 - first)


def _timed(words: Sequence[Word], placed: Sequence[Placed | None]) -> tuple[Word, ...]:
    return tuple(
        replace(
            word,
            start_ms=place.start_ms,
            end_ms=place.end_ms,
            timed=True,
            confidence=place.fit,
        )
        if place
        else word
        for word, place in zip(words, placed, strict=True)
    )
