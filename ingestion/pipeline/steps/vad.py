"""Step 2: where is speech. WebRTC's detector, smoothed; it also answers to some music."""

from collections.abc import Iterable, Iterator
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
    """Return `{"windows": [[start_ms, end_ms]…], "voiced": […], "speech_ms"}` of analysis.flac.

    `voiced` is what the detector answered to, frame by frame; `windows` is the same, smoothed.
    Parameters: `mode` 0 (takes most for speech) to 3 (takes least).
    """
    mode = int(job.parameters.get("mode", DEFAULT_MODE))
    duration_ms = int(job.output_of("decode")["duration_ms"])
    heard = voiced(job.file_of("decode", "analysis.flac"), mode=mode)
    windows = speech(heard, duration_ms=duration_ms)
    output = {
        "windows": [list(window) for window in windows],
        "voiced": [list(stretch) for stretch in heard],
        "speech_ms": sum(end - start for start, end in windows),
    }
    return Result(output, Tool("webrtcvad", metadata.version("webrtcvad-wheels")))


def voiced(analysis: Path, *, mode: int = DEFAULT_MODE) -> list[Window]:
    """Return the stretches (ms) of a 16 kHz mono file that the detector answers to, by 30 ms."""
    return _joined(
        (
            (index * FRAME_MS, (index + 1) * FRAME_MS)
            for index, is_voiced in enumerate(_frames(analysis, mode))
            if is_voiced
        ),
        within_ms=0,
    )


def speech(heard: Iterable[Window], *, duration_ms: int) -> list[Window]:
    """Return the stretches of speech (ms) in what was voiced.

    Gaps under 300 ms are closed, stretches under 150 ms dropped, 120 ms added on both sides,
    clamped to `duration_ms`.
    """
    stretches = _joined(heard, within_ms=JOIN_MS - 1)
    kept = [stretch for stretch in stretches if stretch[1] - stretch[0] >= SHORTEST_MS]
    return _padded(kept, duration_ms)


def _joined(stretches: Iterable[Window], *, within_ms: int) -> list[Window]:
    found: list[Window] = []
    for start, end in stretches:
        if found and start - found[-1][1] <= within_ms:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _frames(analysis: Path, mode: int) -> Iterator[bool]:
    detector = webrtcvad.Vad(mode)
    for block in soundfile.blocks(analysis, blocksize=FRAME, dtype="int16"):
        if len(block) == FRAME:
            yield detector.is_speech(block.tobytes(), RATE)


def _padded(stretches: list[Window], duration_ms: int) -> list[Window]:
    windows: list[Window] = []
    for start, end in stretches:
        padded = (max(0, start - PAD_MS), min(duration_ms, end + PAD_MS))
        if windows and padded[0] <= windows[-1][1]:
            windows[-1] = (windows[-1][0], padded[1])
        elif padded[1] > padded[0]:
            windows.append(padded)
    return windows
