"""What is heard in place of what must not be: a tone or silence, faded into the programme.

All of it lies inside the bar: every sample outside is the source's, bit by bit. The fades lie in
the pad, so nothing of what was found is in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingestion.pipeline.steps.audio import Samples
from ingestion.pipeline.steps.bars import Bar

TONE_HZ = 1000
FADE_MS = 5
"""A hard cut clicks: a step of 0.9 of full scale was measured where the sound's own was 0.012."""
AROUND_MS = 3000
"""How much of the programme to each side a tone takes its level from."""
QUIETEST_DB, LOUDEST_DB, UNKNOWN_DB = -40.0, -12.0, -23.0
"""RMS of the tone in dBFS. The last is EBU R 128's programme level, for where bars are all."""
FRAMES_PER_SECOND = 100
FULL = 2.0**31

Floats = npt.NDArray[np.float64]


class Loudness:
    """The programme's mean square in frames of 10 ms, the same however it comes in blocks."""

    def __init__(self, *, rate: int) -> None:
        """Measure sound of `rate` Hz."""
        self.step = max(1, rate // FRAMES_PER_SECOND)
        self._squares: list[Floats] = []
        self._rest: Floats = np.zeros(0)

    def feed(self, block: Samples) -> None:
        """Take the next samples."""
        power = ((block / FULL) ** 2).mean(axis=1)
        power = np.concatenate([self._rest, power])
        whole = len(power) // self.step * self.step
        self._squares.append(power[:whole].reshape(-1, self.step).mean(axis=1))
        self._rest = power[whole:]

    def frames(self) -> Floats:
        """Return the mean squares; full scale is 1. A last frame that is not whole is left out."""
        return np.concatenate(self._squares) if self._squares else np.zeros(0)


@dataclass(frozen=True, slots=True)
class Cover:
    """A bar on the samples of a recording: half-open, with its fades (samples) and its tone."""

    start: int
    end: int
    fade_in: int
    fade_out: int
    peak: float
    """Of the tone, full scale 1; 0 is silence."""


def samples(start_ms: int, end_ms: int, rate: int) -> tuple[int, int]:
    """Return whole samples that cover a stretch of ms: the first rounded down, the last up."""
    return start_ms * rate // 1000, -(-end_ms * rate // 1000)


def covers(
    bars: Sequence[Bar], *, rate: int, pad_ms: int, duration_ms: int, loudness: Loudness | None
) -> list[Cover]:
    """Return the covers of bars that were padded by `pad_ms`; silence without `loudness`.

    Where a bar ends with the recording its pad may have been cut off: nothing is faded there.
    """
    fade = min(FADE_MS, pad_ms) * rate // 1000
    spans = [samples(bar.start_ms, bar.end_ms, rate) for bar in bars]
    peaks = tone_peaks(spans, rate=rate, loudness=loudness) if loudness else [0.0] * len(spans)
    return [
        Cover(
            start=start,
            end=end,
            fade_in=min(fade, (end - start) // 2) if bar.start_ms > 0 else 0,
            fade_out=min(fade, (end - start) // 2) if bar.end_ms < duration_ms else 0,
            peak=peak,
        )
        for bar, (start, end), peak in zip(bars, spans, peaks, strict=True)
    ]


def tone_peaks(spans: Sequence[tuple[int, int]], *, rate: int, loudness: Loudness) -> list[float]:
    """Return the peaks of tones that are as loud as the programme outside all spans near each."""
    frames, step = loudness.frames(), loudness.step
    outside = np.ones(len(frames), dtype=bool)
    for start, end in spans:
        outside[start // step : -(-end // step)] = False
    near = AROUND_MS * rate // 1000 // step
    peaks = []
    for start, end in spans:
        window = slice(max(0, start // step - near), -(-end // step) + near)
        known = frames[window][outside[window]]
        peaks.append(peak_of(float(known.mean())) if len(known) else peak_of(None))
    return peaks


def peak_of(mean_square: float | None) -> float:
    """Return the peak of a sine as loud as a programme, within what ears and speakers bear."""
    level = UNKNOWN_DB
    if mean_square is not None:
        level = 10 * np.log10(max(mean_square, 1e-12))
    level = min(LOUDEST_DB, max(QUIETEST_DB, level))
    return float(np.sqrt(2) * 10 ** (level / 20))


def covered(block: Samples, position: int, laid: Iterable[Cover], rate: int) -> Samples:
    """Return a block whose first sample is number `position`, with what lies under covers gone."""
    result = block
    for cover in laid:
        first, last = max(0, cover.start - position), min(len(block), cover.end - position)
        if first >= last:
            continue
        if result is block:
            result = block.copy()
        numbers = np.arange(position + first, position + last)
        kept = programme_gain(numbers, cover)
        wave = (1 - kept) * cover.peak * FULL * np.sin(2 * np.pi * TONE_HZ * numbers / rate)
        mixed = kept[:, np.newaxis] * block[first:last] + wave[:, np.newaxis]
        result[first:last] = np.clip(mixed, -FULL, FULL - 1).astype(np.int32)
    return result


def programme_gain(numbers: npt.NDArray[np.int64], cover: Cover) -> Floats:
    """Return what is left of the programme at samples of a cover: 0 but in its fades.

    Raised cosines: programme and tone together are never louder than the louder of them.
    """
    gain = np.zeros(len(numbers))
    for length, distance in (
        (cover.fade_in, numbers - cover.start),
        (cover.fade_out, cover.end - 1 - numbers),
    ):
        inside = distance < length
        gain[inside] = 0.5 + 0.5 * np.cos(np.pi * (distance[inside] + 1) / (length + 1))
    return gain
