"""FLAC's metadata blocks (RFC 9639 §8)."""

from pathlib import Path

STREAMINFO = 0
LAST = 0x80
BLOCK_NAMES = {
    1: "padding",
    2: "application",
    3: "seektable",
    4: "tags",
    5: "cuesheet",
    6: "picture",
}


class NotFlacError(ValueError):
    """The bytes don't begin as a FLAC stream does."""


def blocks(stream: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Return the metadata blocks (type, body) and the offset of the first frame.

    Raises NotFlacError.
    """
    if stream[:4] != b"fLaC":
        message = "not a FLAC stream"
        raise NotFlacError(message)
    found = []
    position = 4
    while True:
        head = stream[position : position + 4]
        length = int.from_bytes(head[1:4], "big")
        body = stream[position + 4 : position + 4 + length]
        if len(head) < 4 or len(body) < length:
            message = "a FLAC metadata block is cut off"
            raise NotFlacError(message)
        found.append((head[0] & 0x7F, body))
        position += 4 + length
        if head[0] & LAST:
            return found, position


def bare(stream: bytes) -> bytes:
    """Return the same frames after STREAMINFO alone. Raises NotFlacError."""
    found, frames = blocks(stream)
    if not found or found[0][0] != STREAMINFO:
        message = "STREAMINFO is not the first block"
        raise NotFlacError(message)
    info = found[0][1]
    head = bytes([STREAMINFO | LAST]) + len(info).to_bytes(3, "big")
    return b"fLaC" + head + info + stream[frames:]


def block_types(path: Path) -> list[int]:
    """Return the types of a file's metadata blocks, in order. Raises NotFlacError."""
    return [kind for kind, _ in blocks(path.read_bytes())[0]]
