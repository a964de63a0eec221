"""Written telephone numbers: libphonenumber for the regions at hand, and a rule of shape."""

import re
from collections.abc import Iterable

import phonenumbers

from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.detectors.lexicon import cue

REGIONS = {
    "en": ("US", "GB", "KE", "UG", "NG", "GH", "ZA", "IN"),
    "sw": ("KE", "TZ", "UG", "CD"),
    "es": ("ES", "MX", "CO", "AR", "PE"),
    "fr": ("FR", "CD", "SN", "CI", "CM"),
    "de": ("DE", "AT", "CH"),
    "ar": ("EG", "SA", "JO", "MA", "DZ"),
    "pt": ("BR", "PT", "MZ", "AO"),
    "lg": ("UG",),
    "rw": ("RW",),
    "so": ("SO", "KE"),
    "am": ("ET",),
    "ha": ("NG", "NE"),
    "yo": ("NG",),
}
ANYWHERE = ("KE", "US")
# +, a trunk 0 or brackets begin it; the groups are parted by one sign each.
SHAPE = re.compile(
    r"(?<![\w.,/+-])(?:\+\d|\(0?\d|0\d)(?:[ ()/.\u2011-]{0,2}\d){6,13}(?![\w-]|[.,]\d)"
)
# Seven to fifteen figures, whatever parts them: what libphonenumber is asked about.
FIGURES = re.compile(
    r"(?<![\w.,/+-])[+(]?\d(?:[ ()/.\u2010-\u2014-]{0,3}\d){6,14}"
    r"(?![\w-]|[.,]\d|[ -]\d)"
)
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}")
BARE = re.compile(r"(?<![\w.,/+-])\d(?:[ .-]?\d){6,11}(?![\w-]|[.,]\d)")
BEFORE = 48


class PhoneDetector:
    """Telephone numbers in figures, with and without a country."""

    name = "phone/2"
    kinds = ("phone",)
    languages = None

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield valid numbers of the language's regions, then what has a number's shape."""
        for match in FIGURES.finditer(text):
            # What begins like a number is one by its shape, below.
            if match[0][0] not in "+0":
                yield from self._of_regions(text, match, REGIONS.get(language, ANYWHERE))
        for match in SHAPE.finditer(text):
            if not DATE.fullmatch(match[0].strip()):
                yield Hit("phone", match.start(), match.end(), 800, self.name)
        for match in BARE.finditer(text):
            if self._told(text, match.start()):
                yield Hit("phone", match.start(), match.end(), 750, self.name)

    def _of_regions(self, text: str, match: re.Match[str], regions: Iterable[str]) -> Iterable[Hit]:
        """Yield the valid numbers in a stretch of figures, by the first region that has them."""
        found = False
        for region in regions:
            for number in phonenumbers.PhoneNumberMatcher(
                match[0], region, leniency=phonenumbers.Leniency.VALID
            ):
                start, end = (match.start() + place for place in (number.start, number.end))
                if self._plausible(text, start, end):
                    found = True
                    yield Hit("phone", start, end, 950, self.name)
            if found:
                return

    def _plausible(self, text: str, start: int, end: int) -> bool:
        """Take bare figures without any sign for a number only where one is spoken of."""
        figures = text[start:end]
        if figures[0] in "+(0" or re.search(r"\d[ ().-]+\d", figures):
            return not DATE.fullmatch(figures) and not re.fullmatch(
                r"(?:1[89]|20)\d\d[ -](?:1[89]|20)\d\d", figures
            )
        return self._told(text, start)

    def _told(self, text: str, start: int) -> bool:
        before = text[max(0, start - BEFORE) : start]
        return any(cue(kind).search(before) for kind in ("phone", "number"))
