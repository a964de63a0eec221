"""pocketsphinx as an engine: English, on any machine, only good enough for a draft."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pocketsphinx
import soundfile

from ingestion.pipeline.engines.engine import DRAFT, Window, packed
from ingestion.pipeline.transcripts import Segment, Transcript, Word

NAME = "pocketsphinx"
RATE = 16_000
FRAME_MS = 10
LONGEST_MS = 30_000
VARIANT = re.compile(r"\(\d+\)$")
MODEL_FILES = ("means", "mdef", "variances", "transition_matrices", "sendump")


class Sphinx:
    """The engine of a fresh machine. One word in three is wrong on read English (measured)."""

    name = NAME
    grade = DRAFT

    def __init__(self) -> None:
        self.version = metadata.version("pocketsphinx")
        self.model_sha256: str | None = _model_digest()
        self._decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")

    def transcribe(
        self,
        analysis: Path,
        *,
        language: str,
        windows: Sequence[Window],
        parameters: Mapping[str, Any],
    ) -> Transcript:
        """Return a draft in lower case without punctuation. `language` must be "en"."""
        del language, parameters
        segments = [
            segment
            for window in packed(windows, longest_ms=LONGEST_MS)
            for segment in self._heard(analysis, window)
        ]
        return Transcript(tuple(segments), self.grade, NAME, self.version, self.model_sha256)

    def _heard(self, analysis: Path, window: Window) -> list[Segment]:
        start, end = window
        audio, _ = soundfile.read(
            analysis, start=start * RATE // 1000, stop=end * RATE // 1000, dtype="int16"
        )
        self._decoder.start_utt()
        self._decoder.process_raw(audio.tobytes(), full_utt=True)
        self._decoder.end_utt()
        words: list[Word] = []
        text = ""
        for part in self._decoder.seg() or ():
            if part.word.startswith(("<", "[", "+", "(")):
                continue
            said = VARIANT.sub("", part.word)
            first = len(text) + 1 if text else 0
            text = f"{text} {said}" if text else said
            words.append(
                Word(
                    text=said,
                    start_char=first,
                    end_char=len(text),
                    start_ms=start + part.start_frame * FRAME_MS,
                    end_ms=min(end, start + (part.end_frame + 1) * FRAME_MS),
                    timed=True,
                    confidence=round(1000 * min(1.0, max(0.0, part.prob))),
                )
            )
        return [Segment(text, tuple(words), words[0].start_ms, words[-1].end_ms)] if words else []


def _model_digest() -> str:
    """Return one SHA-256 over the acoustic model, the dictionary and the language model."""
    folder = Path(pocketsphinx.get_model_path()) / "en-us"
    files = [folder / "en-us" / name for name in MODEL_FILES]
    files += [folder / "cmudict-en-us.dict", folder / "en-us.lm.bin"]
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
