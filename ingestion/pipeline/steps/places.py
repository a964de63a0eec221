"""Where tokens were found in a recording, and how well each fits there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

DOUBT = 2.5
LONGEST_WORD = 250  # frames: a longer one has swallowed a pause or music
CLEAR_FIT, LEAST_USUAL_FIT = -3.0, -3.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A token found in the recording: half-open ms, its frames, and how well its sound fits.

    `longest` is the frames of its longest spoken word: "1984" is one token and four words.

    `score` is the sum over its frames of the log likelihood ratio against any sequence of phones.
    """

    start_ms: int
    end_ms: int
    frames: int
    longest: int
    score: float

    @property
    def fit(self) -> int:
        """Return exp of the mean score per frame, permille (see `fit_of`)."""
        return round(1000 * math.exp(min(0.0, self.score / self.frames)))


def fit_of(placed: Sequence[Placed | None]) -> float:
    """Return the mean score per frame of what was placed; -inf when nothing was.

    Read English that the model knows gives about -1.5, another text below -6.
    """
    frames = sum(token.frames for token in placed if token)
    return sum(token.score for token in placed if token) / frames if frames else -math.inf


def pause_before(placed: Sequence[Placed | None], index: int) -> int:
    """Return how many ms lie between the token at `index` and the one before it, if both are."""
    before = placed[index - 1] if 0 < index < len(placed) else None
    token = placed[index] if index < len(placed) else None
    return token.start_ms - before.end_ms if token and before else 0


def total_fit(placed: Sequence[Placed | None], *, cost: float) -> float:
    """Say how well tokens fit where they are, all else being other speech at its cost a frame."""
    return sum(token.score + cost * token.frames for token in placed if token)


def usual_fit(placed: Sequence[Placed | None]) -> float:
    """Return the upper quartile of the local fits: what right words give in this recording."""
    known = sorted(fit for fit in local_fits(placed) if fit is not None)
    return known[len(known) * 3 // 4] if known else LEAST_USUAL_FIT


def local_fits(placed: Sequence[Placed | None]) -> list[float | None]:
    """Return for each token the mean score per frame of it and two tokens to each side."""
    return [
        fit_of(placed[max(0, index - 2) : index + 3]) if token else None
        for index, token in enumerate(placed)
    ]


def without_doubtful(
    placed: Sequence[Placed | None], *, usual: float | None = None
) -> list[Placed | None]:
    """Take back the places that fit far worse than the recording's better three quarters.

    `usual` is what these give, where it is known from more of the recording.

    Where the text and the sound part, the chain still puts every word somewhere. Measured on read
    English with sentences missing on either side, misplaced words score 3.5 below, right ones 1.1.
    """
    floor = min(CLEAR_FIT, (usual_fit(placed) if usual is None else usual) - DOUBT)
    return [
        token if token and token.longest <= LONGEST_WORD and (fit or 0) >= floor else None
        for token, fit in zip(placed, local_fits(placed), strict=True)
    ]
