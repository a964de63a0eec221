"""Runs of spoken figures in a text: "oh seven double two uh four fifteen" → 072 2 4 15."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.pipeline.detectors.lexicon import Language, language_of
from ingestion.pipeline.detectors.numerals import STARTS, Numeral, numeral_at
from ingestion.pipeline.detectors.tokens import SOFT, Token, is_filler, tokens_of

HOMOPHONES = {"to": "2", "too": "2", "for": "4", "fore": "4", "won": "1", "ate": "8", "free": "3"}
MAX_FILLERS = 4
MAX_GAP = 5
"""Words between two runs that may still be one number."""
MOST_OF_ONE = 6
"""Figures read one by one that are most of a telephone number."""
WHOLE = 10
"""Figures of a number that waits for no more."""
MOST_JOINED = 24


@dataclass(frozen=True, slots=True)
class Item:
    """One number of a run as it was said, and the figures that it stands for."""

    figures: str
    start: int
    end: int
    spoken: bool = True
    large: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers said one after another, and their half-open tokens.

    `quantity`: it counts or measures something. `plus`: an international prefix begins it.
    """

    items: tuple[Item, ...]
    first: int
    stop: int
    quantity: bool = False
    plus: bool = False
    dots: int = 0

    @property
    def large(self) -> bool:
        """Tell thousands among its numbers."""
        return any(item.large for item in self.items)

    @property
    def figures(self) -> str:
        """Return all figures of the run."""
        return "".join(item.figures for item in self.items)

    @property
    def singly(self) -> bool:
        """Tell figures read one by one or in doubles, three at least."""
        return len(self.figures) >= 3 and all(
            len(item.figures) == 1 or len(set(item.figures)) == 1 for item in self.items
        )


def runs_of(text: str, *, language: str) -> list[Run]:
    """Return all runs of numbers, fillers and soft punctuation skipped over."""
    tokens = tokens_of(text, language)
    table = language_of(language)
    found: list[Run] = []
    position = 0
    while position < len(tokens):
        role, sign = tokens[position].role, tokens[position].word.sign
        if role in STARTS or role == "x" or sign == "plus" or (table.glued and not role):
            reader = _Reader(tokens, table, position)
            found += reader.read()
            position = max(reader.position, position + 1)
        else:
            position += 1
    return found


def may_go_on(tokens: Sequence[Token], run: Run, later: Run) -> bool:
    """Tell two short runs of figures that few words part; a single "one" is a word."""
    if run.quantity or later.quantity or later.plus or len(run.figures) >= WHOLE:
        return False
    if len(run.figures) + len(later.figures) > MOST_JOINED or len(later.figures) < 2:
        return False
    return sum(token.is_word for token in tokens[run.stop : later.first]) <= MAX_GAP


def reads_as_dialed(run: Run, later: Run) -> bool:
    """Tell figures read as those of a telephone are: from a zero on, or both runs one by one."""
    from_zero = run.figures[0] == "0" and len(run.figures) >= 2
    goes_on = later.singly or len(run.figures) >= MOST_OF_ONE
    return from_zero or run.plus or (run.singly and goes_on)


def joined(run: Run, later: Run) -> Run:
    """Return two runs as one."""
    return Run(run.items + later.items, run.first, later.stop, plus=run.plus)


