"""Recordings made on the spot, and the jobs that the steps are given."""

import base64
import importlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ingestion.pipeline.contract import Job, Result
from ingestion.pipeline.steps import audio

ROOT = Path(__file__).parents[3]
RATE = 16_000
SECONDS = 1.5
# What a sample is called, and how ffmpeg makes it from a WAV file.
RECIPES = {
    "voice.wav": ("-c:a", "pcm_s16le"),
    "voice.flac": ("-c:a", "flac"),
    "voice.mp3": ("-c:a", "libmp3lame", "-b:a", "64k"),
    "voice.ogg": ("-c:a", "libvorbis"),
    "voice.opus": ("-c:a", "libopus"),
    "voice.m4a": ("-c:a", "aac"),
}


def tone(
    *, seconds: float = SECONDS, hz: int = 440, rate: int = RATE, peak: float = 0.5
) -> np.ndarray:
    """A sine; shape (samples,), full scale 1."""
    return peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def noise(*, seconds: float, rate: int = RATE, channels: int = 1, seed: int = 7) -> np.ndarray:
    """White noise at half of full scale, where no two samples are alike for long."""
    shape = (round(seconds * rate), channels)
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape)


def write(path: Path, samples: np.ndarray, *, rate: int = RATE, bits: int = 16) -> Path:
    """Write samples as WAV or FLAC."""
    soundfile.write(path, samples, rate, subtype=f"PCM_{bits}")
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg."""
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


@cache
def sample(name: str = "voice.wav", *, seconds: float = SECONDS) -> bytes:
    """The bytes of a tone, coded as the name says."""
    with tempfile.TemporaryDirectory() as folder:
        source = write(Path(folder) / "source.wav", tone(seconds=seconds))
        target = Path(folder) / name
        ffmpeg("-i", source, *RECIPES[name], target)
        return target.read_bytes()


CANARIES = ("Canary-Title", "Canary-Artist", "Canary-Place", "Canary-Chapter", "Canary-Cover")
TAGS = f"""\
;FFMETADATA1
title={CANARIES[0]}
artist={CANARIES[1]}
comment={CANARIES[2]}
[CHAPTER]
TIMEBASE=1/1000
START=0
END=700
title={CANARIES[3]} one
[CHAPTER]
TIMEBASE=1/1000
START=700
END=1500
title={CANARIES[3]} two
"""


@cache
def labeled(name: str) -> bytes:
    """A sample that carries tags, two chapters and a cover picture, each with a canary in it."""
    with tempfile.TemporaryDirectory() as folder:
        sound, tags, cover, target = (
            Path(folder) / part for part in ("source.wav", "tags.txt", "cover.png", name)
        )
        write(sound, tone())
        tags.write_text(TAGS)
        ffmpeg("-f", "lavfi", "-i", "color=red:size=8x8", "-frames:v", "1", cover)
        picture = _with_text_chunk(cover.read_bytes(), CANARIES[4].encode())
        cover.write_bytes(picture)
        read = ("-i", sound, "-i", tags, "-map_metadata", "1", "-map_chapters", "1", "-map", "0:a")
        if name == "voice.wav":
            ffmpeg(*read, *RECIPES[name], target)
        elif name in {"voice.opus", "voice.ogg"}:
            block = base64.b64encode(_flac_picture(picture)).decode()
            comment = f"METADATA_BLOCK_PICTURE={block}"
            ffmpeg(*read, "-metadata:s:a", comment, *RECIPES[name], target)
        else:
            picture_stream = ("-i", cover, "-map", "2:v", "-c:v", "copy")
            disposed = ("-disposition:v:0", "attached_pic")
            # Inputs stand before what is said of the output.
            ffmpeg(
                *read[:4], *picture_stream[:2], *read[4:], *picture_stream[2:], *disposed,
                *RECIPES[name], target,
            )  # fmt: skip
        return target.read_bytes()


def _with_text_chunk(png: bytes, text: bytes) -> bytes:
    """Return a PNG picture with a comment before its end (W3C PNG §11.3.3)."""
    body = b"tEXtComment\x00" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:-12] + chunk + png[-12:]


def _flac_picture(png: bytes) -> bytes:
    """Return a FLAC picture block's body (RFC 9639 §8.8), as Ogg's comments carry it."""
    mime = b"image/png"
    head = struct.pack(">II", 3, len(mime)) + mime + struct.pack(">I", 0)
    return head + struct.pack(">IIIII", 8, 8, 24, 0, len(png)) + png


def wav(
    data: bytes,
    *,
    form: bytes = b"RIFF",
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    declared: int | None = None,
    ds64: int | None = None,
    tag: int = 1,
) -> bytes:
    """A WAV file byte by byte; `declared` and `ds64` are what it claims of its data's length."""
    align = channels * bits // 8 % 65536
    body = b"WAVE"
    if ds64 is not None:
        body += b"ds64" + struct.pack("<IQQQI", 28, ds64 + 72, ds64, 0, 0)
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align, bits)
    body += b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(data) if declared is None else declared) + data
    size = len(body) if form == b"RIFF" else 0xFFFFFFFF
    return form + struct.pack("<I", size) + body


