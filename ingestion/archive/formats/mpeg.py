"""MPEG audio frames (ISO/IEC 11172-3 §2.4.1.3, 13818-3), ID3v2 and the Xing/Info tag."""

from dataclasses import dataclass
from typing import BinaryIO

SEARCH_BYTES = 64 * 1024
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
BITRATES_V1 = {
    3: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
BITRATES_V2 = {
    3: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
VERSION_1 = 3
LAYER_1, LAYER_3 = 3, 1
MONO = 3
HAS_FRAMES, HAS_BYTES = 1, 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame's header: where it starts, its length in bytes, samples per channel."""

    offset: int
    length: int
    samples: int
    sample_rate: int
    channels: int
    version: int


def id3_length(stream: BinaryIO) -> int:
    """Return how many bytes of ID3v2 tags stand at the start of the file (0 when none do)."""
    offset = 0
    while True:
        stream.seek(offset)
        head = stream.read(10)
        if len(head) < 10 or head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:10]):
            return offset
        length = 0
        for byte in head[6:10]:
            length = length << 7 | byte
        offset += 10 + length + (10 if head[5] & 0x10 else 0)


def parse_frame(head: bytes, offset: int) -> Frame | None:
    """Read a four-byte frame header; None when it isn't one."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate_index, bitrate_index = head[2] >> 2 & 3, head[2] >> 4
    if version not in RATES or layer == 0 or rate_index == 3 or bitrate_index in {0, 15}:
        return None
    table = BITRATES_V1 if version == VERSION_1 else BITRATES_V2
    bitrate, rate = table[layer][bitrate_index] * 1000, RATES[version][rate_index]
    padding = head[2] >> 1 & 1
    if layer == LAYER_1:
        samples, length = 384, (12 * bitrate // rate + padding) * 4
    else:
        samples = 576 if layer == LAYER_3 and version != VERSION_1 else 1152
        length = samples // 8 * bitrate // rate + padding
    channels = 1 if head[3] >> 6 == MONO else 2
    return Frame(offset, length, samples, rate, channels, version)


def first_frame(stream: BinaryIO, offset: int) -> Frame | None:
    """Return the first frame that another of the same kind follows, None when there is none.

    A sync word alone is eleven bits and stands in any file by chance.
    """
    stream.seek(offset)
    window = stream.read(SEARCH_BYTES)
    position = window.find(b"\xff")
    while position >= 0:
        frame = parse_frame(window[position : position + 4], offset + position)
        if frame is not None:
            stream.seek(frame.offset + frame.length)
            following = parse_frame(stream.read(4), frame.offset + frame.length)
            if following and following.sample_rate == frame.sample_rate:
                return frame
        position = window.find(b"\xff", position + 1)
    return None


def _tag(stream: BinaryIO, frame: Frame) -> bytes:
    """Return the Xing or Info tag of the first frame (from its four letters on), or nothing."""
    side = (
        (17 if frame.channels == 1 else 32)
        if frame.version == VERSION_1
        else (9 if frame.channels == 1 else 17)
    )
    stream.seek(frame.offset + 4 + side)
    tag = stream.read(16)
    return tag if tag[:4] in {b"Xing", b"Info"} and len(tag) == 16 else b""


def declared_samples(stream: BinaryIO, frame: Frame) -> int | None:
    """Return the samples per channel that a Xing/Info tag declares, None without one."""
    tag = _tag(stream, frame)
    if not tag or not tag[7] & HAS_FRAMES:
        return None
    return int.from_bytes(tag[8:12], "big") * frame.samples


def declared_bytes(stream: BinaryIO, frame: Frame) -> int:
    """Return the bytes of audio that a Xing/Info tag declares, 0 without one."""
    tag = _tag(stream, frame)
    if not tag or tag[7] & 3 != HAS_FRAMES | HAS_BYTES:
        return 0
    return int.from_bytes(tag[12:16], "big")
