"""Written addresses that say what they are by their capitals and figures alone."""

import re
from collections.abc import Iterable

from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.detectors.lexicon import LANGUAGES

# Everyday words too: only after figures and a name with a capital.
EN_WORD = r"(?:Drive|Dr|Close|Court|Ct|Way|Terrace|Square|Place|Gardens|Estate|Mews|Row|Hill)"
HOUSE = re.compile(
    r"\b(?:plot|house|flat|apartment|apt|unit)\s+(?:no\.?\s*|number\s+)?\d{1,5}[A-Z]?\b",
    re.IGNORECASE,
)
# These say something by their capitals alone.
WITH_CAPITALS: tuple[tuple[str | None, re.Pattern[str], int], ...] = (
    (None, HOUSE, 850),
    (None, re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{2}\b"), 850),
    (
        "en",
        re.compile(r"(?<![\w.])\d{1,5}[A-Z]?\s+(?:[A-Z][\w'.-]*\s+){1,3}" + EN_WORD + r"\b"),
        850,
    ),
    ("en", re.compile(r",\s*[A-Z]{2}\s\d{5}(?:-\d{4})?\b"), 800),
    ("de", re.compile(r"\b\d{5}\s+[A-ZÄÖÜ]\w{2,}"), 600),
)


class StreetDetector:
    """Houses, postal codes and streets named like any word ("12 Bay Close")."""

    name = "address/2"
    kinds = ("address",)
    languages = LANGUAGES

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield addresses by the language's rules and those that hold everywhere."""
        for code, pattern, confidence in WITH_CAPITALS:
            if code in {None, language}:
                for match in pattern.finditer(text):
                    yield Hit("address", match.start(), match.end(), confidence, self.name)
