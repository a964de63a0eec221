"""Numbers that a state or an institution gave a person: checksums, shapes, and words around."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.us import ssn
from stdnum.za import idnr as za_idnr

from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.detectors.lexicon import cue

NUMBER = re.compile(r"(?<![\w.,])[A-Z]{0,3}[ -]?\d(?:[ -]?[\dA-Z]){4,19}(?![\w]|[.,]\d)")
BEFORE = 48


@dataclass(frozen=True, slots=True)
class Rule:
    """A shape, and what decides whether a match of it is a number of that kind."""

    name: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool] | None
    confidence: int
    needs_cue: bool = False


def _rule(
    name: str,
    pattern: str,
    is_valid: Callable[[str], bool] | None,
    confidence: int,
    *,
    needs_cue: bool = False,
) -> Rule:
    return Rule(name, re.compile(rf"(?<![\w-]){pattern}(?![\w-])"), is_valid, confidence, needs_cue)


RULES = (
    _rule("us-ssn", r"\d{3}-\d{2}-\d{4}", ssn.is_valid, 930),
    _rule("es-dni", r"\d{8}[ -]?[A-Z]", dni.is_valid, 930),
    _rule("es-nie", r"[XYZ][ -]?\d{7}[ -]?[A-Z]", nie.is_valid, 930),
    _rule("fr-nir", r"[12] ?\d\d ?[01]\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", nir.is_valid, 930),
    _rule("de-idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", idnr.is_valid, 700, needs_cue=True),
    _rule("gb-nino", r"[A-CEGHJ-PR-TW-Z][A-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", None, 850),
    _rule("gb-nhs", r"\d{3} \d{3} \d{4}", nhs.is_valid, 600, needs_cue=True),
    _rule("it-codicefiscale", r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", codicefiscale.is_valid, 950),
    _rule("br-cpf", r"\d{3}\.?\d{3}\.?\d{3}-\d\d", cpf.is_valid, 930),
    _rule("in-aadhaar", r"\d{4} ?\d{4} ?\d{4}", aadhaar.is_valid, 750),
    _rule("in-pan", r"[A-Z]{5}\d{4}[A-Z]", pan.is_valid, 850),
    _rule("za-id", r"\d{6} ?\d{4} ?\d{3}", za_idnr.is_valid, 850),
    _rule("ug-nin", r"C[MF]\d{2}[A-Z0-9]{10}", None, 900),
    _rule("tz-nida", r"(?:19|20)\d{6}-?\d{5}-?\d{5}-?\d{2}", None, 900),
    _rule("mx-curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d", None, 930),
)


class IdentityDetector:
    """Identity numbers. Where a country's numbers have no checksum, a word must speak of them."""

    name = "identity/1"
    kinds = ("id-number",)
    languages = None

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield numbers with a valid checksum or shape, and any number after "ID number is"."""
        del language
        for rule in RULES:
            for match in rule.pattern.finditer(text):
                if rule.needs_cue and not self._spoken_of(text, match.start()):
                    continue
                if rule.is_valid is None or rule.is_valid(match[0]):
                    start, end = match.span()
                    yield Hit("id-number", start, end, rule.confidence, f"{self.name}/{rule.name}")
        for match in NUMBER.finditer(text):
            if self._spoken_of(text, match.start()):
                yield Hit("id-number", match.start(), match.end(), 700, self.name)

    def _spoken_of(self, text: str, start: int) -> bool:
        return bool(cue("id").search(text[max(0, start - BEFORE) : start]))
