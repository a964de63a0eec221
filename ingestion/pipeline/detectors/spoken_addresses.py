"""E-mail addresses, profile pages and handles as they are said aloud."""

import re
from collections.abc import Iterable, Sequence

from ingestion.pipeline.detectors.finding import SPOKEN_LANGUAGES, Hit
from ingestion.pipeline.detectors.numbers import Token, tokens_of
from ingestion.pipeline.detectors.numerals import meaning

AT = frozenset({"@", "at", "arroba", "arobase", "arobas", "arrobas", "klammeraffe", "ati"})
DOT = frozenset({"dot", "punto", "point", "punkt", "nukta", "doti", "ponto"})
JOINER_WORDS = """
underscore dash hyphen minus guion tiret bindestrich unterstrich kistari plus bajo _ - . +
"""
JOINERS = DOT | frozenset(JOINER_WORDS.split())
ENDING_WORDS = """
com org net edu gov info io co me biz int app dev tv fm radio africa eu ac or go sc ne
ke ug tz rw bi cd et so ss ng gh za zw zm mw mz sn ci cm us uk ca au in es mx ar cl pe br pt fr
be ch de at it nl pl ru
"""
ENDINGS = frozenset(ENDING_WORDS.split())
PROVIDERS = frozenset(
    {"gmail", "yahoo", "hotmail", "outlook", "icloud", "protonmail", "proton", "live", "gmx", "aol"}
)
# Before "at" these make a sentence, not an address: "find us at example dot com".
SENTENCE_WORDS = """
the a an is are was be in on to of and or me us him her it them you we they my your our email mail
address write send contact reach that's its shop shops store stores online visit website site page
look find available live meet buy order out see read more details listen sold sells sale here there
also only now today work working works arrive
es mi el la un una en de y o correo escribe escribeme escribir escribid manda mandalo mandar envia
envialo enviame enviar contacta visita tienda web
ni kwa na wa ya barua pepe yangu tovuti duka tembelea andika niandikie tuma nitumie
est le mon ma sur et ou adresse visitez boutique
ist die der das meine mein unter auf bei und oder besuchen laden
"""
SENTENCE = frozenset(SENTENCE_WORDS.split())
PLATFORM = (
    r"(?:instagram|insta|twitter|tik\s?tok|telegram|snap\s?chat|facebook|threads|mastodon|signal)"
)
HANDLE = re.compile(
    rf"\b{PLATFORM}\s+(?:(?:handle|account|page|user\s?name|name|yangu|cuenta)\s+)?"
    rf"(?:(?:is|it['\u2019]s|i['\u2019]m|we['\u2019]re|ni|es|ist|est|:)\s+)?(?:at|arroba|@)\s+"
    rf"(?P<after>[\w.]+(?:\s+(?:underscore|dot|dash|_|\.|punto|guion|nukta)\s+[\w.]+|\s+\w(?=\s|$))*)"
    rf"|\b(?:handle|user\s?name)\s+(?:(?:is|ni|es)\s+)(?:at\s+)?"
    rf"(?P<named>[\w.]+(?:\s+(?:underscore|dot|dash|_|\.|punto|guion)\s+[\w.]+)*)"
    rf"|(?:\bat|\barroba|@)\s+(?P<before>[\w.]+(?:\s+[\w.]+){{0,3}}?)\s+(?:on|en|kwenye|sur)\s+{PLATFORM}",
    re.IGNORECASE,
)
PROFILE = re.compile(
    r"(?:\bwww\s+(?:dot|punto|point|punkt|nukta)\s+)?(?<![\w-])[\w-]{1,63}\s+(?:dot|punto|point|punkt|nukta)\s+"
    r"(?:com|org|net|me|co(?:\s+(?:dot|punto|nukta)\s+\w{2})?)\s+(?:forward\s+)?(?:slash|barra|schr[äa]gstrich)"
    r"\s+[\w.]+(?:\s+(?:underscore|dot|dash|slash|punto|barra)\s+[\w.]+|\s+\w(?=\s|$))*",
    re.IGNORECASE,
)
MAX_LOCAL, MAX_LABEL = 14, 3
# So many letters in a row are a whole name; a word before them is not part of it.
MIN_SPELLED = 3


