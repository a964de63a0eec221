"""A known text as a grammar: one word after another, each in any of its readings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

ANY_PHONE = "any_"
PHONE_NAMES = """
AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH
"""
PHONES = PHONE_NAMES.split()
STOP_PROBABILITY = 0.001
LANGUAGE_WEIGHT = 6.5  # the decoder's default: it multiplies the logarithm of every probability
PHONE_FRAMES = 12
SKIP_COST = 200.0

NO_TOKEN = -1

Reading = tuple[str, ...]
Transition = tuple[int, int, float] | tuple[int, int, float, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """One word of the decoder's answer: half-open frames of 10 ms, linear likelihood."""

    word: str
    start: int
    end: int
    likelihood: float


@dataclass(frozen=True, slots=True)
class Leeway:
    """How far sound and text may part: at a break, other speech may be heard or text left out.

    `cost` is what a frame of other speech costs (nats); a right word must cost less, a wrong one
    more. `breaks` are token indices. Where `all_is_said`, other speech is heard there and nowhere
    else, and no text is left out; else also at both ends.
    """

    cost: float
    breaks: frozenset[int]
    all_is_said: bool = False

    @property
    def phone_probability(self) -> float:
        """Return the grammar's probability of one phone of other speech."""
        return math.exp(-self.cost * PHONE_FRAMES / LANGUAGE_WEIGHT)


@dataclass(slots=True)
class Chain:
    """The grammar of a token list, and the way back from what was heard to the tokens.

    `readings[i]` are the ways to say token i; without any, any phones stand for it. With `whole`
    the text must be said to its end, without it may stop after any token.
    """

    readings: Sequence[Sequence[Reading]]
    whole: bool
    leeway: Leeway | None = None
    transitions: list[Transition] = field(default_factory=list, init=False)
    final: int = field(default=0, init=False)
    _arcs: dict[tuple[int, str], list[tuple[int, int]]] = field(default_factory=dict, init=False)
    _passes: dict[int, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Lay out states: token i leads from state i to i + 1, inner states come after all."""
        count = len(self.readings)
        inner = count + 1
        for index, options in enumerate(self.readings):
            if not options:
                for phone in PHONES:
                    self._arc(index, index, 0.5 / len(PHONES), ANY_PHONE + phone, index)
                self.transitions.append((index, index + 1, 0.5))
                self._passes[index] = index + 1
            for option in options:
                probability = (1 - STOP_PROBABILITY) / len(options)
                state = index
                for position, word in enumerate(option):
                    following = index + 1 if position == len(option) - 1 else inner
                    inner += following == inner
                    self._arc(state, following, probability, word, index)
                    state, probability = following, 1.0
        self.final = count if self.whole else inner
        if not self.whole:
            stops = range(count + 1)
            self.transitions.extend((state, inner, STOP_PROBABILITY) for state in stops)

        if self.leeway:
            self._loosen(self.leeway)

    def _loosen(self, leeway: Leeway) -> None:
        count = len(self.readings)
        breaks = [0, *sorted(index for index in leeway.breaks if 0 < index < count), count]
        if leeway.all_is_said:
            breaks = sorted(leeway.breaks)
        else:
            skip = math.exp(-SKIP_COST / LANGUAGE_WEIGHT)
            for index, following in pairwise(breaks):
                self.transitions.append((index, following, skip))
                self._passes.setdefault(index, following)
        for index in breaks:
            for phone in PHONES:
                self._arc(index, index, leeway.phone_probability, ANY_PHONE + phone, NO_TOKEN)

    def _arc(self, start: int, end: int, probability: float, word: str, token: int) -> None:
        self.transitions.append((start, end, probability, word))
        self._arcs.setdefault((start, word), []).append((end, token))

    def _reachable(self, state: int) -> list[int]:
        """Return a state and those that one may pass on to unheard, the nearest first."""
        reached = [state]
        while reached[-1] in self._passes:
            reached.append(self._passes[reached[-1]])
        return reached

    def read(self, heard: Sequence[Heard]) -> dict[int, list[Heard]]:
        """Return what was heard of each token, by its index. Tokens not reached are absent."""
        paths: dict[int, tuple[int, ...]] = {0: ()}
        for part in heard:
            word = part.word.split("(")[0]
            following: dict[int, tuple[int, ...]] = {}
            for state, path in paths.items():
                for start in self._reachable(state):
                    for end, token in self._arcs.get((start, word), ()):
                        following.setdefault(end, (*path, token))
            if not following:
                break
            paths = following
        tokens = max(paths.values(), key=len)
        found: dict[int, list[Heard]] = {}
        for token, part in zip(tokens, heard, strict=False):
            if token != NO_TOKEN:
                found.setdefault(token, []).append(part)
        return found
