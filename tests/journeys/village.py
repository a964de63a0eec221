"""What a station brings over time: five people who say a sentence each, and one of them later.

Spoken by espeak-ng one after another, with a transcript beside each recording.
"""

import csv
import io
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ingestion.consent.imports import COLUMNS

TITLE = "Voices of the village"
NOTICE = "We would like to publish what you said so that computers can learn to write down speech."
PURPOSES = (
    *("speech-recognition", "language-modeling", "evaluation", "research"),
    *("commercial", "redistribution"),
)
PAUSE_MS = 1200


@dataclass(frozen=True)
class Voice:
    """Somebody who says a sentence, and what they do not agree to."""

    name: str
    words: str
    sound: str
    excluded: tuple[str, ...] = ("speech-synthesis",)
    given_on: str = "2026-03-03"


@dataclass(frozen=True)
class Said:
    """Where somebody says their sentence, in ms."""

    voice: Voice
    start: int
    end: int


AMINA = Voice("Amina", "the market opens early in the morning", "en-gb+f2")
JUMA = Voice("Juma", "the road to the river is dry again", "en-gb+m3")
ZURI = Voice("Zuri", "we sell fresh fish beside the bridge", "en-gb+f4")
BARAKA = Voice(
    *("Baraka", "my goats sleep under the old tree", "en-gb+m1"),
    excluded=("speech-synthesis", "commercial"),
)
NEEMA = Voice("Neema", "the rain came late in the valley", "en-gb+f3")
LATER = Voice("Amina", "the harvest is good in our fields", "en-gb+f2", given_on="2026-06-01")
FIRST = {"morning.wav": (AMINA, JUMA, ZURI, BARAKA, NEEMA)}
SECOND = {"harvest.wav": (LATER,)}
EVERYBODY = FIRST["morning.wav"]


Tapes = Mapping[str, Sequence[Voice]]
"""Who speaks in a recording of which name."""


def pseudonym(voice: Voice) -> str:
    """What everybody else calls them: pseudonyms are given in the order of the table."""
    return f"p-{EVERYBODY.index(voice) + 1:04d}"


@dataclass(frozen=True)
class Folder:
    """Recordings with their transcripts, the table of consents, and what people were told."""

    path: Path

    @property
    def recordings(self) -> Path:
        """Where the recordings lie, and nothing else."""
        return self.path / "in"

    @property
    def files(self) -> list[Path]:
        """Everything to upload."""
        return sorted(self.recordings.iterdir())

    @property
    def consent(self) -> Path:
        """The table of consents: everybody's who was ever asked, as a station keeps it."""
        return self.path / "consent.csv"

    @property
    def notice(self) -> Path:
        """What the people were told before they agreed."""
        return self.path / "notice.txt"


def record(path: Path, tapes: Tapes, before: Folder | None = None) -> Folder:
    """Have people speak, each tape one after another; whom the table `before` names stay in it."""
    folder = Folder(path)
    folder.recordings.mkdir(parents=True)
    folder.notice.write_text(NOTICE)
    rows = []
    if before:
        with before.consent.open(newline="") as file:
            rows = list(csv.DictReader(file))
    for name, voices in tapes.items():
        said = speak(folder.recordings / name, voices)
        write(
            (folder.recordings / name).with_suffix(".csv"),
            [{"start_ms": one.start, "end_ms": one.end, "text": one.voice.words} for one in said],
        )
        rows += [consent(name, one) for one in said]
    write(folder.consent, rows)
    return folder


def speak(path: Path, voices: Sequence[Voice]) -> list[Said]:
    """Say one sentence after another, with pauses between."""
    said, parts, rate = [], [], 0
    for voice in voices:
        command = ["espeak-ng", "-v", voice.sound, "-s", "150", "--stdout", voice.words]
        spoken = subprocess.run(command, check=True, capture_output=True).stdout
        samples, rate = soundfile.read(io.BytesIO(spoken), dtype="int16")
        start = sum(map(len, parts))
        parts += [samples, np.zeros(rate * PAUSE_MS // 1000, "int16")]
        said.append(Said(voice, start * 1000 // rate, (start + len(samples)) * 1000 // rate))
    soundfile.write(path, np.concatenate(parts), rate)
    return said


def consent(file: str, said: Said) -> dict[str, str]:
    """Somebody's line in the table of consents: theirs is half of the pause around them."""
    voice = said.voice
    return dict.fromkeys(COLUMNS, "") | {
        "speaker_name": voice.name,
        "role": "villager",
        "jurisdiction": "KE",
        "notice_language": "en",
        "given_on": voice.given_on,
        "purposes": ";".join(one for one in PURPOSES if one not in voice.excluded),
        "excluded_purposes": ";".join(voice.excluded),
        "file": file,
        "start": clock(max(0, said.start - PAUSE_MS // 2)),
        "end": clock(said.end + PAUSE_MS // 2),
    }


def clock(ms: int) -> str:
    """A moment as the table of consents writes it."""
    return f"0:{ms // 60_000:02d}:{ms % 60_000 // 1000:02d}.{ms % 1000:03d}"


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a table with its columns named."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
