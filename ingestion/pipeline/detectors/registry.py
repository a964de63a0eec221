"""All detectors, run together, each with what it is able to judge."""

import unicodedata
from collections.abc import Iterator, Sequence

from ingestion.pipeline.detectors.finding import Detector, Hit
from ingestion.pipeline.detectors.identity import IdentityDetector
from ingestion.pipeline.detectors.lexicon import LANGUAGES
from ingestion.pipeline.detectors.phones import PhoneDetector
from ingestion.pipeline.detectors.spoken_addresses import SpokenAddressDetector
from ingestion.pipeline.detectors.spoken_numbers import SpokenNumberDetector
from ingestion.pipeline.detectors.spoken_streets import SpokenStreetDetector
from ingestion.pipeline.detectors.streets import StreetDetector
from ingestion.pipeline.detectors.written import WrittenDetector

VERSION = "2"
DETECTORS: tuple[Detector, ...] = (
    WrittenDetector(),
    PhoneDetector(),
    IdentityDetector(),
    SpokenNumberDetector(),
    SpokenAddressDetector(),
    SpokenStreetDetector(),
    StreetDetector(),
)
# Where two rules claim the same words, the first of these names them.
PRECEDENCE = ("card", "iban", "email", "id-number", "ip", "phone", "url", "handle", "address")
NEVER_CHECKED = ("birth-date", "description", "name", "number-plate")
"""Kinds that no rule here looks for. People's names need a person, or a model that is measured; so
does what describes somebody (an age and a village)."""
SPOKEN = (SpokenNumberDetector(), SpokenAddressDetector(), SpokenStreetDetector())
FIGURES = {ord(char): str(unicodedata.decimal(char)) for char in "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"}
"""Figures of the Arabic script, which the rules read as 0 to 9."""


def find_all(text: str, *, language: str, detectors: Sequence[Detector] = DETECTORS) -> list[Hit]:
    """Return what all detectors that know the language found, in order, without duplicates.

    Hits of one kind that overlap become one; a hit inside one of a kind that takes precedence goes.
    """
    text = text.translate(FIGURES)
    hits = [
        hit
        for detector in detectors
        if detector.languages is None or language in detector.languages
        for hit in detector.find(text, language=language)
        if hit.end > hit.start
    ]
    kept = [hit for group in _touching(_merged(hits)) for hit in _preferred(group)]
    return sorted(kept, key=lambda hit: (hit.start, hit.end))


def _touching(hits: Sequence[Hit]) -> Iterator[list[Hit]]:
    """Yield hits in groups that no hit reaches out of."""
    group: list[Hit] = []
    end = 0
    for hit in sorted(hits, key=lambda hit: hit.start):
        if group and hit.start >= end:
            yield group
            group = []
        group.append(hit)
        end = max(end, hit.end)
    if group:
        yield group


def _preferred(hits: Sequence[Hit]) -> list[Hit]:
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (PRECEDENCE.index(hit.kind), hit.start)):
        if not any(other.start <= hit.start and hit.end <= other.end for other in kept):
            kept.append(hit)
    return kept


def _merged(hits: Sequence[Hit]) -> list[Hit]:
    merged: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.kind, hit.start, -hit.confidence)):
        last = merged[-1] if merged else None
        if last and last.kind == hit.kind and hit.start < last.end:
            surer = max(last, hit, key=lambda one: one.confidence)
            end = max(last.end, hit.end)
            merged[-1] = Hit(hit.kind, last.start, end, surer.confidence, surer.detector)
        else:
            merged.append(hit)
    return merged


def kinds_checked(language: str) -> list[str]:
    """Return the kinds that some rule looks for in a language's written form, sorted."""
    return sorted(
        {
            kind
            for detector in DETECTORS
            if detector.languages is None or language in detector.languages
            for kind in detector.kinds
        }
    )


def kinds_spoken(language: str) -> list[str]:
    """Return the kinds that some rule looks for where they are said aloud, in words, sorted."""
    return sorted({kind for one in SPOKEN if language in one.languages for kind in one.kinds})


def kinds_not_checked(language: str) -> list[str]:
    """Return the kinds that nothing looks for in a language, in writing or aloud, sorted."""
    return sorted({*NEVER_CHECKED, *PRECEDENCE} - {*kinds_checked(language)})


def knows_speech(language: str) -> bool:
    """Tell whether numbers and addresses said aloud in a language are looked for."""
    return language in LANGUAGES