class _Reader:
    """Reads the runs that begin at a token. `position` ends at the first token after them."""

    def __init__(self, tokens: Sequence[Token], language: Language, position: int) -> None:
        self.tokens = tokens
        self.language = language
        self.position = position
        self.numerals: list[tuple[int, Numeral]] = []
        self.dots: list[int] = []

    def read(self) -> list[Run]:
        """Return the runs: what is counted or measured stands apart from the figures around it."""
        begun = self.position
        plus = self.tokens[begun].word.sign == "plus"
        at = begun + plus
        fillers = 0
        while at < len(self.tokens) and fillers <= MAX_FILLERS:
            found = self._number(at)
            if found:
                self.numerals.append((at, found))
                self.position = at = found.stop
                fillers = 0
            elif self._is_skippable(at):
                fillers += self.tokens[at].plain not in SOFT
                at += 1
            else:
                break
        runs = list(self._runs())
        if plus and runs and self.numerals[0][0] == begun + 1 and not runs[0].quantity:
            runs[0] = self._run(begun, self.numerals[: len(runs[0].items)], plus=True)
        return runs

    def _number(self, at: int) -> Numeral | None:
        return numeral_at(self.tokens, at, self.language) or self._homophone(at)

    def _is_skippable(self, at: int) -> bool:
        token = self.tokens[at]
        if is_filler(token) or token.role == "j" or token.word.sign == "dash":
            return True
        is_point = self.numerals and (token.word.sign == "dot" or token.role == "p")
        if is_point and at + 1 < len(self.tokens) and self._number(at + 1):
            self.dots.append(at)
            return True
        return False

    def _homophone(self, at: int) -> Numeral | None:
        """Read "for" as four where numbers stand on both sides of it."""
        figure = HOMOPHONES.get(self.tokens[at].plain) if self.language.code == "en" else None
        # One number before "to" makes a stretch: "from two to four".
        if figure is None or len(self.numerals) < (2 if self.tokens[at].plain == "to" else 1):
            return None
        after = at + 1
        while after < len(self.tokens) and self.tokens[after].plain in SOFT:
            after += 1
        if after >= len(self.tokens):
            return None
        following = numeral_at(self.tokens, after, self.language)
        if following is None and self.tokens[after].plain in HOMOPHONES:
            following = Numeral(figure, at)
        return Numeral(figure, at + 1) if self._are_figures(following) else None

    def _are_figures(self, following: Numeral | None) -> bool:
        """Tell a number that follows, and it and the one before are single figures said aloud."""
        if following is None:
            return False
        around = (self.numerals[-1][1], following)
        written = all(not numeral.spoken for numeral in around)
        singly = all(not one.spoken or len(set(one.figures)) == 1 for one in around)
        return singly and not written

    def _runs(self) -> Iterator[Run]:
        """Yield the numbers in runs, what counts or measures each by itself."""
        waiting: list[tuple[int, Numeral]] = []
        for number, (at, numeral) in enumerate(self.numerals):
            # "cero uno, tres mil doscientos, cuarenta": after figures, thousands are figures too.
            if self._measures(at, numeral) or (numeral.quantity and not number):
                if waiting:
                    yield self._run(waiting[0][0], waiting)
                yield self._run(at, [(at, numeral)], quantity=True)
                waiting = []
            else:
                waiting.append((at, numeral))
        if waiting:
            yield self._run(waiting[0][0], waiting)

    def _measures(self, at: int, numeral: Numeral) -> bool:
        """Tell a number of something, or with one decimal point."""
        stop = numeral.stop
        before = self.tokens[at - 1].role if at else ""
        after = self.tokens[stop].role if stop < len(self.tokens) else ""
        decimal = len(self.dots) == 1 and self.dots[0] in {at - 1, stop}
        sign = self.tokens[stop].text if stop < len(self.tokens) else ""
        return before == "b" or after == "u" or decimal or sign in {"%", "°"}

    def _run(
        self,
        first: int,
        numerals: Sequence[tuple[int, Numeral]],
        *,
        quantity: bool = False,
        plus: bool = False,
    ) -> Run:
        items = [
            Item(
                numeral.figures,
                self.tokens[first if not number else at].start,
                self.tokens[numeral.stop - 1].end,
                numeral.spoken,
                numeral.quantity,
            )
            for number, (at, numeral) in enumerate(numerals)
        ]
        stop = numerals[-1][1].stop
        return Run(tuple(items), first, stop, quantity, plus, len(self.dots))
