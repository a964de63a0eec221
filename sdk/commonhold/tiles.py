"""The log as static tiles of 256 hashes (c2sp.org/tlog-tiles), read to check and to prove."""

from collections.abc import Callable
from functools import lru_cache

from commonhold.merkle import NodeReader, node_hash
from commonhold.notes import HASH_BYTES, NoteError
from commonhold.sentences import _

HEIGHT = 8
WIDTH = 1 << HEIGHT


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Return `tile/<L>/<N>[.p/<W>]`, N in groups of three digits (tlog-tiles, “Merkle Tree”)."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def tile_width(level: int, number: int, size: int) -> int:
    """Return how many hashes the tile has in a log of `size` entries, 0 to 256."""
    return max(0, min(WIDTH, (size >> level * HEIGHT) - number * WIDTH))


def tile_bytes(level: int, number: int, width: int, node: NodeReader) -> bytes:
    """Return a tile's content from stored nodes: `width` hashes of 32 bytes."""
    first = number * WIDTH
    return b"".join(node(level * HEIGHT, first + at) for at in range(width))


def tile_nodes(size: int, fetch: Callable[[str], bytes]) -> NodeReader:
    """Return a node reader for a log of `size` entries over its published tiles.

    `fetch` returns the bytes at a tile's path. Raises NoteError if a tile has the wrong length.
    """

    @lru_cache(maxsize=1024)
    def tile(level: int, number: int) -> bytes:
        width = tile_width(level, number, size)
        data = fetch(tile_path(level, number, width))
        if len(data) != width * HASH_BYTES:
            sentence = _("The log's %(tile)s is cut short or too long.")
            raise NoteError(sentence, tile=tile_path(level, number, width))
        return data

    def node(level: int, index: int) -> bytes:
        within = level % HEIGHT
        first = (index << within) % WIDTH
        data = tile(level // HEIGHT, (index << within) // WIDTH)
        hashes = [
            data[at * HASH_BYTES : (at + 1) * HASH_BYTES]
            for at in range(first, first + (1 << within))
        ]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    return node
