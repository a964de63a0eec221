"""Makes the demo's recordings, transcripts and consent papers from scripts/*.toml.

Run `python -m demo.build` after changing a script, and commit what it writes to
speech/. It needs the programs espeak-ng and ffmpeg; loading the demo needs neither.
"""

import csv
import io
import itertools
import json
import struct
import subprocess
import tempfile
import tomllib
import wave
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demo import forms
from ingestion.consent import clock
from ingestion.consent.imports import COLUMNS

HERE = Path(__file__).parent
RATE = 22_050
LEAD_MS, PAUSE_MS, TURN_PAUSE_MS = 300, 520, 760
# Each program is given what it needs to write the same bytes again.
FLAC = ("-ar", "16000", "-sample_fmt", "s16", "-c:a", "flac", "-compression_level", "12")
OPUS = ("-c:a", "libopus", "-b:a", "24k", "-application", "voip")
INK, PAPER = (0x1D, 0x1A, 0x14), (0xFA, 0xF7, 0xF1)

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Turn:
    """What one speaker says at a stretch: as written, and half-open ms in the recording."""

    speaker: str
    text: str
    start_ms: int
    end_ms: int


def main() -> None:
    """Build every dataset's folder anew."""
    for path in sorted((HERE / "scripts").glob("*.toml")):
        script = tomllib.loads(path.read_text())
        folder = HERE / "speech" / path.stem
        folder.mkdir(parents=True, exist_ok=True)
        build(script=script, folder=folder)


def build(*, script: dict[str, Any], folder: Path) -> None:
    """Write the recordings, their transcripts, the consent table and the signed forms."""
    rows: list[dict[str, str]] = []
    for recording in script["recordings"]:
        sound, turns = perform(recording=recording, speakers=script["speakers"])
        path = folder / f"{recording['stem']}.{recording['form']}"
        encode(sound=sound, path=path, recording=recording)
        write_transcript(
            path=path.with_suffix(f".{script['transcript']}"),
            turns=turns,
            speakers=script["speakers"],
        )
        rows += consent_rows(script=script, path=path, turns=turns)
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    (folder / "consents.csv").write_text(buffer.getvalue())
    notice = (folder / "notice.txt").read_text()
    for slug, speaker in script["speakers"].items():
        if speaker.get("consent", True):
            form = forms.signed_form(notice=notice, name=speaker["name"], day=script["given_on"])
            (folder / f"{slug}-form.pdf").write_bytes(form)


