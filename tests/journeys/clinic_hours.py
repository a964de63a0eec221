"""What a station brings: two recordings that people read aloud, and one with numbers in it.

The last is spoken by espeak-ng, so that nobody's telephone rings.
"""

import csv
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ingestion.consent.imports import COLUMNS
from tests.journeys import real_speech

READ_ALOUD = 2
SPOKEN = "clinic-hours.wav"
PHONE = "zero seven seven two nine four six zero nine five eight"
MAIL = "clinic at example dot org"
PAGE = "example dot org slash hours"
NAME = "nurse grace"
SAID = (
    f"the clinic opens at nine. call {NAME} on {PHONE}. "
    f"or write a letter to {MAIL}. the hours are on our page {PAGE} and on the door."
)
NOTICE = "We would like to publish what you said so that computers can learn to write down speech."


@dataclass(frozen=True)
class Tape:
    """A folder of recordings with a transcript of the same name beside each."""

    folder: Path

    @property
    def files(self) -> list[Path]:
        """Everything to upload."""
        return sorted(self.folder.iterdir())

    @property
    def read_aloud(self) -> list[str]:
        """The recordings of the reader."""
        return sorted(path.name for path in self.folder.glob("*.wav") if path.name != SPOKEN)


def record(folder: Path) -> Tape:
    """Lay out the recordings."""
    real_speech.lay_out(folder)
    for path in sorted(folder.glob("*.wav"))[READ_ALOUD:]:
        path.unlink()
        path.with_suffix(".txt").unlink()
    speak(folder / SPOKEN)
    (folder / SPOKEN).with_suffix(".txt").write_text(SAID + "\n")
    return Tape(folder)


def speak(path: Path) -> None:
    """Say it slowly enough to be set to the words."""
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", str(path), SAID], check=True)


def consents(path: Path, *, file: str, end: str = "") -> Path:
    """Write the table with the speaker's consent to all but an artificial voice, up to `end`."""
    row = dict.fromkeys(COLUMNS, "") | {
        "speaker_name": "Grace Announcer",
        "role": "presenter",
        "jurisdiction": "KE",
        "notice_language": "en",
        "given_on": "2026-03-03",
        "purposes": "speech-recognition;language-modeling;evaluation;research;commercial;"
        "redistribution",
        "excluded_purposes": "speech-synthesis",
        "file": file,
        "start": "0:00:00" if end else "",
        "end": end,
    }
    with path.open("w", newline="") as file_object:
        table = csv.DictWriter(file_object, COLUMNS)
        table.writeheader()
        table.writerow(row)
    return path
