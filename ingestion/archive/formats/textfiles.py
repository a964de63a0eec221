"""Text files from strangers, read line by line: UTF-8, no control characters, no absurd lines."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from commonhold.sentences import _

from ingestion.archive.formats.refusal import RefusedError

BLOCK_BYTES = 1024 * 1024
MAX_TEXT_BYTES = 64 * 1024 * 1024
MAX_LINE_CHARS = 1024 * 1024
BYTE_ORDER_MARK = "\ufeff"
CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
CONTROL_CHARS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f\ufffe\uffff]")
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _blocks(stream: BinaryIO, name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    while True:
        block = stream.read(BLOCK_BYTES)
        try:
            yield decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            sentence = _(
                "«%(path)s» is not UTF-8 text (near byte %(byte)s). "
                "Save it again with the encoding UTF-8."
            )
            raise RefusedError(
                sentence, reason="not-utf8", path=name, byte=done + error.start
            ) from error
        done += len(block)
        if not block:
            return


def lines(stream: BinaryIO, *, name: str, size: int) -> Iterator[str]:
    """Yield a text file's lines without their ends, the byte order mark removed.

    Raises RefusedError: `text-too-large` (64 MiB), `not-utf8`, `not-text`, `line-too-long` (1 Mi
    characters).
    """
    if size > MAX_TEXT_BYTES:
        sentence = _("«%(path)s» is larger than 64 MiB. Split it into several files.")
        raise RefusedError(sentence, reason="text-too-large", path=name)
    stream.seek(0)
    if stream.read(2) in UTF_16_MARKS:
        sentence = _("«%(path)s» is UTF-16 text. Save it again with the encoding UTF-8.")
        raise RefusedError(sentence, reason="not-utf8", path=name)
    stream.seek(0)
    rest, number = "", 0
    for block in _blocks(stream, name):
        pieces = re.split(r"\r\n|\n|\r(?!$)", rest + block)
        rest = pieces.pop()
        for piece in pieces:
            number += 1
            yield _checked(piece, name, number)
        _refuse_long(rest, name, number + 1)
    if rest:
        yield _checked(rest.rstrip("\r"), name, number + 1)


def _refuse_long(line: str, name: str, number: int) -> None:
    if len(line) > MAX_LINE_CHARS:
        sentence = _(
            "«%(path)s» line %(row)s is longer than a million characters. Put each utterance or "
            "paragraph on a line of its own."
        )
        raise RefusedError(sentence, reason="line-too-long", path=name, row=number)


def _checked(line: str, name: str, number: int) -> str:
    _refuse_long(line, name, number)
    found = CONTROL_CHARS.search(line)
    if found:
        sentence = _(
            "«%(path)s» is not plain text: line %(row)s holds the control character "
            "%(character)s. Export it as plain UTF-8 text."
        )
        character = f"U+{ord(found[0]):04X}"
        raise RefusedError(sentence, reason="not-text", path=name, row=number, character=character)
    return line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
