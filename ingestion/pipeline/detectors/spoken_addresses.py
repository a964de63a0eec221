"""E-mail addresses, profile pages and handles as they are said aloud."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.detectors.lexicon import CONNECTORS, LANGUAGES, Language, language_of
from ingestion.pipeline.detectors.tokens import Token, is_filler, tokens_of

JOINING = frozenset({"dot", "dash", "underscore", "plus"})
JOINERS = frozenset("_-.+")
ENDING_WORDS = """
com org net edu gov info io co me biz int app dev tv fm radio africa eu ac or go sc ne
ke ug tz rw bi cd et so ss ng gh za zw zm mw mz sn ci cm us uk ca au in es mx ar cl pe br pt fr
be ch de at it nl pl ru ao ma dz tn eg sa ae jo ly sd lb iq ye qa kw bo ec py uy gt hn cu do ve
"""
ENDINGS = frozenset(ENDING_WORDS.split())
PROVIDERS = frozenset(
    {"gmail", "yahoo", "hotmail", "outlook", "icloud", "protonmail", "proton", "live", "gmx", "aol"}
)
PLATFORM_WORDS = """
instagram insta twitter tiktok telegram snapchat facebook threads mastodon signal youtube linkedin
handle username user usuario pseudo utilizador nutzername انستغرام انستقرام تويتر تيكتوك تليغرام
"""
PLATFORMS = frozenset(PLATFORM_WORDS.split())
PROFILE = re.compile(
    r"(?:\bwww\s+(?:dot|punto|point|punkt|nukta|ponto)\s+)?(?<![\w-])[\w-]{1,63}\s+"
    r"(?:dot|punto|point|punkt|nukta|ponto)\s+"
    r"(?:com|org|net|me|co(?:\s+(?:dot|punto|nukta|ponto)\s+\w{2})?)\s+"
    r"(?:forward\s+)?(?:slash|barra|schr[äa]gstrich)"
    r"\s+[\w.]+(?:\s+(?:underscore|dot|dash|slash|punto|barra)\s+[\w.]+|\s+\w(?=\s|$))*",
    re.IGNORECASE,
)
PAUSES = frozenset(",;\u060c\u2026")
FAR = 30
"""Tokens that a spelled domain may have."""
BRACKETS = frozenset({"[]", "()", "{}", "<>"})
WORDS = frozenset({"at", "ati", "ad", "chez"})
"""What stands for "@" and is a word of sentences as well."""
MAX_LOCAL, MAX_LABEL, MAX_NAMES = 16, 3, 2
# So many letters in a row are a whole name; a word before them is not part of it.
MIN_SPELLED = 3
NEAR_PLATFORM = 8
"""Tokens from a platform's name to the handle on it."""


class SpokenAddressDetector:
    """Finds "jane dot doe at example dot com", letters spelled or not, with any part written."""

    name = "spoken-address/2"
    kinds = ("email", "url", "handle")
    languages = LANGUAGES

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield addresses said aloud. A domain alone is no one's address."""
        tokens = tokens_of(text, language)
        table = language_of(language)
        for index, token in enumerate(tokens):
            if token.word.sign == "at" or token.text == "@":
                yield from self._email(tokens, index, text, table)
            elif token.plain in PLATFORMS:
                yield from self._handle(tokens, index, table)
        for match in PROFILE.finditer(text):
            yield Hit("url", match.start(), match.end(), 800, self.name)

    def _email(
        self, tokens: Sequence[Token], at: int, text: str, language: Language
    ) -> Iterator[Hit]:
        after = at + 1
        if 0 < at < len(tokens) - 1 and tokens[at - 1].text + tokens[after].text in BRACKETS:
            at, after = at - 1, after + 1
        stop, sure = _domain_after(tokens, after, text, language)
        first = _local(tokens, at, language) if stop else at
        if stop and first == at and tokens[at].plain not in WORDS and at:
            first = at - 1 if tokens[at - 1].is_word else at
        if first < at:
            start, end = tokens[first].start, tokens[stop - 1].end
            yield Hit("email", start, end, 900 if sure else 700, self.name)
        elif not stop:
            yield from self._handle_on_platform(tokens, at + 1, language)

    def _handle_on_platform(
        self, tokens: Sequence[Token], first: int, language: Language
    ) -> Iterator[Hit]:
        """Yield "at lake voices on instagram": what stands up to the platform's name."""
        for stop in range(first + 1, min(first + 7, len(tokens))):
            if tokens[stop].plain in PLATFORMS:
                last = stop - 1
                while last > first and _is_sentence(tokens[last], language):
                    last -= 1
                yield Hit("handle", tokens[first].start, tokens[last].end, 700, self.name)
                return

    def _handle(self, tokens: Sequence[Token], platform: int, language: Language) -> Iterator[Hit]:
        """Yield the handle after a platform's name: behind "at", or with a sign in it."""
        for first in range(platform + 1, min(platform + NEAR_PLATFORM, len(tokens))):
            stop, signs = _chain(tokens, first, language)
            behind = tokens[first - 1].word.sign == "at" or tokens[first - 1].text == "@"
            if stop and (behind or signs):
                yield Hit("handle", tokens[first].start, tokens[stop - 1].end, 700, self.name)
                return


