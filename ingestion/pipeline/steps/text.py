"""Step 3: what is said, when. From the contributor's transcript, a text document, or an engine."""

from importlib import metadata

import commonhold
import soundfile
from commonhold.sentences import _

from ingestion.archive.formats import media, rows
from ingestion.pipeline.contract import Job, JsonObject, RefusedError, Result, Tool
from ingestion.pipeline.engines import choice
from ingestion.pipeline.steps import placing, segmentation, unwritten
from ingestion.pipeline.transcripts import Segment, segment_of

LONGEST_TEXT = 4000


def run(job: Job) -> Result:
    """Return the segments: `read` from a document, `aligned` to a transcript, or `transcribed`.

    Parameters for an engine: `engine` ("pocketsphinx" or "whisper"), `checkpoint`, `grade`, …
    Raises RefusedError.
    """
    if media.container_of(job.name) in media.TEXT:
        return _read(job)
    if job.transcript is not None:
        return _aligned(job)
    return _transcribed(job)


def _read(job: Job) -> Result:
    """Take a text document: each row is a segment without times."""
    form = media.container_of(job.name)
    found = rows.read(job.source, name=job.name, form=form)
    if form in rows.WITHOUT_COLUMNS:
        found = rows.with_speakers(found)
    if form == "txt" and not any(row.speaker for row in found):
        found = rows.paragraphs(found)
    segments = [
        segment_of(part, speaker=row.speaker)
        for row in found
        for part in rows.parts(row.text, longest=LONGEST_TEXT)
    ]
    output = _output("read", "reference", "", segments, [])
    return Result(output, Tool("commonhold", commonhold.__version__))


def _aligned(job: Job) -> Result:
    if job.transcript is None:
        sentence = _("«%(path)s» has no transcript.")
        raise RefusedError(sentence, reason="no-transcript", path=job.name)
    name = job.transcript_name
    form = media.container_of(name)
    if form not in media.TEXT:
        sentence = _("«%(path)s» is not a transcript: give it as .txt, .csv, .jsonl, .srt or .vtt.")
        raise RefusedError(sentence, reason="unsupported-type", path=name)
    duration_ms = int(job.output_of("decode")["duration_ms"])
    found = rows.read(job.transcript, name=name, form=form)
    if form in rows.WITHOUT_COLUMNS:
        found = rows.with_speakers(found)
    segments = placing.place_rows(
        rows.placed(found, duration_ms=duration_ms, name=name),
        analysis=job.file_of("decode", "analysis.flac"),
        voiced=_voiced(job),
        duration_ms=duration_ms,
        language=job.primary_language,
        name=name,
    )
    version = metadata.version("pocketsphinx")
    label = f"pocketsphinx {version}"
    left_out = _unwritten(job, segments, duration_ms)
    output = _output("aligned", "reference", label, segments, left_out)
    return Result(output, Tool("pocketsphinx", version))


def _transcribed(job: Job) -> Result:
    engine = choice.engine_for(job.parameters, language=job.primary_language, name=job.name)
    windows = _windows(job)
    analysis = job.file_of("decode", "analysis.flac")
    transcript = engine.transcribe(
        analysis, language=job.primary_language, windows=windows, parameters=job.parameters
    )
    duration_ms = soundfile.info(analysis).frames * 1000 // 16_000
    lines = [
        segmentation.Line(segment.text, segment.words, segment.speaker)
        for segment in transcript.segments
    ]
    segments = segmentation.segments_of(lines, duration_ms=duration_ms)
    label = f"{engine.name} {engine.version}"
    left_out = _unwritten(job, segments, duration_ms)
    output = _output("transcribed", transcript.grade, label, segments, left_out)
    return Result(output, Tool(engine.name, engine.version, engine.model_sha256))


def _windows(job: Job) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in job.output_of("vad")["windows"]]


def _unwritten(job: Job, segments: list[Segment], duration_ms: int) -> list[tuple[int, int]]:
    return unwritten.stretches(_voiced(job), segments, duration_ms=duration_ms)


def _voiced(job: Job) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in job.output_of("vad")["voiced"]]


def _output(
    method: str,
    grade: str,
    engine: str,
    segments: list[Segment],
    left_out: list[tuple[int, int]],
) -> JsonObject:
    """`untranscribed` are the stretches in which somebody speaks and no word was placed."""
    return {
        "method": method,
        "grade": grade,
        "engine": engine,
        "segments": [segment.as_json() for segment in segments],
        "untranscribed": [list(stretch) for stretch in left_out],
    }
