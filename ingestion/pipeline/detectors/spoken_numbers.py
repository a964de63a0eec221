"""Telephone, card and identity numbers as they are said aloud."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from stdnum import luhn

from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.detectors.lexicon import LANGUAGES, Language, language_of
from ingestion.pipeline.detectors.numbers import (
    Item,
    Run,
    joined,
    may_go_on,
    reads_as_dialed,
    runs_of,
)
from ingestion.pipeline.detectors.numerals import ARTICLES
from ingestion.pipeline.detectors.tokens import Token, is_filler, tokens_of

CLOCK = re.compile(r"\ba\s+las?\s+$", re.IGNORECASE)
BEFORE, AFTER = 60, 40
FEWEST, FEWEST_WITH_CUE, MOST = 7, 6, 15
FEWEST_SECRET = 4
CARD_LENGTHS = range(13, 20)
MOST_CORRECTED = 30
"""Figures of a number that was begun twice, or of two numbers in a row."""
MAX_LETTERS = 4
CUES = ("iban", "secret", "card", "id", "phone")
LETTERED = {"id": "id-number", "iban": "iban"}
"""What letters may stand in."""


class SpokenNumberDetector:
    """Runs of number words long enough to reach a person."""

    name = "spoken-number/2"
    kinds = ("phone", "card", "id-number", "iban", "ip")
    languages = LANGUAGES

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield the runs that read as a telephone, card, identity or network number."""
        table = language_of(language)
        tokens = tokens_of(text, language)
        for run in _whole(runs_of(text, language=language), text, tokens, table):
            enough = len(run.figures) >= FEWEST_SECRET or run.quantity
            if enough and any(item.spoken for item in run.items):
                yield from self._judge(run, text, tokens, table)

    def _judge(
        self, run: Run, text: str, tokens: Sequence[Token], language: Language
    ) -> Iterator[Hit]:
        start, end = run.items[0].start, run.items[-1].end
        told = cue_before(text, start, language)
        figures = run.figures
        if told in LETTERED:
            letters, start, end = _with_letters(run, tokens)
            if len(figures) + letters >= FEWEST_WITH_CUE:
                yield Hit(LETTERED[told], start, end, 800, self.name)
            return
        if told != "phone" and not run.plus and figures[0] != "0":
            run = _without_thousands(run)
            end, figures = run.items[-1].end, run.figures
        if run.quantity or (told != "phone" and _is_sequence(run.items)):
            return
        if told == "secret" and len(figures) >= FEWEST_SECRET:
            yield Hit("id-number", start, end, 800, self.name)
        elif _is_network(run):
            yield Hit("ip", start, end, 900, self.name)
        elif _is_card(figures, told):
            yield Hit("card", start, end, 900, self.name)
        elif _is_phone(run, told, text, language):
            sure = told in {"phone", "number"} or figures[0] == "0"
            yield Hit("phone", start, end, 900 if sure else 650, self.name)


def cue_before(text: str, start: int, language: Language) -> str:
    """Return what the words before a number say it is: the kind named last, else "number"."""
    before = text[max(0, start - BEFORE) : start]
    ends = {
        kind: max((match.end() for match in language.cues[kind].finditer(before)), default=-1)
        for kind in CUES
    }
    nearest = max(CUES, key=lambda kind: ends[kind])
    if ends[nearest] >= 0:
        return nearest
    return "number" if language.cues["number"].search(before) else ""


def _whole(
    runs: Sequence[Run], text: str, tokens: Sequence[Token], language: Language
) -> Iterator[Run]:
    """Yield the runs, those that are one number with words in between put together."""
    waiting: Run | None = None
    for run in runs:
        if waiting is None:
            waiting = run
            continue
        if tokens[run.first].plain in {*ARTICLES, "one"} and run.stop == run.first + 1:
            continue
        start = waiting.items[0].start
        if may_go_on(tokens, waiting, run) and (
            reads_as_dialed(waiting, run) or cue_before(text, start, language)
        ):
            waiting = joined(waiting, run)
        else:
            yield waiting
            waiting = run
    if waiting is not None:
        yield waiting


def _with_letters(run: Run, tokens: Sequence[Token]) -> tuple[int, int, int]:
    """Return how many letters belong to a number, and where it begins and ends with them."""
    first, last = run.first, run.stop - 1
    count = sum(bool(token.letter) for token in tokens[run.first : run.stop])
    for step in (-1, 1):
        at, found = (run.first - 1 if step < 0 else run.stop), 0
        while 0 <= at < len(tokens) and found < MAX_LETTERS:
            if tokens[at].letter and _is_spelled(tokens[at]):
                found += 1
                first, last = min(first, at), max(last, at)
            elif not is_filler(tokens[at]):
                break
            at += step
        count += found
    return count, tokens[first].start, tokens[last].end


