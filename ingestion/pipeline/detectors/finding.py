"""The protocol of a detector, and what it gives back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Hit:
    """A stretch of text (half-open characters) that looks like personal data.

    `confidence` is permille and says how sure the rule is, not how often it was right.
    """

    kind: str
    start: int
    end: int
    confidence: int
    detector: str


class Detector(Protocol):
    """Finds some kinds of personal data. `languages` is None when the rule reads any language."""

    @property
    def name(self) -> str:
        """What a finding says found it: a rule and its version."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the rule looks for."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages whose words the rule reads."""

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield what was found, in any order, overlaps allowed."""