def _chain(tokens: Sequence[Token], first: int, language: Language) -> tuple[int, int]:
    """Return the token after "lake underscore voices", 0 for none, and how many signs it has."""
    if not tokens[first].is_word or _is_sentence(tokens[first], language):
        return 0, 0
    at, signs = first + 1, 0
    while at < len(tokens):
        if _is_joiner(tokens[at]) and at + 1 < len(tokens) and tokens[at + 1].is_word:
            # "awa underscore du fleuve"
            small = tokens[at + 1].plain in CONNECTORS and at + 2 < len(tokens)
            at, signs = at + 2 + (small and tokens[at + 2].is_word), signs + 1
        elif tokens[at].letter or tokens[at].role in {"d", "n", "t", "figures"}:
            at += 1
        else:
            break
    return at, signs


def _past_fillers(tokens: Sequence[Token], at: int) -> int:
    while at < len(tokens) and is_filler(tokens[at]):
        at += 1
    return at


def _is_joiner(token: Token) -> bool:
    return token.word.sign in JOINING or token.text in JOINERS


def _is_sentence(token: Token, language: Language) -> bool:
    """Tell words that make a sentence, not an address: "find us at example dot com"."""
    bare = token.plain.replace("'", "")
    return token.word.sign == "at" or not language.sentence.isdisjoint({token.plain, bare})


def _is_dot(tokens: Sequence[Token], index: int, text: str) -> bool:
    """Tell "dot", or a full stop that clings to both sides."""
    token = tokens[index]
    if token.word.sign == "dot":
        return True
    tight = text[token.start - 1 : token.start].strip() and text[token.end : token.end + 1].strip()
    return token.text == "." and bool(tight)


def _domain_after(
    tokens: Sequence[Token], start: int, text: str, language: Language
) -> tuple[int, bool]:
    """Return as `_domain`, with commas and "uh" passed over."""
    places = [
        place
        for place in range(start, min(start + FAR, len(tokens)))
        if tokens[place].plain not in PAUSES and tokens[place].role != "f"
    ]
    stop, sure = _domain([tokens[place] for place in places], 0, text, language)
    return (places[stop - 1] + 1 if stop else 0), sure


def _domain(tokens: Sequence[Token], start: int, text: str, language: Language) -> tuple[int, bool]:
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
        stop = _endings(tokens, label, text, language)
        if stop:
            return stop, True
    if start < len(tokens) and tokens[start].plain in PROVIDERS | language.providers:
        return start + 1, False
    return 0, False


def _endings(tokens: Sequence[Token], dot: int, text: str, language: Language) -> int:
    """Return the token after "dot com", "dot co dot u k", "dot c o m"; 0 when none follows."""
    stop = 0
    while dot + 1 < len(tokens) and _is_dot(tokens, dot, text):
        after = dot + 1
        if tokens[after].plain in ENDINGS | language.endings:
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