def _is_spelled(token: Token) -> bool:
    """Tell a letter by itself from a word of one letter ("a", "y", "e", "o")."""
    return token.text[0].isupper() or token.plain not in {"a", "y", "e", "o", "i"}


def _is_phone(run: Run, told: str, text: str, language: Language) -> bool:
    figures = run.figures
    called, dialed = told == "phone" or run.plus, figures[0] == "0" or run.plus
    fewest = FEWEST_WITH_CUE if called else FEWEST
    most = MOST_CORRECTED if called or told or dialed or run.singly else MOST
    if not fewest <= len(figures) <= most or _are_years(run.items):
        return False
    if dialed or (run.singly and called):
        return True
    if called:
        return not _are_clock_times(run.items)
    return not (run.large or _is_nobodys(run, text, language))


def _without_thousands(run: Run) -> Run:
    """Return a run up to the thousands that end it: they count what is said next."""
    items = run.items
    while items and items[-1].large:
        items = items[:-1]
    return replace(run, items=items or run.items)


def _is_nobodys(run: Run, text: str, language: Language) -> bool:
    """Tell games, counting, times of day and what else is figures in a row."""
    start, end = run.items[0].start, run.items[-1].end
    around = text[max(0, start - BEFORE) : start] + " " + text[end : end + AFTER]
    if language.cues["nobody"].search(around) or CLOCK.search(text[:start][-BEFORE:]):
        return True
    if _are_clock_times(run.items) or _is_list(run.items):
        return True
    return _is_refrain(run.figures) or _is_counting(run.items)


def _is_card(figures: str, told: str) -> bool:
    if told == "card":
        return CARD_LENGTHS.start <= len(figures) <= MOST_CORRECTED
    return len(figures) in CARD_LENGTHS and luhn.is_valid(figures)


def _is_network(run: Run) -> bool:
    """Tell four numbers with three dots between them, said one by one or whole."""
    return 4 <= len(run.figures) <= 12 and run.dots == 3


def _is_sequence(items: Sequence[Item]) -> bool:
    """Tell counting, up or down, by any step: at most one in five steps may be another."""
    steps = [int(later.figures) - int(item.figures) for item, later in pairwise(items)]
    if len(steps) < 4:
        return False
    commonest = max(set(steps), key=steps.count)
    return commonest != 0 and steps.count(commonest) * 5 >= len(steps) * 4


def _is_counting(items: Sequence[Item]) -> bool:
    """Tell "one two, one two, one two three": each one more, or begun again at one."""
    values = [int(item.figures) for item in items]
    return values[0] <= 1 and all(later in {1, value + 1} for value, later in pairwise(values))


def _are_years(items: Sequence[Item]) -> bool:
    """Tell years: pairs like nineteen + eighty-four, or figures 1900 to 2099, all along."""
    position = years = 0
    while position < len(items):
        figures = items[position].figures
        pair = figures + (items[position + 1].figures if position + 1 < len(items) else "")
        if re.fullmatch(r"(?:1[6-9]|20)\d\d", figures):
            position += 1
        elif len(figures) == 2 and re.fullmatch(r"(?:1[6-9]|20)\d\d", pair):
            position += 2
        else:
            return False
        years += 1
    return years > 0


def _is_list(items: Sequence[Item]) -> bool:
    """Tell a list of numbers: mostly of two figures, and rising."""
    values = [int(item.figures) for item in items]
    rising = all(later > value for value, later in pairwise(values))
    return rising and 2 * sum(value >= 10 for value in values) >= len(values)


def _are_clock_times(items: Sequence[Item]) -> bool:
    """Tell times of day: hours 1 to 12, at least every other one with minutes by fives."""
    hours = minutes = position = 0
    while position < len(items):
        if not 1 <= int(items[position].figures) <= 12:
            return False
        hours, position = hours + 1, position + 1
        after = items[position].figures if position < len(items) else ""
        if len(after) == 2 and int(after) % 5 == 0:
            minutes, position = minutes + 1, position + 1
    return minutes > 1 and minutes * 2 >= hours


def _is_refrain(figures: str) -> bool:
    """Tell a dance's "one two three, one two three, one two three"."""
    return any(
        len(figures) >= 3 * length and figures == (figures[:length] * len(figures))[: len(figures)]
        for length in range(1, 5)
    )
