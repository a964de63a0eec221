"""A first verdict on a file from its bytes alone: is it what its name says, is it all there?

Pure reading, no decoder: the upload service calls `sniff` in its own process.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from commonhold.sentences import Sentence, _

from ingestion.archive.formats import containers, rows, textfiles
from ingestion.archive.formats.refusal import RefusedError

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
    ".srt": "srt",
    ".vtt": "vtt",
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
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}
NAMES = {
    "wav": _("a WAV file"),
    "flac": _("a FLAC file"),
    "mp3": _("an MP3 file"),
    "ogg": _("an Ogg file"),
    "m4a": _("an M4A file"),
    "txt": _("a plain text file"),
    "jsonl": _("a JSON Lines file"),
    "csv": _("a CSV file"),
    "srt": _("a file of SubRip subtitles"),
    "vtt": _("a file of WebVTT subtitles"),
}
TEXT = frozenset({"txt", "jsonl", "csv", "srt", "vtt"})
MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 4_000, 384_000

# What else people upload by mistake; named in the refusal and never opened.
STRANGERS = (
    (b"PK\x03\x04", _("a ZIP archive")),
    (b"%PDF", _("a PDF document")),
    (b"\x1f\x8b", _("a gzip archive")),
    (b"7z\xbc\xaf", _("a 7-Zip archive")),
    (b"Rar!", _("a RAR archive")),
    (b"\x7fELF", _("a program")),
    (b"MZ", _("a program")),
    (b"\x89PNG", _("a PNG picture")),
    (b"\xff\xd8\xff", _("a JPEG picture")),
    (b"GIF8", _("a GIF picture")),
    (b"\x1aE\xdf\xa3", _("a Matroska or WebM file")),
    (b"\x30\x26\xb2\x75", _("a Windows Media file")),
    (b"FORM", _("an AIFF file")),
    (b"#!AMR", _("an AMR file")),
    (b"MThd", _("a MIDI file")),
    (b"ID3", _("an MP3 file")),
    (b"\xd0\xcf\x11\xe0", _("an Office document")),
    (b"{\\rtf", _("a Rich Text document")),
)
WRITTEN_IN_LETTERS = frozenset({_("a PDF document"), _("a Rich Text document")})
# Pages and pictures made of markup, after a byte order mark and white space (WHATWG MIME §7.1).
MARKUP = (
    (re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE), _("an HTML page")),
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), _("an SVG picture")),
    (re.compile(rb"<\?xml\s", re.IGNORECASE), _("an XML document")),
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
        sentence = _(
            "«%(path)s» can't be taken: its name must end in one of %(endings)s. "
            "Export the recording as WAV, FLAC, MP3, Ogg/Opus or M4A, or the text as .txt, "
            ".jsonl, .csv, .srt or .vtt."
        )
        endings = ", ".join(sorted(SUFFIXES))
        raise RefusedError(sentence, reason="unsupported-type", path=name, endings=endings)
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
        sentence = _("«%(path)s» is empty. Check the file on your disk and upload it again.")
        raise RefusedError(sentence, reason="empty", path=name)
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


def _stranger(stream: BinaryIO) -> Sentence | None:
    stream.seek(0)
    start = stream.read(512)
    found = next((words for magic, words in STRANGERS if start.startswith(magic)), None)
    return found or _markup(start)


def _markup(start: bytes) -> Sentence | None:
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
        sentence = _(
            "«%(path)s» is %(found)s, not %(promised)s as its name says. Rename or convert it."
        )
    else:
        sentence = _(
            "«%(path)s» is not %(promised)s: its contents can't be recognized. "
            "It may be damaged; export it again and upload the new file."
        )
    raise RefusedError(
        sentence, reason="wrong-type", path=name, found=words, promised=NAMES[promised]
    )


def _check_numbers(header: containers.Header, name: str) -> None:
    if header.channels is not None and header.channels > MAX_CHANNELS:
        sentence = _(
            "«%(path)s» says it has %(channels)s channels; %(most)s is the most that can be taken. "
            "Export a stereo or mono mix."
        )
        raise RefusedError(
            sentence,
            reason="too-many-channels",
            path=name,
            channels=header.channels,
            most=MAX_CHANNELS,
        )
    if header.channels is not None and header.channels < 1:
        sentence = _(
            "«%(path)s» says it has no audio channels, so it can't be played. Export it again."
        )
        raise RefusedError(sentence, reason="bad-header", path=name)
    if header.sample_rate is not None and not MIN_RATE <= header.sample_rate <= MAX_RATE:
        sentence = _(
            "«%(path)s» says its sample rate is %(rate)s Hz; only %(least)s to %(most)s Hz makes "
            "sense for sound. Its header is damaged: export it again."
        )
        raise RefusedError(
            sentence,
            reason="bad-header",
            path=name,
            rate=header.sample_rate,
            least=MIN_RATE,
            most=MAX_RATE,
        )
