"""Telephone, card and identity numbers as they are said aloud."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from stdnum import luhn

from ingestion.pipeline.detectors import identity, phones
from ingestion.pipeline.detectors.finding import SPOKEN_LANGUAGES, Hit
from ingestion.pipeline.detectors.numbers import Item, Run, runs_of

# Numbers in a row that are nobody's: games, counting, sound checks, sums, scores.
NOBODY = re.compile(
    r"\b(?:lott\w*|jackpot|raffle|bingo|winning\s+numbers?|draw|countdown|count(?:s|ed|ing)?|launch"
    r"|lift-?off|testing|mic(?:rophone)?\s+(?:check|test)|scores?|multipl\w*|times\s+table|verse"
    r"|chapter|page|psalm|bahati\s+nasibu|hesabu|kuhesabu|loter[íi]a|sorteo|cuenta\s+(?:atr[áa]s"
    r"|regresiva)|contar|loto|compte\s+[àa]\s+rebours|compter|lottozahlen|z[äa]hl\w*)\b",
    re.IGNORECASE,
)
CARD_CUE = re.compile(
    r"\b(?:card|visa|master\s?card|debit|credit|tarjeta|kadi|carte|karte)\b", re.IGNORECASE
)
SECRET_CUE = re.compile(
    r"\b(?:pin|password|pass\s?code|otp|security\s+code|nenosiri|nambari\s+ya\s+siri|clave"
    r"|contrase[ñn]a|mot\s+de\s+passe|code\s+secret|kennwort|passwort)\b",
    re.IGNORECASE,
)
CLOCK = re.compile(r"\ba\s+las?\s+$", re.IGNORECASE)
BEFORE = 60
FEWEST, FEWEST_WITH_CUE, MOST = 7, 6, 15
CARD_LENGTHS = range(13, 20)


class SpokenNumberDetector:
    """Runs of number words long enough to reach a person."""

    name = "spoken-number/1"
    kinds = ("phone", "card", "id-number")
    languages = SPOKEN_LANGUAGES

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield the runs that read as a telephone, card or identity number."""
        for run in runs_of(text, language=language):
            if any(item.spoken for item in run.items):
                yield from self._judge(run, text)

    def _judge(self, run: Run, text: str) -> Iterable[Hit]:
        start, end = run.items[0].start, run.items[-1].end
        before = text[max(0, start - BEFORE) : start]
        figures = run.figures
        called = bool(phones.CUE.search(before))
        if run.quantity or _is_sequence(run.items):
            return
        if len(figures) >= 4 and SECRET_CUE.search(before):
            yield Hit("id-number", start, end, 800, self.name)
        elif _is_card(figures, before):
            yield Hit("card", start, end, 900, self.name)
        elif len(figures) >= FEWEST_WITH_CUE and identity.CUE.search(before):
            yield Hit("id-number", start, end, 800, self.name)
        elif self._is_phone(run, called=called, before=before, after=text[end : end + 40]):
            yield Hit("phone", start, end, 900 if called or figures[0] == "0" else 650, self.name)

    def _is_phone(self, run: Run, *, called: bool, before: str, after: str) -> bool:
        fewest = FEWEST_WITH_CUE if called or run.plus else FEWEST
        if not fewest <= len(run.figures) <= MOST:
            return False
        if called or run.plus:
            return not _are_years(run.items)
        if NOBODY.search(before + after) or _are_years(run.items):
            return False
        if CLOCK.search(before) or _are_clock_times(run.items):
            return False
        return not (_is_list(run.items) or _is_refrain(run.figures))


def _is_card(figures: str, before: str) -> bool:
    if len(figures) not in CARD_LENGTHS:
        return False
    return luhn.is_valid(figures) or bool(CARD_CUE.search(before))


def _is_sequence(items: Sequence[Item]) -> bool:
    """Tell counting, up or down, by any step: at most one in five steps may be another."""
    steps = [int(later.figures) - int(item.figures) for item, later in pairwise(items)]
    if len(steps) < 4:
        return False
    commonest = max(set(steps), key=steps.count)
    return commonest != 0 and steps.count(commonest) * 5 >= len(steps) * 4


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
