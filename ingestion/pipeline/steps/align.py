"""Where in the recording is each word of a known text (pocketsphinx, forced alignment).

The text becomes a chain of words in a grammar that may end anywhere; a window of sound is decoded
against it, what was surely heard is kept up to the longest pause near the window's end, and the
next window starts there. So an hour costs an hour's time and a minute's memory.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pocketsphinx
import soundfile

from ingestion.pipeline.steps import pronunciation, spelling
from ingestion.pipeline.steps.chain import ANY_PHONE, PHONES, Chain, Heard, Leeway
from ingestion.pipeline.steps.places import (
    CLEAR_FIT,
    LEAST_USUAL_FIT,
    Placed,
    fit_of,
    pause_before,
    total_fit,
    usual_fit,
    without_doubtful,
)

RATE = 16_000
FRAME = 160
FRAME_MS = 10
WINDOW_S = 30
CLOSING_S = 0.3
CHARS_PER_SECOND = 20
# The text is known: no path through it may be given up, however badly a stretch of it fits.
BEAM = 0.0
# Without the best-path pass the grammar search hands out scores shifted right by SENSCR_SHIFT.
UNSHIFTED = 1 << 10
NOT_A_WORD = frozenset({"<sil>", "<s>", "</s>", "(NULL)", "[NOISE]", "[SPEECH]"})
MIN_SAYABLE = 0.7
FEW_LOST = 0.03
LEEWAY_COST = 2.0
OPEN_SEAM_MS = 150
FEW_TOKENS, FEW_TOKENS_FIT, LEAST_MARGIN = 3, -5.5, 0.8

Audio = npt.NDArray[np.int16]
Pronunciation = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """What a window gave: its tokens' places (None: lost), and the sample to go on from."""

    placed: list[Placed | None]
    end: int

    @property
    def sure(self) -> int:
        """Return how many tokens have a place."""
        return sum(token is not None for token in self.placed)

    @property
    def lost(self) -> int:
        """Return how many tokens have none."""
        return len(self.placed) - self.sure


