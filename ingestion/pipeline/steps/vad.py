"""Step 2: where is speech. WebRTC's detector, smoothed; it also answers to some music."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import soundfile
import webrtcvad

from ingestion.pipeline.contract import Job, Result, Tool

FRAME_MS = 30
RATE = 16_000
FRAME = RATE * FRAME_MS // 1000
DEFAULT_MODE = 2
JOIN_MS, PAD_MS, SHORTEST_MS = 300, 120, 150

Window = tuple[int, int]


def run(job: Job) -> Result:
    """Return `{"windows": [[start_ms, end_ms]…], "speech_ms"}` of analysis.flac.

    Parameters: `mode` 0 (takes most for speech) to 3 (takes least).
    """
    mode = int(job.parameters.get("mode", DEFAULT_MODE))
    duration_ms = int(job.output_of("decode")["duration_ms"])
    windows = speech(job.file_of("decode", "analysis.flac"), duration_ms=duration_ms, mode=mode)
    output = {
        "windows": [list(window) for window in windows],
        "speech_ms": sum(end - start for start, end in windows),
    }
    return Result(output, Tool("webrtcvad", metadata.version("webrtcvad-wheels")))


def speech(analysis: Path, *, duration_ms: int, mode: int = DEFAULT_MODE) -> list[Window]:
    """Return the stretches of speech (ms) of a 16 kHz mono file.

    Frames of 30 ms; gaps under 300 ms are closed, stretches under 150 ms dropped, 120 ms added on
    both sides, clamped to `duration_ms`.
    """
    stretches: list[list[int]] = []
    for index, voiced in enumerate(_frames(analysis, mode)):
        if not voiced:
            continue
        start = index * FRAME_MS
        if stretches and start - stretches[-1][1] < JOIN_MS:
            stretches[-1][1] = start + FRAME_MS
        else:
            stretches.append([start, start + FRAME_MS])
    kept = [stretch for stretch in stretches if stretch[1] - stretch[0] >= SHORTEST_MS]
    return _padded(kept, duration_ms)


def _frames(analysis: Path, mode: int) -> Iterator[bool]:
    detector = webrtcvad.Vad(mode)
    for block in soundfile.blocks(analysis, blocksize=FRAME, dtype="int16"):
        if len(block) == FRAME:
            yield detector.is_speech(block.tobytes(), RATE)


def _padded(stretches: list[list[int]], duration_ms: int) -> list[Window]:
    windows: list[Window] = []
    for start, end in stretches:
        padded = (max(0, start - PAD_MS), min(duration_ms, end + PAD_MS))
        if windows and padded[0] <= windows[-1][1]:
            windows[-1] = (windows[-1][0], padded[1])
        elif padded[1] > padded[0]:
            windows.append(padded)
    return windows
