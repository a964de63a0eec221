"""Step 7: figures about what leaves: how long, how loud, how clean, how much of it in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from ingestion.archive.formats import media
from ingestion.pipeline.contract import Job, JsonObject, Result, Tool
from ingestion.pipeline.steps.waveform import Outline
from ingestion.pipeline.transcripts import TOKEN

VERSION = "1"
FLOOR_DBFS = -120
CLIPPED = 0.9995
BLOCK = 65_536
ANALYSIS_RATE = 16_000

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Level:
    """Sums over samples outside the bars. `peak` is 0..1 of full scale."""

    samples: int = 0
    clipped: int = 0
    squares: float = 0.0
    peak: float = 0.0

    def feed(self, block: Floats) -> None:
        """Take samples of any shape, full scale ±1."""
        if block.size:
            loud = np.abs(block)
            self.samples += block.size
            self.clipped += int((loud >= CLIPPED).sum())
            self.squares += float((block**2).sum())
            self.peak = max(self.peak, float(loud.max()))


@dataclass(slots=True)
class Measured:
    """What the clips gave: their level and, by file, their outlines."""

    level: Level = field(default_factory=Level)
    waveforms: dict[str, list[int]] = field(default_factory=dict)


def run(job: Job) -> Result:
    """Measure the stripped clips (levels outside the bars) and the whole recording (noise).

    `snr_db` compares speech with the rest of the recording and is null where nothing but speech,
    or nothing of it, is heard. Words are those that were said, under a bar or not. A text document
    gets words and rows alone. Parameter: `segments` (corrected; without it the text step's).
    """
    clips = job.output_of("redact")["clips"]
    tool = Tool("commonhold-quality", VERSION)
    if media.container_of(job.name) in media.TEXT:
        words = sum(len(TOKEN.findall(clip["text"])) for clip in clips)
        return Result({"words": words, "rows": len(clips)}, tool)
    segments = job.parameters.get("segments")
    if segments is None:
        segments = job.output_of("text")["segments"]
    spoken = [word for clip in clips for word in segments[clip["segment"]]["words"]]
    measured = _measure(job, clips)
    level = measured.level
    output: JsonObject = {
        "duration_ms": int(job.output_of("decode")["duration_ms"]),
        "speech_ms": int(job.output_of("vad")["speech_ms"]),
        "clips_ms": sum(clip["end_ms"] - clip["start_ms"] for clip in clips),
        "redacted_ms": sum(bar[1] - bar[0] for clip in clips for bar in clip["bars"]),
        "words": len(spoken),
        "words_timed": sum(word["timed"] for word in spoken),
        "peak_dbfs": _decibels(level.peak),
        "rms_dbfs": _decibels(math.sqrt(level.squares / level.samples)) if level.samples else None,
        "snr_db": _snr(job.file_of("decode", "analysis.flac"), job.output_of("vad")["windows"]),
        "clipped_permille": level.clipped * 1000 // level.samples if level.samples else 0,
        "waveforms": measured.waveforms,
    }
    return Result(output, tool)


def _decibels(amplitude: float) -> int:
    """Return an amplitude (1 = full scale) in whole dB, -120 for silence."""
    if amplitude <= 0:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, round(20 * math.log10(amplitude)))


def _measure(job: Job, clips: Sequence[JsonObject]) -> Measured:
    measured = Measured()
    for clip in clips:
        path = job.file_of("strip", clip["file"])
        rate = soundfile.info(path).samplerate
        outline = Outline(rate=rate)
        spans = [(start * rate // 1000, -(-end * rate // 1000)) for start, end, _ in clip["bars"]]
        position = 0
        for block in soundfile.blocks(path, blocksize=BLOCK, always_2d=True):
            outline.feed((np.abs(block).max(axis=1) * 32_767).astype(np.int64))
            for part in _outside(block, position, spans):
                measured.level.feed(part)
            position += len(block)
        measured.waveforms[clip["file"]] = outline.peaks()
    return measured


def _outside(block: Floats, position: int, spans: Sequence[tuple[int, int]]) -> Iterator[Floats]:
    """Yield the parts of a block (whose first sample is `position`) that no span covers."""
    keep = np.ones(len(block), dtype=bool)
    for start, end in spans:
        # One sample to each side: bars are rounded on the recording's own grid.
        keep[max(0, start - 1 - position) : max(0, end + 1 - position)] = False
    yield block[keep]


def _snr(analysis: Path, windows: Sequence[Sequence[int]]) -> int | None:
    """Return the ratio of speech power to the power of everything else, in whole dB."""
    speech, rest = Level(), Level()
    position = 0
    starts_ends: Any = [(start * 16, end * 16) for start, end in windows]
    for block in soundfile.blocks(analysis, blocksize=BLOCK):
        inside = np.zeros(len(block), dtype=bool)
        for start, end in starts_ends:
            if start < position + len(block) and position < end:
                inside[max(0, start - position) : max(0, end - position)] = True
        speech.feed(block[inside])
        rest.feed(block[~inside])
        position += len(block)
    if not speech.squares or not rest.squares:
        return None
    ratio = (speech.squares / speech.samples) / (rest.squares / rest.samples)
    return round(10 * math.log10(ratio))
