"""Written e-mail and web addresses, payment cards, bank accounts, IP addresses, handles."""

import ipaddress
import re
from collections.abc import Iterable

from stdnum import iban, luhn

from ingestion.pipeline.detectors.finding import Hit

EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w-])"
)
URL = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"']{3,200}"
    r"|(?<![@\w.-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}[a-z]{2,24}/[^\s<>\"',;]{2,200}",
    re.IGNORECASE,
)
DOMAIN = re.compile(
    r"(?<![@\w.-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}[a-z]{2,24}(?![\w@-])",
    re.IGNORECASE,
)
OWN_PAGE = re.compile(
    r"\b(?:my|our|her|his|mi|su|mon|ma|meine?)\s+(?:web\s?site|site|page|blog|p[áa]gina|sitio|seite)"
    r"|\btovuti\s+yangu|\bblogu\s+yangu",
    re.IGNORECASE,
)
CARD = re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])")
# Words may follow without a sign between: the checksum finds the end.
IBAN = re.compile(r"\b(?=([A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30})(?![A-Z0-9]))", re.IGNORECASE)
IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
VERSION = re.compile(r"(?:version|release|firmware|v|toleo|versi[óo]n)\s*$", re.IGNORECASE)
HANDLE = re.compile(r"(?<![\w@./])@[^\W\d][\w.]{1,29}(?<!\.)")
BEFORE = 40


class WrittenDetector:
    """Rules that read the same in every language."""

    name = "written/1"
    kinds = ("email", "url", "card", "iban", "ip", "handle")
    languages = None

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield written addresses and account numbers; checksums decide where there are any."""
        del language
        yield from self._matches(EMAIL, text, "email", 990)
        yield from self._urls(text)
        for match in CARD.finditer(text):
            if luhn.is_valid(re.sub(r"\D", "", match[0])):
                yield self._hit("card", match, 960)
        for match in IBAN.finditer(text):
            candidate = match[1]
            while candidate and not iban.is_valid(candidate, check_country=False):
                candidate = candidate.rpartition(" ")[0]
            if candidate:
                start = match.start()
                yield Hit("iban", start, start + len(candidate), 980, self.name)
        for pattern in (IPV4, IPV6):
            for match in pattern.finditer(text):
                if _is_address(match[0]) and not VERSION.search(text[: match.start()][-BEFORE:]):
                    yield self._hit("ip", match, 900)
        yield from self._matches(HANDLE, text, "handle", 850)

    def _urls(self, text: str) -> Iterable[Hit]:
        """Yield pages. A bare domain is a shop's as often as a person's: it needs a "my site"."""
        for match in URL.finditer(text):
            end = match.start() + len(match[0].rstrip(".,;:!?)]}"))
            yield Hit("url", match.start(), end, 900, self.name)
        for match in DOMAIN.finditer(text):
            if OWN_PAGE.search(text[max(0, match.start() - BEFORE) : match.start()]):
                yield self._hit("url", match, 700)

    def _matches(
        self, pattern: re.Pattern[str], text: str, kind: str, confidence: int
    ) -> Iterable[Hit]:
        return (self._hit(kind, match, confidence) for match in pattern.finditer(text))

    def _hit(self, kind: str, match: re.Match[str], confidence: int) -> Hit:
        return Hit(kind, match.start(), match.end(), confidence, self.name)


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    # "::" and clock times such as 10::30 are no one's address.
    return address.version == 4 or text.count(":") >= 3
