"""Audio containers, read without a decoder: magic numbers, headers, declared lengths.

Sources: RIFF/WAVE (Microsoft 1991), RF64 (EBU Tech 3306), FLAC (RFC 9639), MPEG audio
(ISO/IEC 11172-3 §2.4.1.3), Ogg (RFC 3533), Opus (RFC 7845), ISO base media (ISO/IEC 14496-12 §4.2).
"""

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from commonhold.sentences import Sentence, _, filled, n_

from ingestion.archive.formats import mpeg
from ingestion.archive.formats.refusal import RefusedError

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 0x1, 0x3, 0x6, 0x7, 0xFFFE
WAV_CODECS = {PCM: "pcm", FLOAT: "pcm_float", ALAW: "alaw", MULAW: "mulaw"}
UNSAID = 0xFFFFFFFF
LONGEST_MS = 30 * 24 * 3600 * 1000
# Tools that write to a pipe can't come back to fill in the length.
PIPE_LENGTHS = frozenset({0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x7FFFFFFF - 36})
OGG_CODECS = (
    (b"OpusHead", "opus"),
    (b"\x01vorbis", "vorbis"),
    (b"\x7fFLAC", "flac"),
    (b"Speex   ", "speex"),
    (b"\x80theora", "theora"),
)
VIDEO = frozenset({"theora"})


@dataclass(frozen=True, slots=True)
class Header:
    """What the header declares: Hz, channels, ms, samples per channel; None where it doesn't."""

    codec: str
    sample_rate: int | None = None
    channels: int | None = None
    duration_ms: int | None = None
    samples: int | None = None
    skipped: int = 0
    """Samples at the start that are not played (Opus pre-skip)."""


def magic(start: bytes) -> str | None:
    """Return the container that the first 12 bytes name, None when they name none."""
    if start[:4] in {b"RIFF", b"RF64", b"BW64"} and start[8:12] == b"WAVE":
        return "wav"
    if start[:4] == b"fLaC":
        return "flac"
    if start[:4] == b"OggS":
        return "ogg"
    if start[4:8] == b"ftyp":
        return "m4a"
    return None


def identify(stream: BinaryIO, size: int) -> str | None:
    """Return "wav", "flac", "ogg", "m4a" or "mp3" by content, None when it is none of them."""
    offset = mpeg.id3_length(stream)
    if offset >= size:
        return None
    stream.seek(offset)
    found = magic(stream.read(12))
    if found:
        return found
    return "mp3" if mpeg.first_frame(stream, offset) is not None else None


def read_header(stream: BinaryIO, *, size: int, name: str, container: str) -> Header:
    """Read the header of a file of `size` bytes whose container is known. Raises RefusedError."""
    readers = {"wav": _wav, "flac": _flac, "ogg": _ogg, "m4a": _m4a, "mp3": _mp3}
    try:
        return readers[container](stream, size, name)
    except (struct.error, IndexError) as error:
        raise truncated(name) from error


def truncated(name: str) -> RefusedError:
    """Return the refusal of a file that ends too early."""
    sentence = _(
        "«%(path)s» is cut off: it ends before its header says it should. "
        "Copy it from the recorder again and upload the whole file."
    )
    return RefusedError(sentence, reason="truncated", path=name)


def bad_header(name: str, why: Sentence) -> RefusedError:
    """Return the refusal of a file whose header contradicts itself or its bytes."""
    sentence = _(
        "«%(path)s» has a damaged header: %(why)s. Export it again from the program that made it."
    )
    return RefusedError(sentence, reason="bad-header", path=name, why=why)


def no_sound(name: str) -> RefusedError:
    """Return the refusal of a file whose audio part is empty."""
    sentence = _("«%(path)s» holds no sound: its audio part is empty. Check the recording.")
    return RefusedError(sentence, reason="empty", path=name)


def unsupported_codec(name: str, codec: str | Sentence) -> RefusedError:
    """Return the refusal of a codec that a known container carries."""
    sentence = _(
        "«%(path)s» holds sound in a coding (%(codec)s) that can't be read here. "
        "Export it as WAV (PCM), FLAC, MP3, Opus or AAC."
    )
    return RefusedError(sentence, reason="unsupported-codec", path=name, codec=codec)


def _chunks(stream: BinaryIO, start: int, size: int) -> list[tuple[bytes, int, int]]:
    """List RIFF chunks as (id, offset of the body, declared length), up to the first `data`."""
    found: list[tuple[bytes, int, int]] = []
    position = start
    while position + 8 <= size and len(found) < 1000:
        stream.seek(position)
        identifier, length = struct.unpack("<4sI", stream.read(8))
        found.append((identifier, position + 8, length))
        if identifier == b"data":
            break
        position += 8 + length + (length & 1)
    return found