class SpokenAddressDetector:
    """Finds "jane dot doe at example dot com", letters spelled or not, with any part written."""

    name = "spoken-address/1"
    kinds = ("email", "url", "handle")
    languages = SPOKEN_LANGUAGES

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield addresses said aloud. A domain alone is no one's address."""
        tokens = tokens_of(text)
        for index, token in enumerate(tokens):
            if token.plain in AT:
                stop, sure = _domain(tokens, index + 1, text)
                first = _local(tokens, index, language) if stop else index
                if first < index:
                    start, end = tokens[first].start, tokens[stop - 1].end
                    yield Hit("email", start, end, 900 if sure else 700, self.name)
        for match in PROFILE.finditer(text):
            yield Hit("url", match.start(), match.end(), 800, self.name)
        for match in HANDLE.finditer(text):
            group = next(name for name in ("after", "named", "before") if match[name])
            yield Hit("handle", match.start(group), match.end(group), 700, self.name)


def _is_dot(tokens: Sequence[Token], index: int, text: str) -> bool:
    """Tell "dot", or a full stop that clings to both sides."""
    token = tokens[index]
    if token.plain in DOT:
        return True
    tight = text[token.start - 1 : token.start].strip() and text[token.end : token.end + 1].strip()
    return token.text == "." and bool(tight)


def _domain(tokens: Sequence[Token], start: int, text: str) -> tuple[int, bool]:
    """Return the token after the domain that starts here (0: none), and whether it has an end."""
    label = start
    while label < len(tokens) and label - start <= MAX_LABEL * 4:
        if _is_dot(tokens, label, text):
            break
        spelled = len(tokens[label].plain) == 1
        if label - start >= MAX_LABEL and not spelled:
            break
        label += 1
    if label > start and label < len(tokens) and _is_dot(tokens, label, text):
        stop = _endings(tokens, label, text)
        if stop:
            return stop, True
    if start < len(tokens) and tokens[start].plain in PROVIDERS:
        return start + 1, False
    return 0, False


def _endings(tokens: Sequence[Token], dot: int, text: str) -> int:
    """Return the token after "dot com", "dot co dot u k", "dot c o m"; 0 when none follows."""
    stop = 0
    while dot + 1 < len(tokens) and _is_dot(tokens, dot, text):
        after = dot + 1
        if tokens[after].plain in ENDINGS:
            stop = dot = after + 1
            continue
        spelled = ""
        while after < len(tokens) and len(tokens[after].plain) == 1 and len(spelled) < 4:
            spelled += tokens[after].plain
            after += 1
            if spelled in ENDINGS:
                stop = after
        if stop < after - len(spelled) + 1:
            following = dot + 2
            if following < len(tokens) and _is_dot(tokens, following, text):
                dot = following
                continue
            break
        dot = stop
    return stop


def _local(tokens: Sequence[Token], at: int, language: str) -> int:
    """Return the first token of what stands before "at"; `at` itself when it is no name."""
    first = at
    while first and at - first < MAX_LOCAL:
        token = tokens[first - 1]
        if token.plain in JOINERS and first < at:
            first -= 1
            continue
        letter = _is_spelled(tokens, first - 1)
        bare = token.plain.replace("'", "").replace("\u2019", "")
        word = token.text[0].isalnum() and not {token.plain, bare} & (AT | SENTENCE)
        if not letter and not word:
            break
        spelled = not _is_name(token, language)
        joined = first < at and tokens[first].plain in JOINERS
        words = sum(_is_name(part, language) for part in tokens[first:at])
        letters = sum(len(part.plain) == 1 for part in tokens[first:at] if part.text.isalnum())
        if first < at and not spelled and not joined and (words >= 2 or letters >= MIN_SPELLED):
            break
        first -= 1
    return first


def _is_spelled(tokens: Sequence[Token], index: int) -> bool:
    """Tell a letter inside a name ("a k a", "a dot smith") from the word "a" before one."""
    if len(tokens[index].plain) != 1 or not tokens[index].text.isalnum():
        return False
    around = [tokens[near].plain for near in (index - 1, index + 1) if 0 <= near < len(tokens)]
    return any((len(word) == 1 and word.isalnum()) or word in JOINERS for word in around)


def _is_name(token: Token, language: str) -> bool:
    """Tell a word from a spelled letter, a number and a joiner."""
    spelled = len(token.plain) == 1 or meaning(token.plain, language=language) is not None
    return not spelled and token.plain not in JOINERS
