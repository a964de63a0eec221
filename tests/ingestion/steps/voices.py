"""Speech whose words are known: Debian's test recordings, and espeak-ng."""

import io
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from ingestion.pipeline.steps.vad import RATE

FOLDER = Path("/usr/share/pocketsphinx/test/data/librivox")


@dataclass(frozen=True)
class Utterance:
    """A sentence of Debian's pocketsphinx-testdata: read English, 16 kHz mono."""

    text: str
    path: Path

    @property
    def audio(self) -> np.ndarray:
        """Its samples, 16 bit."""
        samples, rate = soundfile.read(self.path, dtype="int16")
        assert rate == RATE
        return samples

    @property
    def duration_ms(self) -> int:
        return soundfile.info(self.path).frames * 1000 // RATE


def librivox() -> list[Utterance]:
    """The five sentences of the package, with what is said in them."""
    lines = (FOLDER / "transcription").read_text().splitlines()
    matches = [re.fullmatch(r"<s> (.*) </s> \((.*)\)", line) for line in lines]
    return [Utterance(match[1], FOLDER / f"{match[2]}.wav") for match in matches if match]


@cache
def spoken(text: str, *, voice: str = "en-us") -> np.ndarray:
    """espeak-ng's reading of a text, 16 bit at 16 kHz."""
    wave = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", "140", "--stdout", text], capture_output=True, check=True
    ).stdout
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="int16")
    assert rate == 22_050
    return np.clip(np.rint(resample_poly(samples.astype(float), 320, 441)), -32_768, 32_767).astype(
        np.int16
    )


def hush(seconds: float) -> np.ndarray:
    """Near-silence, 16 bit."""
    noise = np.random.default_rng(3).normal(scale=8, size=int(seconds * RATE))
    return noise.astype(np.int16)