def samples_of(path: Path, name: str) -> np.ndarray:
    """All samples as the steps read them, left-justified 32 bit; shape (samples, channels)."""
    container = {"ogg": "ogg", "opus": "ogg"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
    with audio.opened(path, name=name, container=container) as reader:
        return np.concatenate(list(reader.blocks()))


def job(step: str, source: Path, workdir: Path, **particulars: Any) -> Job:
    """A job whose files exist; `name` is the source's own unless given."""
    workdir.mkdir(parents=True, exist_ok=True)
    return Job(**{"step": step, "source": source, "workdir": workdir, "name": source.name}
               | particulars)  # fmt: skip


def chain(
    source: Path,
    folder: Path,
    *steps: str,
    parameters: Mapping[str, dict[str, Any]] | None = None,
    earlier: Mapping[str, Result] | None = None,
    **particulars: Any,
) -> dict[str, Result]:
    """Run steps one after another in this process, each on what the earlier ones left."""
    done: dict[str, Result] = dict(earlier or {})
    for step in steps:
        module = importlib.import_module(f"ingestion.pipeline.steps.{step}")
        done[step] = module.run(
            job(
                step,
                source,
                folder / step,
                inputs={name: result.output for name, result in done.items()},
                input_files={
                    name: {file: folder / name / file for file in result.files}
                    for name, result in done.items()
                },
                parameters=(parameters or {}).get(step, {}),
                **particulars,
            )
        )
    return done


def decoded(source: Path, folder: Path, **particulars: Any) -> Result:
    """Run the decode step alone; its workdir is `folder`/decode."""
    return chain(source, folder, "decode", **particulars)["decode"]


def strongest_hz(samples: np.ndarray, rate: int) -> float:
    """The frequency that a stretch of one channel holds most of."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


def child(
    document: dict[str, Any], *, timeout: float = 60
) -> tuple[int, dict[str, Any] | None, str]:
    """Run `ingestion.pipeline.steps` on a job; return exit code, result.json and stderr."""
    workdir = Path(document["workdir"])
    workdir.mkdir(parents=True, exist_ok=True)
    path = workdir / "job.json"
    path.write_text(json.dumps(document))
    done = run_step(path, timeout=timeout)
    result = workdir / "result.json"
    found = json.loads(result.read_bytes()) if result.exists() else None
    return done.returncode, found, done.stderr


def run_step(
    job: Path, *, parent: int | None = None, timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run a job file in a child like the pipeline's, which is told who started it."""
    asked_by = str(os.getpid() if parent is None else parent)
    command = ("-m", "ingestion.pipeline.steps", str(job), asked_by)
    return run_python(*command, timeout=timeout, scratch=job.parent)


def run_python(
    *arguments: str, timeout: float = 60, scratch: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run Python in a child like the pipeline's: our code on its path and one thread."""
    room = {} if scratch is None else {"TMPDIR": str(scratch)}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment() | room,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def environment() -> dict[str, str]:
    """What the pipeline passes to a step's process."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", "OMP_NUM_THREADS": "1"}


def segment(
    text: str,
    times: Sequence[tuple[int, int] | None],
    *,
    start_ms: int,
    end_ms: int,
) -> dict[str, Any]:
    """A segment of the text step: its words at these times, None for a word without one."""
    words, position = [], 0
    for word, time in zip(text.split(), times, strict=True):
        first = text.index(word, position)
        position = first + len(word)
        words.append(
            {
                "text": word,
                "start_char": first,
                "end_char": position,
                "start_ms": time[0] if time else None,
                "end_ms": time[1] if time else None,
                "timed": time is not None,
                "confidence": None,
            }
        )
    return {
        "start_ms": start_ms,
        "end_ms": end_ms,
        "text": text,
        "speaker": None,
        "words": words,
    }
