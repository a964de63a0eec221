"""The binding text of a license, set for reading: its words as they are, its lines as they fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

ITEM = re.compile(r"\s*- ")
RULE = re.compile(r"=+|-+")


@dataclass(frozen=True)
class Block:
    """A title, a paragraph, lines that stay lines, or a list."""

    kind: str
    lines: list[str]


def blocks(text: str) -> list[Block]:
    """Tell the parts of a text that was wrapped at a fixed width. Words are neither added nor lost.

    Parts are set apart by empty lines; items begin with a hyphen; a line over a rule is a title,
    and what follows it in the same part stays as it was broken.
    """
    return [block for part in re.split(r"\n\s*\n", text.strip("\n")) for block in read(part)]


def read(part: str) -> Iterator[Block]:
    """Tell what one part is."""
    lines = part.split("\n")
    if len(lines) > 1 and RULE.fullmatch(lines[1]):
        yield Block("title", lines[:1])
        if lines[2:]:
            yield Block("lines", lines[2:])
    elif ITEM.match(lines[0]):
        yield Block("list", list(items(lines)))
    else:
        yield Block("paragraph", [" ".join(line.strip() for line in lines)])


def items(lines: list[str]) -> Iterator[str]:
    """Join the lines of each item."""
    item = ""
    for line in lines:
        if ITEM.match(line):
            if item:
                yield item
            item = ITEM.sub("", line, count=1)
        else:
            item += f" {line.strip()}"
    yield item