def perform(*, recording: dict[str, Any], speakers: dict[str, Any]) -> tuple[Samples, list[Turn]]:
    """Speak a recording turn by turn; return its samples at RATE and where each turn lies."""
    parts, turns, position, before = [silence(LEAD_MS)], [], LEAD_MS, ""
    for speaker, text, *said in recording["turns"]:
        if before:
            pause = PAUSE_MS if speaker == before else TURN_PAUSE_MS
            parts.append(silence(pause))
            position += pause
        voice = speak(said[0] if said else text, *speakers[speaker]["voice"])
        length = len(voice) * 1000 // RATE
        voice = voice[: length * RATE // 1000]
        parts.append(voice)
        turns.append(Turn(speaker, text, position, position + length))
        position, before = position + length, speaker
    return np.concatenate([*parts, silence(LEAD_MS)]), turns


def silence(milliseconds: int) -> Samples:
    """Return nothing, for so long."""
    return np.zeros(milliseconds * RATE // 1000)


def speak(text: str, voice: str, pitch: int, speed: int, gain_db: float) -> Samples:
    """Return one speaker's words (full scale ±1), without the silence around them."""
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "-g", "1", "--stdout"]
    done = subprocess.run([*command, text], check=True, capture_output=True)
    with wave.open(io.BytesIO(done.stdout)) as sound:
        raw = sound.readframes(sound.getnframes())
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2").astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 60)
    samples = samples[max(0, loud[0] - 200) : loud[-1] + 900]
    level: Samples = samples / np.abs(samples).max() * 0.85 * 10 ** (gain_db / 20)
    return level


def encode(*, sound: Samples, path: Path, recording: dict[str, Any]) -> None:
    """Write the recording in its form, with the tags and the cover that a studio leaves in it."""
    tags = [f"{name}={value}" for name, value in recording.get("tags", {}).items()]
    with tempfile.TemporaryDirectory() as folder:
        source, cover = Path(folder) / "source.wav", Path(folder) / "cover.png"
        with wave.open(str(source), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((sound * 32767).astype("<i2").tobytes())
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(source)]
        if recording.get("cover"):
            cover.write_bytes(picture(sound))
            command += ["-i", str(cover), "-map", "0:a", "-map", "1:v", "-c:v", "copy"]
            command += ["-disposition:v", "attached_pic"]
        command += OPUS if recording["form"] == "opus" else FLAC
        command += [part for tag in tags for part in ("-metadata", tag)]
        subprocess.run([*command, "-bitexact", str(path)], check=True)


def picture(sound: Samples) -> bytes:
    """Return a cover: the recording's waveform in ink on paper, as a PNG of 240 pixels a side."""
    side, bars = 240, 30
    peaks = [np.abs(part).max() for part in np.array_split(sound, bars)]
    lines = []
    for y in range(side):
        row = bytearray([0])
        for x in range(side):
            peak = peaks[x * bars // side] * side * 0.45
            inked = x % (side // bars) < 5 and abs(y - side / 2) < max(2.0, peak)
            row += bytes(INK if inked else PAPER)
        lines.append(bytes(row))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(lines), 9)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def write_transcript(*, path: Path, turns: list[Turn], speakers: dict[str, Any]) -> None:
    """Write the text beside a recording: JSON Lines with times, or plain lines with names."""
    if path.suffix == ".jsonl":
        rows = [
            {
                "start": turn.start_ms / 1000,
                "end": turn.end_ms / 1000,
                "speaker": speakers[turn.speaker]["name"],
                "text": turn.text,
            }
            for turn in turns
        ]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    else:
        lines = [f"{speakers[turn.speaker]['name']}: {turn.text}" for turn in turns]
    path.write_text("\n".join(lines) + "\n")


def consent_rows(*, script: dict[str, Any], path: Path, turns: list[Turn]) -> list[dict[str, str]]:
    """Return a row for every stretch of a speaker; stretches meet in the middle of a pause."""
    # A little before the end: an encoder may drop some milliseconds of the silence there.
    length_ms = turns[-1].end_ms + LEAD_MS - 20
    middles = [(one.end_ms + other.start_ms) // 2 for one, other in itertools.pairwise(turns)]
    stretches: list[tuple[str, int, int]] = []
    for turn, start, end in zip(turns, [0, *middles], [*middles, length_ms], strict=True):
        goes_on = bool(stretches) and stretches[-1][0] == turn.speaker
        stretches.append((turn.speaker, stretches.pop()[1] if goes_on else start, end))
    return [
        consent_row(script=script, slug=slug, file=path.name, start_ms=start, end_ms=end)
        for slug, start, end in stretches
        if script["speakers"][slug].get("consent", True)
    ]


def consent_row(
    *, script: dict[str, Any], slug: str, file: str, start_ms: int, end_ms: int
) -> dict[str, str]:
    """Return one row of the consent table."""
    speaker = script["speakers"][slug]
    return {
        "speaker_name": speaker["name"],
        "speaker_contact": f"{slug}@example.org",
        "role": speaker["role"],
        "jurisdiction": script["jurisdiction"],
        "notice_language": script["language"].partition("-")[0],
        "notice_version": "2026-1",
        "given_on": script["given_on"],
        "expires_on": "",
        "purposes": script["purposes"],
        "excluded_purposes": script["excluded_purposes"],
        "file": file,
        "start": clock(start_ms),
        "end": clock(end_ms),
        "evidence": f"{slug}-form.pdf",
        "minor": "no",
    }


if __name__ == "__main__":
    main()
