"""Step 5: clips of the recording with bars over what must not be heard, and their texts."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
from commonhold.sentences import _

from ingestion.archive.formats import media
from ingestion.pipeline.contract import InvalidJobError, Job, JsonObject, RefusedError, Result, Tool
from ingestion.pipeline.steps import audio, covering
from ingestion.pipeline.steps.bars import Bar, Decision, bars_of, by_segment, redacted_text
from ingestion.pipeline.transcripts import Segment, cut_to_words

DEFAULT_PAD_MS = 200
VERSION = "2"


@dataclass(frozen=True, slots=True)
class Clip:
    """A segment's stretch of the recording (half-open ms) and the bars that touch it."""

    segment: int
    file: str
    start_ms: int
    end_ms: int
    text: str
    bars: tuple[Bar, ...]

    def as_json(self) -> JsonObject:
        """Return the clip with its bars relative to its start."""
        return {
            "segment": self.segment,
            "file": self.file,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "text": self.text,
            "bars": [
                [
                    max(0, bar.start_ms - self.start_ms),
                    min(self.end_ms, bar.end_ms) - self.start_ms,
                    bar.kind,
                ]
                for bar in self.bars
            ],
        }


def run(job: Job) -> Result:
    """Write one FLAC clip per segment, at the recording's own rate, channels and depth.

    A clip is its segment cut to its words. Samples outside the bars are those of the decoded
    source, bit by bit; inside they are replaced by a tone (1 kHz, as loud as what is around it) or
    silence (`covering`). Text and sound are redacted from the same decisions.
    Parameters: `decisions` (what they name beside the words' own times is silenced too),
    `segments` (corrected; without it the text step's), `excluded`, `unwritten` (stretches in ms
    whose speech the text leaves out; without it the text step's),
    `pad_ms` (200), `method` ("tone" or "silence"). Raises RefusedError, InvalidJobError.
    """
    parameters = job.parameters
    documents = parameters.get("segments")
    if documents is None:
        documents = job.output_of("text")["segments"]
    segments = [Segment.from_json(document) for document in documents]
    decisions = [_decision(document, segments) for document in parameters.get("decisions", ())]
    excluded = {int(index) for index in parameters.get("excluded", ())}
    method = str(parameters.get("method", "tone"))
    if method not in {"tone", "silence"}:
        sentence = _("There is no redaction method '%(method)s'; say tone or silence.")
        raise InvalidJobError(sentence, method=method)
    tool = Tool("commonhold-redact", VERSION)
    if media.container_of(job.name) in media.TEXT:
        return Result({"clips": list(_texts(segments, decisions, excluded))}, tool)
    duration_ms = int(job.output_of("decode")["duration_ms"])
    pad_ms = int(parameters.get("pad_ms", DEFAULT_PAD_MS))
    bars = bars_of(
        segments,
        decisions,
        pad_ms=pad_ms,
        duration_ms=duration_ms,
        unwritten=_unwritten(job),
    )
    clips = _clips(segments, decisions, excluded, bars)
    loudness = _loudness(job) if bars and method == "tone" else None
    with _opened_source(job) as reader:
        rate = reader.info.sample_rate
        covers = covering.covers(
            bars, rate=rate, pad_ms=pad_ms, duration_ms=duration_ms, loudness=loudness
        )
        _write(job, reader, clips, covers)
    output = {"clips": [clip.as_json() for clip in clips], "pad_ms": pad_ms, "method": method}
    return Result(output, tool, tuple(clip.file for clip in clips))


def _unwritten(job: Job) -> list[tuple[int, int]]:
    stretches = job.parameters.get("unwritten")
    if stretches is None:
        stretches = job.inputs.get("text", {}).get("untranscribed", ())
    return [(int(start), int(end)) for start, end in stretches]


def _opened_source(job: Job) -> AbstractContextManager[audio.Reader]:
    container = media.container_of(job.name)
    return audio.opened(job.source, name=job.name, container=container)


def _loudness(job: Job) -> covering.Loudness:
    with _opened_source(job) as reader:
        loudness = covering.Loudness(rate=reader.info.sample_rate)
        for block in reader.blocks():
            loudness.feed(block)
    return loudness


def _decision(document: JsonObject, segments: Sequence[Segment]) -> Decision:
    index = int(document["segment"])
    if not 0 <= index < len(segments):
        sentence = _("A decision names segment %(number)s, but there are %(count)s segments.")
        raise InvalidJobError(sentence, number=index, count=len(segments))
    start, end = int(document["start_char"]), int(document["end_char"])
    times = (document.get("start_ms"), document.get("end_ms"))
    return Decision(index, str(document["kind"]), start, end, *times)


def _texts(
    segments: Sequence[Segment], decisions: Sequence[Decision], excluded: set[int]
) -> Iterator[JsonObject]:
    """Yield a text document's rows in the shape of clips, without sound."""
    decided = by_segment(decisions)
    for index, segment in enumerate(segments):
        if index not in excluded:
            text = redacted_text(segment.text, decided.get(index, ()))
            yield {
                "segment": index,
                "file": None,
                "start_ms": None,
                "end_ms": None,
                "text": text,
                "bars": [],
            }


def _clips(
    segments: Sequence[Segment],
    decisions: Sequence[Decision],
    excluded: set[int],
    bars: Sequence[Bar],
) -> list[Clip]:
    decided = by_segment(decisions)
    clips: list[Clip] = []
    for index, segment in enumerate(map(cut_to_words, segments)):
        start, end = segment.start_ms, segment.end_ms
        if index in excluded or start is None or end is None or end <= start:
            continue
        touching = tuple(bar for bar in bars if bar.start_ms < end and start < bar.end_ms)
        text = redacted_text(segment.text, decided.get(index, ()))
        file = f"clips/{len(clips) + 1:04d}.flac"
        clips.append(Clip(index, file, start, end, text, touching))
    return clips


@dataclass(slots=True)
class _Output:
    """A clip being written: its samples of the recording (half-open) and its file."""

    first: int
    last: int
    file: Any


def _write(
    job: Job, reader: audio.Reader, clips: Sequence[Clip], covers: Sequence[covering.Cover]
) -> None:
    (job.workdir / "clips").mkdir(exist_ok=True)
    rate = reader.info.sample_rate
    waiting = sorted(clips, key=lambda clip: clip.start_ms, reverse=True)
    writing: list[_Output] = []
    position = 0
    with ExitStack() as files:
        for block in reader.blocks():
            stop = position + len(block)
            barred = covering.covered(block, position, covers, rate)
            while waiting and waiting[-1].start_ms * rate // 1000 < stop:
                writing.append(_opened(waiting.pop(), job.workdir, reader.info, files))
            for output in writing:
                part = barred[max(0, output.first - position) : max(0, output.last - position)]
                output.file.write(part)
                if output.last <= stop:
                    output.file.close()
            writing = [output for output in writing if output.last > stop]
            position = stop
    if waiting:
        sentence = _("«%(path)s» ends before its last segment; decode it again.")
        raise RefusedError(sentence, reason="truncated", path=job.name)


def _opened(clip: Clip, workdir: Path, info: audio.AudioInfo, files: ExitStack) -> _Output:
    rate = info.sample_rate
    file = files.enter_context(
        soundfile.SoundFile(
            workdir / clip.file, "w", rate, info.channels, f"PCM_{info.bits}", format="FLAC"
        )
    )
    return _Output(clip.start_ms * rate // 1000, clip.end_ms * rate // 1000, file)
