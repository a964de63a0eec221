"""A first verdict on a file from its bytes alone: is it what its name says, is it all there?

Pure reading, no decoder: the upload service calls `sniff` in its own process.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ingestion.steps import containers, rows, textfiles
from ingestion.steps.contract import RefusedError

SUFFIXES = {
    ".wav": "wav",
    ".wave": "wav",
    ".bwf": "wav",
    ".flac": "flac",
    ".mp3": "mp3",
    ".ogg": "ogg",
    ".oga": "ogg",
    ".opus": "ogg",
    ".m4a": "m4a",
    ".m4b": "m4a",
    ".mp4": "m4a",
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
}
MEDIA_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "txt": "text/plain",
    "jsonl": "application/jsonl",
    "csv": "text/csv",
}
NAMES = {
    "wav": "a WAV file",
    "flac": "a FLAC file",
    "mp3": "an MP3 file",
    "ogg": "an Ogg file",
    "m4a": "an M4A file",
    "txt": "a plain text file",
    "jsonl": "a JSON Lines file",
    "csv": "a CSV file",
}
TEXT = frozenset({"txt", "jsonl", "csv"})
MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 4_000, 384_000

# What else people upload by mistake; named in the refusal and never opened.
STRANGERS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM file"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"FORM", "an AIFF file"),
    (b"#!AMR", "an AMR file"),
    (b"MThd", "a MIDI file"),
    (b"ID3", "an MP3 file"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"{\\rtf", "a Rich Text document"),
)
WRITTEN_IN_LETTERS = frozenset({"a PDF document", "a Rich Text document"})
# Pages and pictures made of markup, after a byte order mark and white space (WHATWG MIME §7.1).
MARKUP = (
    (re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE), "an HTML page"),
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), "an SVG picture"),
    (re.compile(rb"<\?xml\s", re.IGNORECASE), "an XML document"),
)


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file's bytes say. `kind` is "audio" or "text".

    Rate (Hz), channels and duration (ms) stand where the header tells them without decoding.
    """

    kind: str
    container: str
    codec: str
    media_type: str
    sample_rate: int | None = None
    channels: int | None = None
    duration_ms: int | None = None


def container_of(name: str) -> str:
    """Return the container that a file name promises. Raises RefusedError for other names."""
    container = SUFFIXES.get(PurePosixPath(name.replace("\\", "/")).suffix.lower())
    if container is None:
        message = (
            f"«{name}» can't be taken: its name must end in one of {', '.join(sorted(SUFFIXES))}. "
            "Export the recording as WAV, FLAC, MP3, Ogg/Opus or M4A, or the text as .txt, "
            ".jsonl or .csv."
        )
        raise RefusedError(message, reason="unsupported-type")
    return container


def sniff(path: Path, name: str) -> MediaInfo:
    """Check that the file at `path` is, whole, what `name` says.

    Raises RefusedError: `empty`, `unsupported-type`, `wrong-type`, `truncated`, `bad-header`,
    `video`, `too-many-channels`, `unsupported-codec`, or for texts `not-text`, `not-utf8`,
    `line-too-long`, `nested-too-deep`, `bad-row`, `text-too-large`.
    """
    promised = container_of(name)
    size = path.stat().st_size
    if size == 0:
        message = f"«{name}» is empty. Check the file on your disk and upload it again."
        raise RefusedError(message, reason="empty")
    with path.open("rb") as stream:
        if promised in TEXT:
            _refuse_stranger(stream, name, promised)
            rows.check(stream, name=name, form=promised, size=size)
            return MediaInfo("text", promised, "utf-8", MEDIA_TYPES[promised])
        found = containers.identify(stream, size)
        if found != promised:
            _refuse_other(stream, name, promised, found)
        header = containers.read_header(stream, size=size, name=name, container=promised)
    _check_numbers(header, name)
    return MediaInfo(
        "audio",
        promised,
        header.codec,
        MEDIA_TYPES[promised],
        header.sample_rate,
        header.channels,
        header.duration_ms,
    )


def _stranger(stream: BinaryIO) -> str | None:
    stream.seek(0)
    start = stream.read(512)
    found = next((words for magic, words in STRANGERS if start.startswith(magic)), None)
    return found or _markup(start)


def _markup(start: bytes) -> str | None:
    """Name the kind of markup that a file begins with, None for other contents."""
    text = start.removeprefix(textfiles.BYTE_ORDER_MARK.encode()).lstrip()
    return next((words for pattern, words in MARKUP if pattern.match(text)), None)


def _refuse_stranger(stream: BinaryIO, name: str, promised: str) -> None:
    stream.seek(0)
    start = stream.read(512)
    known = containers.magic(start)
    words = NAMES[known] if known else _stranger(stream)
    # A text may begin with "ID3" or "FORM" by chance, but it holds no control characters.
    clear = words in WRITTEN_IN_LETTERS or _markup(start) is not None
    if words and (clear or textfiles.CONTROL_BYTES.search(start)):
        _refuse_other(stream, name, promised, known)


def _refuse_other(stream: BinaryIO, name: str, promised: str, found: str | None) -> None:
    words = NAMES[found] if found else _stranger(stream)
    if words:
        message = (
            f"«{name}» is {words}, not {NAMES[promised]} as its name says. Rename or convert it."
        )
    else:
        message = (
            f"«{name}» is not {NAMES[promised]}: its contents can't be recognized. "
            "It may be damaged; export it again and upload the new file."
        )
    raise RefusedError(message, reason="wrong-type")


def _check_numbers(header: containers.Header, name: str) -> None:
    if header.channels is not None and header.channels > MAX_CHANNELS:
        message = (
            f"«{name}» says it has {header.channels} channels; {MAX_CHANNELS} is the most that can "
            "be taken. Export a stereo or mono mix."
        )
        raise RefusedError(message, reason="too-many-channels")
    if header.channels is not None and header.channels < 1:
        message = f"«{name}» says it has no audio channels, so it can't be played. Export it again."
        raise RefusedError(message, reason="bad-header")
    if header.sample_rate is not None and not MIN_RATE <= header.sample_rate <= MAX_RATE:
        message = (
            f"«{name}» says its sample rate is {header.sample_rate} Hz; only {MIN_RATE} to "
            f"{MAX_RATE} Hz makes sense for sound. Its header is damaged: export it again."
        )
        raise RefusedError(message, reason="bad-header")