def _wav(stream: BinaryIO, size: int, name: str) -> Header:
    stream.seek(0)
    form = stream.read(4)
    chunks = {
        identifier: (offset, length) for identifier, offset, length in _chunks(stream, 12, size)
    }
    if b"fmt " not in chunks:
        raise bad_header(name, _("it doesn't say how the sound is coded"))
    if b"data" not in chunks:
        raise truncated(name)
    stream.seek(chunks[b"fmt "][0])
    fmt = stream.read(min(chunks[b"fmt "][1], 40))
    tag, channels, rate, _second, align, bits = struct.unpack("<HHIIHH", fmt[:16])
    if tag == EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack("<H", fmt[24:26])[0]
    if tag not in WAV_CODECS:
        raise unsupported_codec(name, filled(_("WAV format %(tag)s"), tag=f"{tag:#06x}"))
    if channels and align != channels * ((bits + 7) // 8):
        raise bad_header(name, _("its channels, bits and block size contradict each other"))
    offset, length = chunks[b"data"]
    if form != b"RIFF" and length == UNSAID:
        length = _ds64_length(stream, chunks, name)
    elif length in PIPE_LENGTHS:
        length = size - offset
    if offset + length > size:
        raise truncated(name)
    if length == 0 or not align:
        raise no_sound(name) if channels else bad_header(name, _("it has no channels"))
    samples = length // align
    duration = samples * 1000 // rate if rate else None
    return Header(WAV_CODECS[tag], rate, channels, duration, samples)


def _ds64_length(stream: BinaryIO, chunks: dict[bytes, tuple[int, int]], name: str) -> int:
    if b"ds64" not in chunks:
        raise bad_header(name, _("it calls itself RF64 but lacks the 64-bit lengths"))
    stream.seek(chunks[b"ds64"][0])
    _riff, length, _samples = struct.unpack("<QQQ", stream.read(24))
    return int(length)


def _flac(stream: BinaryIO, size: int, name: str) -> Header:
    offset = mpeg.id3_length(stream)
    stream.seek(offset)
    start = stream.read(42)
    if len(start) < 42 or start[4] & 0x7F != 0:
        raise (
            truncated(name) if size < offset + 42 else bad_header(name, _("STREAMINFO is missing"))
        )
    packed = int.from_bytes(start[18:26], "big")
    rate, channels = packed >> 44, ((packed >> 41) & 7) + 1
    samples = packed & 0xFFFFFFFFF
    position, last = offset + 4, False
    while not last:
        stream.seek(position)
        head = stream.read(4)
        last = bool(head[0] & 0x80)
        position += 4 + int.from_bytes(head[1:4], "big")
        if position > size:
            raise truncated(name)
    if position == size:
        raise truncated(name)
    duration = samples * 1000 // rate if samples and rate else None
    return Header("flac", rate, channels, duration, samples or None)


def _mp3(stream: BinaryIO, size: int, name: str) -> Header:
    offset = mpeg.id3_length(stream)
    frame = mpeg.first_frame(stream, offset)
    if frame is None:
        raise truncated(name)
    samples = mpeg.declared_samples(stream, frame)
    if samples is None:
        return Header("mp3", frame.sample_rate, frame.channels)
    if size < frame.offset + mpeg.declared_bytes(stream, frame):
        raise truncated(name)
    return Header(
        "mp3", frame.sample_rate, frame.channels, samples * 1000 // frame.sample_rate, samples
    )


def _ogg(stream: BinaryIO, size: int, name: str) -> Header:
    codecs = []
    position, page_end = 0, 0
    while position + 27 <= size:
        stream.seek(position)
        head = stream.read(27)
        if head[:4] != b"OggS":
            raise (
                bad_header(name, _("its pages don't follow each other"))
                if not page_end
                else truncated(name)
            )
        sizes = stream.read(head[26])
        page_end = position + 27 + head[26] + sum(sizes)
        if page_end > size or len(sizes) < head[26]:
            raise truncated(name)
        if not head[5] & 2:  # RFC 3533 §6: first pages of all streams come before everything else
            break
        codecs.append(_ogg_codec(stream.read(64), name))
        position = page_end
    if not codecs:
        raise truncated(name)
    if any(header.codec in VIDEO for header in codecs):
        raise video(name)
    if len(codecs) > 1:
        raise several_tracks(name, len(codecs))
    last = _last_granule(stream, size, name)
    (header,) = codecs
    if not header.sample_rate or last <= header.skipped:
        return header
    duration_ms = (last - header.skipped) * 1000 // header.sample_rate
    return replace(header, duration_ms=believable(duration_ms))


def believable(duration_ms: int) -> int | None:
    """Return a declared duration unless it is absurd; decoding will tell the true one."""
    return duration_ms if 0 < duration_ms <= LONGEST_MS else None


def _last_granule(stream: BinaryIO, size: int, name: str) -> int:
    """Return the last page's granule position: samples so far (RFC 3533 §6, RFC 7845 §4)."""
    window = min(size, 27 + 255 + 255 * 255)  # the largest page (RFC 3533 §6)
    stream.seek(size - window)
    tail = stream.read(window)
    position = tail.rfind(b"OggS")
    page = tail[position:] if position >= 0 else b""
    if len(page) < 27 or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        raise truncated(name)
    return int.from_bytes(page[6:14], "little", signed=True)


def _ogg_codec(body: bytes, name: str) -> Header:
    codec = next((codec for start, codec in OGG_CODECS if body.startswith(start)), None)
    if codec == "opus":
        skipped = int.from_bytes(body[10:12], "little")
        return Header("opus", 48_000, body[9], skipped=skipped)
    if codec == "vorbis":
        channels, rate = struct.unpack("<BI", body[11:16])
        return Header("vorbis", rate, channels)
    if codec in {"flac", "theora"}:
        return Header(codec)
    raise unsupported_codec(name, codec or _("unknown Ogg stream"))


def _m4a(stream: BinaryIO, size: int, name: str) -> Header:
    handlers: list[bytes] = []
    duration_ms: int | None = None
    position, moov = 0, False
    while position + 8 <= size:
        stream.seek(position)
        length, kind = struct.unpack(">I4s", stream.read(8))
        if length == 1:
            length = struct.unpack(">Q", stream.read(8))[0]
        elif length == 0:
            length = size - position
        if length < 8 or position + length > size:
            raise truncated(name)
        if kind == b"moov":
            moov = True
            handlers = _handlers(stream, position + 8, position + length)
            duration_ms = _movie_duration(stream, position + 8)
        position += length
    if not moov:
        raise truncated(name)
    if b"vide" in handlers:
        raise video(name)
    if handlers.count(b"soun") != 1:
        raise several_tracks(name, handlers.count(b"soun"))
    return Header("mp4a", duration_ms=duration_ms)


def _movie_duration(stream: BinaryIO, start: int) -> int | None:
    """Return the ms that `mvhd`, first in a moov box, declares (ISO/IEC 14496-12 §8.2.2)."""
    stream.seek(start)
    _page, kind, version = struct.unpack(">I4sB", stream.read(9))
    if kind != b"mvhd":
        return None
    stream.seek(start + (28 if version else 20))
    scale, length = struct.unpack(">IQ" if version else ">II", stream.read(12 if version else 8))
    return believable(length * 1000 // scale) if scale else None


def _handlers(stream: BinaryIO, start: int, end: int) -> list[bytes]:
    """Return the media handlers (`soun`, `vide`, …) of the tracks in a moov box."""
    found: list[bytes] = []
    stack = [(start, end)]
    while stack and len(found) < 100:
        position, stop = stack.pop()
        while position + 8 <= stop:
            stream.seek(position)
            length, kind = struct.unpack(">I4s", stream.read(8))
            if length < 8 or position + length > stop:
                break
            if kind in {b"trak", b"mdia"}:
                stack.append((position + 8, position + length))
            elif kind == b"hdlr":
                found.append(stream.read(12)[8:12])
            position += length
    return found


def video(name: str) -> RefusedError:
    """Return the refusal of moving pictures."""
    sentence = _("«%(path)s» is a video. Export its sound as WAV, FLAC or M4A and upload that.")
    return RefusedError(sentence, reason="video", path=name)


def several_tracks(name: str, count: int) -> RefusedError:
    """Return the refusal of a file with no or several audio tracks."""
    sentence = n_(
        "«%(path)s» holds %(tracks)s audio track; exactly one is needed. "
        "Export each track as a file of its own.",
        "«%(path)s» holds %(tracks)s audio tracks; exactly one is needed. "
        "Export each track as a file of its own.",
        count,
    )
    return RefusedError(sentence, reason="several-tracks", path=name, tracks=count)
