"""The protocol of a transcription engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ingestion.pipeline.transcripts import Transcript

Window = tuple[int, int]

DRAFT, REFERENCE = "draft", "reference"


class Engine(Protocol):
    """Hears a recording. `grade` says what its text is good for without a person: see design §6."""

    name: str
    version: str
    model_sha256: str | None
    grade: str

    def transcribe(
        self,
        analysis: Path,
        *,
        language: str,
        windows: Sequence[Window],
        parameters: Mapping[str, Any],
    ) -> Transcript:
        """Return what is said in the windows (ms) of a 16 kHz mono file, with times per word."""


def packed(windows: Sequence[Window], *, longest_ms: int) -> list[Window]:
    """Join neighboring windows while they span at most `longest_ms`; cut those that are longer."""
    joined: list[Window] = []
    for start, end in windows:
        if joined and end - joined[-1][0] <= longest_ms:
            joined[-1] = (joined[-1][0], end)
            continue
        position = start
        while end - position > longest_ms:
            joined.append((position, position + longest_ms))
            position += longest_ms
        joined.append((position, end))
    return joined
