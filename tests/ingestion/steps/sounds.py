"""Recordings made on the spot, and the jobs that the steps are given."""

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ingestion.steps import audio
from ingestion.steps.contract import Job

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


def child(
    document: dict[str, Any], *, timeout: float = 60
) -> tuple[int, dict[str, Any] | None, str]:
    """Run `python -m ingestion.steps` on a job; return exit code, result.json and stderr."""
    workdir = Path(document["workdir"])
    workdir.mkdir(parents=True, exist_ok=True)
    path = workdir / "job.json"
    path.write_text(json.dumps(document))
    done = run_module("ingestion.steps", path, timeout=timeout)
    result = workdir / "result.json"
    found = json.loads(result.read_bytes()) if result.exists() else None
    return done.returncode, found, done.stderr


def run_module(
    module: str, *arguments: str | Path, timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run a module of ours in a child like the pipeline's."""
    return run_python("-m", module, *map(str, arguments), timeout=timeout)


def run_python(*arguments: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    """Run Python in a child like the pipeline's: our code on its path and one thread."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(),
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
