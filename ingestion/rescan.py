"""Looking for personal data in a text that a person corrected, with the pipeline's own rules."""

from collections.abc import Sequence
from typing import Any


def find(*, text: str, words: Sequence[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """Return findings in one text as the detect step would."""
    raise NotImplementedError
