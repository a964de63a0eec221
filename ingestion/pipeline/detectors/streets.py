"""Postal addresses: a number with a street, a plot, a box. Written or spoken, per language."""

import re
from collections.abc import Iterable

from ingestion.pipeline.detectors.finding import Hit

EN_WORDS = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|hundred|oh|double|and)"
)
EN_NUMBER = (
    r"(?:\d{1,5}[A-Za-z]?(?:\s?[-/]\s?\d{1,4})?\b"
    rf"|\b{EN_WORDS}(?:[ -]{EN_WORDS}){{0,5}}\b)"
)
# What stands between a number and "road" in an address; not the words of a sentence.
EN_NAME = (
    r"(?:(?!(?:the|a|an|of|in|on|at|to|from|and|or|by|with|for|people|cars|men|women|main|more"
    r"|other|new|big|small|bad|good|way|lanes?|dirt|busy|long|tarmac|dusty|miles?|kilomet\w+|km|meters?|metres?|minutes?|hours?|years?"
    r"|days?|this|that|these|those|different|roads?|streets?|along|down|up|is|are|was|were)\b)"
    r"[^\W_][\w'.\u2019-]*\s+){1,4}?"
)
EN_TYPE = r"(?:street|st|road|rd|avenue|ave|lane|ln|crescent|boulevard|blvd|highway)"
# Everyday words too: only after figures and a name with a capital.
EN_WORD = r"(?:Drive|Dr|Close|Court|Ct|Way|Terrace|Square|Place|Gardens|Estate|Mews|Row|Hill)"

SW_NUMBER = (
    r"(?:[\w/-]+(?:\s+(?:na\s+)?(?:moja|mbili|tatu|nne|tano|sita|saba|nane|tisa|kumi|ishirini"
    r"|thelathini|aro?baini|hamsini|sitini|sabini|themanini|tisini|mia|elfu)\b){0,5})"
)
ES_UNIT = r"(?:un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)"
ES_LARGE = (
    r"(?:cien|\w*cientos?|quinientos|\w*enta|treinta|veint[ei]\w*|dieci\w+|once|doce|trece|catorce|quince"
    r"|diez|mil)"
)

Rules = tuple[tuple[re.Pattern[str], int], ...]


def _rules(*rules: tuple[str, int]) -> Rules:
    return tuple((re.compile(pattern, re.IGNORECASE), confidence) for pattern, confidence in rules)


EVERYWHERE = _rules(
    (r"\bP\.?\s?O\.?\s?Box\s+(?:number\s+)?\d{1,6}(?:\s*[-,]?\s*\d{4,6})?", 930),
    (r"\bS\.?\s?L\.?\s?P\.?\s*\d{1,6}", 930),
    (
        (
            r"\b(?:plot|house|flat|apartment|apt|unit)\s+(?:no\.?\s*|number\s+)?\d{1,5}[A-Z]?\b"
            rf"(?:,?\s+{EN_NAME}{EN_TYPE}\b\.?)?"
        ),
        850,
    ),
)
BY_LANGUAGE: dict[str, Rules] = {
    "en": _rules(
        (rf"(?<![\w.]){EN_NUMBER}\s*,?\s*{EN_NAME}{EN_TYPE}\b", 850),
        (rf"\b(?:P\.?\s?O\.?|post\s+office)\s+box\s+(?:number\s+)?{EN_NUMBER}", 900),
        (
            (
                rf"\b(?:plot|house|flat|apartment)\s+(?:number\s+)?{EN_NUMBER}"
                rf"(?:\s*{EN_NAME}{EN_TYPE}\b)?"
            ),
            800,
        ),
    ),
    "sw": _rules(
        (
            (
                r"\bsanduku\s+la\s+posta\s+(?:namba\s+|nambari\s+)?[\w-]+"
                r"(?:\s+(?!ya\b|la\b)[\w-]+){0,3}"
            ),
            900,
        ),
        (rf"\bnyumba\s+(?:namba|nambari|na\.?)\s+{SW_NUMBER}", 850),
        (
            (
                r"\b(?:mtaa|barabara)\s+(?:wa|ya)\s+[^\W\d_]\w*(?:\s+[^\W\d_]\w*)?,?\s+"
                rf"(?:nyumba|namba|nambari|plot)\s+(?:namba\s+|nambari\s+)?{SW_NUMBER}"
            ),
            880,
        ),
        (
            (
                rf"\b(?:plot|ploti|kiwanja)\s+(?:namba\s+|nambari\s+)?{EN_NUMBER}"
                rf"(?:\s*{EN_NAME}{EN_TYPE}\b)?"
            ),
            850,
        ),
        (rf"(?<![\w.])\d{{1,5}}[A-Z]?\s+{EN_NAME}{EN_TYPE}\b", 850),
    ),
    "es": _rules(
        (
            (
                r"\b(?:calle|c/|avenida|avda?\.?|plaza|paseo|camino|carretera|carrera|cra\.?|cl\.?"
                r"|diagonal|transversal|pasaje|jir[óo]n)\s+(?:[\w.'-]+,?\s+){0,6}?"
                rf"(?:n[úu]mero\s+{ES_UNIT}\b|(?:n[úu]mero\s+|n[\u00ba\u00b0o.]+\s*|#\s*|,\s*)?"
                rf"(?:\d{{1,5}}|{ES_LARGE})\b)(?:\s+(?:y\s+)?(?:{ES_LARGE}|{ES_UNIT})\b)*"
                r"(?:\s*[-#y]\s*\w{1,7})*"
            ),
            820,
        ),
        (r"\bapartado\s+(?:de\s+correos\s+|postal\s+)?\d{1,6}", 900),
    ),
    "fr": _rules(
        (
            (
                r"(?<![\w.])\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|av\.|boulevard|bd|place|chemin"
                r"|all[ée]e|impasse|quai|route|cours|square)\s+(?:[\w'\u2019-]+\s*){1,5}"
            ),
            850,
        ),
        (r"\b(?:B\.?P\.?|bo[îi]te\s+postale)\s+\d{1,6}", 900),
    ),
    "de": _rules(
        (
            (
                r"(?<![\w-])[\w-]{1,60}(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|ufer|damm)\s+"
                r"(?:Nummer\s+)?\d{1,4}\s?[a-z]?\b"
            ),
            870,
        ),
        (r"\bPostfach\s+\d[\d ]{1,8}", 900),
    ),
}
# These say something by their capitals alone.
WITH_CAPITALS: tuple[tuple[str | None, re.Pattern[str], int], ...] = (
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
    """Street, plot and box addresses in English, East African English, Swahili, es, fr, de."""

    name = "address/1"
    kinds = ("address",)
    languages = frozenset({"en", "sw", "es", "fr", "de"})

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield addresses by the language's rules and those that hold everywhere."""
        for pattern, confidence in (*EVERYWHERE, *BY_LANGUAGE.get(language, ())):
            for match in pattern.finditer(text):
                yield self._hit(match, confidence)
        for code, pattern, confidence in WITH_CAPITALS:
            if code in {None, language}:
                for match in pattern.finditer(text):
                    yield self._hit(match, confidence)

    def _hit(self, match: re.Match[str], confidence: int) -> Hit:
        end = match.start() + len(match[0].rstrip(" ,;-"))
        return Hit("address", match.start(), end, confidence, self.name)
