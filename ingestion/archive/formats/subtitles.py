"""Subtitles as cues: WebVTT (W3C, https://www.w3.org/TR/webvtt1/) and SubRip.

Read as they are written in the wild: cue settings, styles, notes and marks of form are passed over,
the words are kept. What is neither is refused with its line, not skipped: it may be somebody's
words.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import Sentence, _

TIMING = re.compile(r"\s*(\S+)\s+-->\s+(\S+)(?:\s.*)?")
CLOCK = re.compile(r"(?:(\d{1,3}):)?([0-5]\d):([0-5]\d)[.,](\d{3})")
VOICE = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^>]+)>")
MARKS = re.compile(r"</?(?:[a-z]+(?:[ .][^>]*)?|[\d:.]+)>|\{\\[^}]*\}", re.IGNORECASE)
HEADS = ("WEBVTT", "NOTE", "STYLE", "REGION")
"""How the blocks of a WebVTT file begin that are no cues."""


class CueFault(CommonholdError):
    """A block that is no cue."""

    code = "cue-invalid"
    status = 422

    def __init__(self, number: int, why: Sentence) -> None:
        super().__init__(why)
        self.number = number
        self.why = why


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from when until when (ms), by whom, on which line of the file it stands."""

    number: int
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None


Block = list[tuple[int, str]]
"""Lines with their numbers, without blank ones."""


def cues(lines: Iterator[str], *, is_vtt: bool) -> Iterator[Cue]:
    """Yield the cues of a file's lines, in their order. Raises CueFault."""
    waiting: Cue | None = None
    for place, block in enumerate(blocks(lines)):
        number, first = block[0]
        if is_vtt and place == 0 and not first.startswith(HEADS[0]):
            raise CueFault(number, _("a WebVTT file begins with the word WEBVTT."))
        at = next((at for at, (_n, line) in enumerate(block[:2]) if "-->" in line), None)
        if at is not None:
            if waiting:
                yield waiting
            waiting = cue_of(block[at:])
        elif waiting and not is_vtt:
            # A blank line within a subtitle: what follows it is still said then.
            waiting = longer(waiting, block)
        elif not is_vtt or first.split(maxsplit=1)[0] not in HEADS:
            raise CueFault(number, _("it is no subtitle: it has no line with two times."))
    if waiting:
        yield waiting


def blocks(lines: Iterator[str]) -> Iterator[Block]:
    """Yield what stands between blank lines."""
    block: Block = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def cue_of(block: Block) -> Cue:
    """Read a block that begins with its times."""
    number, timing = block[0]
    found = TIMING.fullmatch(timing)
    start, end = (milliseconds(found[1]), milliseconds(found[2])) if found else (None, None)
    if start is None or end is None:
        raise CueFault(number, _("write its times like 00:01:02,500 --> 00:01:04,000."))
    if end <= start:
        raise CueFault(number, _("its end is not after its start."))
    whole = " ".join(line for _number, line in block[1:])
    voices = {html.unescape(name).strip() for name in VOICE.findall(whole)}
    return Cue(number, start, end, words_of(whole), voices.pop() if len(voices) == 1 else None)


def longer(cue: Cue, block: Block) -> Cue:
    """Return a cue with the words of another block behind its own."""
    more = words_of(" ".join(line for _number, line in block))
    return Cue(cue.number, cue.start_ms, cue.end_ms, f"{cue.text} {more}".strip(), cue.speaker)


def words_of(marked: str) -> str:
    """Return the words of a cue without marks of form, character references resolved."""
    return " ".join(html.unescape(MARKS.sub("", marked)).split())


def milliseconds(clock: str) -> int | None:
    """Read h:mm:ss,mmm, or None for what is no time."""
    found = CLOCK.fullmatch(clock)
    if found is None:
        return None
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), int(found[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(found[4])
