"""Step 5: clips of the recording with bars over what must not be heard, and their texts."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from commonhold.sentences import _

from ingestion.archive.formats import media
from ingestion.pipeline.contract import InvalidJobError, Job, JsonObject, RefusedError, Result, Tool
from ingestion.pipeline.steps import audio
from ingestion.pipeline.steps.bars import Bar, Decision, bars_of, by_segment, redacted_text
from ingestion.pipeline.transcripts import Segment

DEFAULT_PAD_MS = 200
TONE_HZ = 1000
TONE_PEAK = 0.1  # -20 dBFS
RAMP_MS = 5
VERSION = "1"


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

    Samples outside the bars are those of the decoded source, bit by bit; inside they are replaced
    by a tone (1 kHz, -20 dBFS) or silence. Text and sound are redacted from the same decisions.
    Parameters: `decisions` (what they name beside the words' own times is silenced too),
    `segments` (corrected; without it the text step's), `excluded`,
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
    bars = bars_of(segments, decisions, pad_ms=pad_ms, duration_ms=duration_ms)
    clips = _clips(segments, decisions, excluded, bars)
    _write(job, clips, bars, method)
    output = {"clips": [clip.as_json() for clip in clips], "pad_ms": pad_ms, "method": method}
    return Result(output, tool, tuple(clip.file for clip in clips))


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
    for index, segment in enumerate(segments):
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


def _write(job: Job, clips: Sequence[Clip], bars: Sequence[Bar], method: str) -> None:
    (job.workdir / "clips").mkdir(exist_ok=True)
    container = media.container_of(job.name)
    with (
        audio.opened(job.source, name=job.name, container=container) as reader,
        ExitStack() as files,
    ):
        rate = reader.info.sample_rate
        waiting = sorted(clips, key=lambda clip: clip.start_ms, reverse=True)
        spans = [_samples(bar.start_ms, bar.end_ms, rate) for bar in bars]
        writing: list[_Output] = []
        position = 0
        for block in reader.blocks():
            stop = position + len(block)
            barred = barred_block(block, position, spans, rate, method)
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


def _samples(start_ms: int, end_ms: int, rate: int) -> tuple[int, int]:
    """Return whole samples that cover a stretch of ms: the first rounded down, the last up."""
    return start_ms * rate // 1000, -(-end_ms * rate // 1000)


def _opened(clip: Clip, workdir: Path, info: audio.AudioInfo, files: ExitStack) -> _Output:
    rate = info.sample_rate
    file = files.enter_context(
        soundfile.SoundFile(
            workdir / clip.file, "w", rate, info.channels, f"PCM_{info.bits}", format="FLAC"
        )
    )
    return _Output(clip.start_ms * rate // 1000, clip.end_ms * rate // 1000, file)


def barred_block(
    block: audio.Samples, position: int, spans: Sequence[tuple[int, int]], rate: int, method: str
) -> audio.Samples:
    """Return a block whose first sample is number `position`, with the spans in it replaced."""
    touched = [
        (start, end) for start, end in spans if start < position + len(block) and position < end
    ]
    if not touched:
        return block
    result = block.copy()
    for start, end in touched:
        first, last = max(0, start - position), min(len(block), end - position)
        numbers = np.arange(position + first, position + last)
        result[first:last] = _tone(numbers, start, end, rate) if method == "tone" else 0
    return result


def _tone(numbers: Any, start: int, end: int, rate: int) -> audio.Samples:
    """Return the tone at these sample numbers, faded over 5 ms at the span's own edges."""
    ramp = max(1, rate * RAMP_MS // 1000)
    edge = np.minimum(numbers - start, end - 1 - numbers) + 1
    loud = np.minimum(1.0, edge / ramp) * TONE_PEAK * 2**31
    wave = loud * np.sin(2 * np.pi * TONE_HZ * numbers / rate)
    column: audio.Samples = wave.astype(np.int32)[:, np.newaxis]
    return column