def _local(tokens: Sequence[Token], at: int, language: Language) -> int:
    """Return the first token of what stands before "at"; `at` itself when it is no name."""
    first = at
    before = at
    words = letters = 0
    while before and at - before < MAX_LOCAL:
        before -= 1
        token = tokens[before]
        if _is_joiner(token) and first < at:
            first = before
            continue
        if is_filler(token) and _goes_on(tokens, before, language):
            continue
        if token.role == "j" and 0 < before < first and _is_inside_number(tokens, before):
            continue
        part = _is_spelled(tokens, before) or _is_number(tokens, before)
        if not part and (not token.is_word or _is_sentence(token, language)):
            return _past_connectors(tokens, before, first, language)
        is_name = _is_name(token) and token.plain not in CONNECTORS
        joined = first < at and _is_joiner(tokens[first])
        if first < at and is_name and not joined and letters >= MIN_SPELLED:
            break
        if first < at and is_name and not joined and words >= MAX_NAMES:
            return _to_boundary(tokens, before, first, language)
        words, letters = words + is_name, letters + (len(token.plain) == 1)
        first = before
    return first


def _to_boundary(tokens: Sequence[Token], at: int, first: int, language: Language) -> int:
    """Return where "dee jay kevo" begins: some names more, where the sentence ends before them."""
    begin = at
    while begin > 0 and at - begin < MAX_NAMES and _is_name(tokens[begin - 1]):
        if not tokens[begin - 1].is_word or _is_sentence(tokens[begin - 1], language):
            break
        begin -= 1
    before = tokens[begin - 1] if begin else None
    ends = before is None or not before.is_word or _is_sentence(before, language)
    return begin if ends else first


def _goes_on(tokens: Sequence[Token], at: int, language: Language) -> bool:
    """Tell a comma or "uh" inside an address: a letter, a number or a sign stands beside it."""
    before = at
    while before and is_filler(tokens[before]):
        before -= 1
    after = _past_fillers(tokens, at)
    part = _is_spelled(tokens, before) or _is_number(tokens, before)
    if after >= len(tokens) or (_is_sentence(tokens[before], language) and not part):
        return False
    near = (tokens[before], tokens[after])
    if tokens[after].word.sign == "at" or any(_is_joiner(token) for token in near):
        return True
    return not tokens[at].is_word and not any(_is_name(token) for token in near)


def _is_spelled(tokens: Sequence[Token], index: int) -> bool:
    """Tell a letter inside a name ("a k a", "a dot smith") from the word "a" before one."""
    if len(tokens[index].plain) != 1 or not tokens[index].is_word:
        return False
    if len(tokens[index].text) > 1:
        return True
    before, after = index - 1, _past_fillers(tokens, index + 1)
    while before > 0 and is_filler(tokens[before]):
        before -= 1
    around = [tokens[near] for near in (before, after) if 0 <= near < len(tokens)]
    return any((len(one.plain) == 1 and one.is_word) or _is_joiner(one) for one in around)


def _past_connectors(tokens: Sequence[Token], at: int, first: int, language: Language) -> int:
    """Return where "voz do vale" begins: a name, a small word, and what is read already."""
    joins = first > at and tokens[at].plain in CONNECTORS and at > 0
    if not joins or not _is_name(tokens[at - 1]) or not tokens[at - 1].is_word:
        return first
    if _is_sentence(tokens[at - 1], language):
        return first
    article = at > 1 and tokens[at - 2].plain in CONNECTORS
    return at - 2 if article else at - 1


def _is_number(tokens: Sequence[Token], at: int) -> bool:
    """Tell the "one" of "ninety-one" from the word "one"."""
    return tokens[at].role in {"n", "t", "h"} or (
        tokens[at].role == "d" and at > 0 and tokens[at - 1].role in {"d", "t", "j"}
    )


def _is_inside_number(tokens: Sequence[Token], at: int) -> bool:
    """Tell the "and" inside a number."""
    return all(tokens[near].role in {"d", "n", "t", "h"} for near in (at - 1, at + 1))


def _is_name(token: Token) -> bool:
    """Tell a word from a spelled letter, a number and a joiner."""
    return len(token.plain) > 1 and not token.role and not _is_joiner(token)