@dataclass(slots=True)
class Aligner:
    """Holds the acoustic model and the pronunciations that it was taught for one recording."""

    language: str
    _decoder: pocketsphinx.Decoder = field(init=False)
    _phone_decoder: pocketsphinx.Decoder = field(init=False)
    _symbols: dict[Pronunciation, str] = field(default_factory=dict, init=False)
    _said: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict, init=False)
    _grammars: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Load the model (0.2 s)."""
        self._decoder = pocketsphinx.Decoder(
            samprate=RATE,
            loglevel="FATAL",
            lm=None,
            bestpath=False,
            beam=BEAM,
            pbeam=BEAM,
            wbeam=BEAM,
        )
        for phone in PHONES:
            self._decoder.add_word(ANY_PHONE + phone, phone, update=False)
        model = Path(pocketsphinx.get_model_path()) / "en-us" / "en-us-phone.lm.bin"
        self._phone_decoder = pocketsphinx.Decoder(
            samprate=RATE, loglevel="FATAL", allphone=str(model), lw=2.0, beam=1e-20, pbeam=1e-20
        )

    def say(self, token: str) -> tuple[tuple[str, ...], ...]:
        """Return a token's readings, each as words that the decoder knows; () when unsayable."""
        if token not in self._said:
            found = []
            for reading in spelling.readings(token, language=self.language):
                words = [self._symbol(word) for word in reading]
                if all(words):
                    found.append(tuple(word for options in words for word in options[:1]))
                    others = [options[-1] for options in words]
                    if others != list(found[-1]):
                        found.append(tuple(others))
            self._said[token] = tuple(found)
        return self._said[token]

    def _symbol(self, word: str) -> list[str]:
        """Return the decoder's words for one spoken word: the dictionary's, by letters, or both."""
        known = self._decoder.lookup_word(word) is not None
        if known and self.language == "en":
            return [word]
        phones = pronunciation.phones_of(word, language=self.language)
        if not phones:
            return [word] if known else []
        if phones not in self._symbols:
            symbol = f"said_{len(self._symbols)}"
            self._decoder.add_word(symbol, " ".join(phones), update=False)
            self._symbols[phones] = symbol
        return [self._symbols[phones], word] if known else [self._symbols[phones]]

    def sayable(self, tokens: Sequence[str]) -> bool:
        """Tell whether enough tokens have a pronunciation for an alignment to mean anything."""
        return sum(bool(self.say(token)) for token in tokens) >= MIN_SAYABLE * len(tokens) > 0

    def place(self, audio: Audio, tokens: Sequence[str]) -> list[Placed | None]:
        """Place all tokens in a stretch of at most some minutes of sound.

        Returns one entry per token, ms from the stretch's start; all None when the text can't be
        found in it.
        """
        found = self._decode(audio, tokens, whole=True)
        if found is None:
            return [None] * len(tokens)
        fits = self._free_scores(audio)
        return [_placed(found.get(index), fits) for index in range(len(tokens))]

    def place_beside(
        self, audio: Audio, tokens: Sequence[str], *, seams: Sequence[int], usual: float
    ) -> list[Placed | None]:
        """Place tokens in sound that holds other speech as well, at one of the seams.

        `seams` are indices of tokens before which it may lie, or the number of tokens for what
        comes after them; `usual` is the recording's usual fit.
        Returns ms from the stretch's start; None for tokens that are lost.
        """
        cost = LEEWAY_COST - max(usual, LEAST_USUAL_FIT)
        fits = self._free_scores(audio)

        def heard(breaks: Sequence[int]) -> list[Placed | None]:
            leeway = Leeway(cost, frozenset(breaks), all_is_said=True)
            found = self._decode(audio, tokens, whole=True, leeway=leeway) or {}
            return [_placed(found.get(index), fits) for index in range(len(tokens))]

        found = heard(seams)
        open_seams = [seam for seam in seams if pause_before(found, seam) >= OPEN_SEAM_MS]
        if len(open_seams) > 1:
            found = max((heard([seam]) for seam in open_seams), key=partial(total_fit, cost=cost))
        return without_doubtful(found, usual=usual)

    def place_long(
        self, analysis: Path, tokens: Sequence[str], *, breaks: Sequence[int]
    ) -> list[Placed | None]:
        """Place the tokens of a whole recording, window by window; None for doubtful ones.

        A window where the text doesn't fit is heard again with leeway: at `breaks` (token indices)
        speech may be left out of the text or text out of the speech. What is left of the text when
        the sound has ended is not placed.
        """
        placed: list[Placed | None] = []
        start, total = 0, soundfile.info(analysis).frames
        while len(placed) < len(tokens):
            if start >= total:
                break
            last = total - start <= WINDOW_S * RATE
            audio = read_analysis(analysis, start, None if last else WINDOW_S * RATE)
            if not last:
                audio = audio[: _quiet_place(audio)]
            window = self._window(audio, tokens[len(placed) :], last=last)
            if window is None or window.lost > FEW_LOST * len(window.placed):
                near = [index - len(placed) for index in breaks if index > len(placed)]
                usual = usual_fit([*placed, *(window.placed if window else ())])
                leeway = Leeway(LEEWAY_COST - max(usual, LEAST_USUAL_FIT), frozenset(near))
                again = self._window(audio, tokens[len(placed) :], last=last, leeway=leeway)
                window = max((window, again), key=lambda one: one.sure if one else -1)
            if window is None:
                start += len(audio)
                continue
            placed.extend(_shifted(token, start * 1000 // RATE) for token in window.placed)
            start += window.end
        return [*placed, *[None] * (len(tokens) - len(placed))]

    def _window(
        self, audio: Audio, tokens: Sequence[str], *, last: bool, leeway: Leeway | None = None
    ) -> Window | None:
        """Place what is said of the tokens in a window; `last` when all of them must be."""
        if not last:
            tokens = _sayable_within(tokens, len(audio))
        found = self._decode(audio, tokens, whole=last, leeway=leeway)
        if found is None:
            return None
        keep, end = (len(tokens), len(audio)) if last else _sure(found, len(audio))
        fits = self._free_scores(audio[: end + RATE])
        placed = [_placed(found.get(index), fits) for index in range(keep)]
        return Window(without_doubtful(placed), end)

    def believes(
        self, audio: Audio, tokens: Sequence[str], placed: Sequence[Placed | None]
    ) -> bool:
        """Tell whether the text is what is said here, not just something of its length.

        Where the sound is far from the model (other languages, noise), the fit alone says little.
        So the text must fit better than its own words in another order: measured on synthetic
        speech in ten languages, right texts do by 1.3 or more, wrong ones by 0.4 at most.
        """
        fit = fit_of(placed)
        if fit >= CLEAR_FIT or len(tokens) < FEW_TOKENS:
            return fit >= FEW_TOKENS_FIT
        half = len(tokens) // 2
        others = ([*reversed(tokens)], [*tokens[half:], *tokens[:half]])
        return all(fit - fit_of(self.place(audio, other)) >= LEAST_MARGIN for other in others)

    def _decode(
        self, audio: Audio, tokens: Sequence[str], *, whole: bool, leeway: Leeway | None = None
    ) -> dict[int, list[Heard]] | None:
        """Return what was heard of each token by its index, None when the text can't be there."""
        sound = np.concatenate([audio, _hush(int(CLOSING_S * RATE))]).tobytes()
        chain = Chain([self.say(token) for token in tokens], whole=whole, leeway=leeway)
        name = f"text_{self._grammars}"
        self._grammars += 1
        grammar = self._decoder.create_fsg(name, 0, chain.final, chain.transitions)
        self._decoder.add_fsg(name, grammar)
        self._decoder.activate_search(name)
        if self._grammars > 1:
            self._decoder.remove_search(f"text_{self._grammars - 2}")
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return None
        heard = [
            Heard(segment.word, segment.start_frame, segment.end_frame + 1, segment.ascore)
            for segment in self._decoder.seg()
        ]
        return chain.read([part for part in heard if part.word not in NOT_A_WORD])

    def _free_scores(self, audio: Audio) -> npt.NDArray[np.float64]:
        """Return the log likelihood of each frame under the best sequence of any phones."""
        scores = np.zeros(len(audio) // FRAME + 100)
        self._phone_decoder.start_utt()
        self._phone_decoder.process_raw(audio.tobytes(), full_utt=True)
        self._phone_decoder.end_utt()
        for segment in self._phone_decoder.seg() or ():
            frames = segment.end_frame + 1 - segment.start_frame
            scores[segment.start_frame : segment.end_frame + 1] = _log(segment.ascore) / frames
        return scores


def _log(likelihood: float) -> float:
    return math.log(max(likelihood, 1e-300))


def _placed(parts: list[Heard] | None, free: npt.NDArray[np.float64]) -> Placed | None:
    """Join what was heard of one token; None when nothing was."""
    if not parts:
        return None
    frames = sum(part.end - part.start for part in parts)
    known = UNSHIFTED * sum(_log(part.likelihood) for part in parts)
    unknown = sum(float(free[part.start : part.end].sum()) for part in parts)
    start, end = parts[0].start * FRAME_MS, parts[-1].end * FRAME_MS
    longest = max(part.end - part.start for part in parts)
    return Placed(start, end, max(1, frames), longest, known - unknown)


def _shifted(placed: Placed | None, by_ms: int) -> Placed | None:
    if placed is None:
        return None
    start, end = placed.start_ms + by_ms, placed.end_ms + by_ms
    return replace(placed, start_ms=start, end_ms=end)


def _hush(samples: int) -> Audio:
    """Return near-silence: the grammar needs a pause to end in, and zeros have no spectrum."""
    return np.random.default_rng(0).normal(scale=8, size=samples).astype(np.int16)


def read_analysis(analysis: Path, start: int, frames: int | None) -> Audio:
    """Return `frames` samples (None: all) of a 16 kHz mono file from `start` on."""
    audio, _ = soundfile.read(
        analysis, start=start, frames=-1 if frames is None else frames, dtype="int16"
    )
    sound: Audio = audio
    return sound


def _quiet_place(audio: Audio) -> int:
    """Return the sample in the middle of the quietest 200 ms of the last five seconds."""
    tail = audio[-5 * RATE :].astype(np.float64) ** 2
    energy = tail[: len(tail) // FRAME * FRAME].reshape(-1, FRAME).sum(axis=1)
    around = np.convolve(energy, np.ones(20), "valid")
    return len(audio) - len(tail) + (int(np.argmin(around)) + 10) * FRAME


def _sayable_within(tokens: Sequence[str], samples: int) -> Sequence[str]:
    """Return the tokens that the fastest speaker could say in so much sound."""
    budget = CHARS_PER_SECOND * samples // RATE + 50
    for count, token in enumerate(tokens):
        budget -= len(token) + 1
        if budget < 0:
            return tokens[:count]
    return tokens


def _sure(found: Mapping[int, list[Heard]], samples: int) -> tuple[int, int]:
    """Return how many tokens of an open window to keep, and the sample to go on from.

    The cut is the longest pause in the window's second half, at least 1.5 s before its end: what
    comes last may be the first half of a word.
    """
    frames = samples // FRAME
    order = sorted(found)
    latest = frames - 150
    pauses = [
        (found[following][0].start - found[token][-1].end, token, following)
        for token, following in itertools.pairwise(order)
        if found[following][0].start <= latest
    ]
    late = [pause for pause in pauses if pause[2] and found[pause[1]][-1].end >= frames // 2]
    if not pauses:
        first = found[order[0]][0].start if order else frames
        return 0, (first - 20) * FRAME if 100 < first <= frames - 20 else samples
    gap, token, following = max(late or pauses, key=lambda pause: (pause[0], pause[1]))
    return token + 1, (found[following][0].start - min(gap, 10)) * FRAME
