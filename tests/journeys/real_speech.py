"""Real human speech: the LibriVox recordings in Debian's package pocketsphinx-testdata."""

import csv
import re
from pathlib import Path

from ingestion.consent.imports import COLUMNS

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
LINE = re.compile(r"<s> (?P<text>.*) </s> \((?P<name>.*)\)")
NOTICE = "We would like to publish your reading so that computers can learn to write down speech."


def lay_out(folder: Path) -> list[str]:
    """Copy the recordings with their transcripts beside them, and write the consent table.

    Returns the words that are said in each recording, in order of its name.
    """
    folder.mkdir()
    said = []
    for line in (LIBRIVOX / "transcription").read_text().splitlines():
        match = LINE.fullmatch(line)
        assert match is not None, line
        recording = LIBRIVOX / f"{match['name']}.wav"
        (folder / recording.name).write_bytes(recording.read_bytes())
        (folder / f"{match['name']}.txt").write_text(match["text"] + "\n")
        said.append(match["text"])
    write_consent(folder)
    return said


def write_consent(folder: Path) -> None:
    """The reader agrees to everything but the three that must be named."""
    purposes = (
        "speech-recognition;language-modeling;evaluation;research;commercial;"
        "speech-synthesis;redistribution"
    )
    row = dict.fromkeys(COLUMNS, "") | {
        "speaker_name": "The Reader",
        "role": "reader",
        "jurisdiction": "US",
        "notice_language": "en",
        "given_on": "2026-03-03",
        "purposes": purposes,
        "excluded_purposes": "voice-cloning",
    }
    with (folder.parent / "consent.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for path in sorted(folder.glob("*.wav")):
            table.writerow(row | {"file": path.name})
    (folder.parent / "notice.txt").write_text(NOTICE)
