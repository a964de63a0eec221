"""Figures and signs as words: every way a token of a transcript may have been said."""

import re
import string

from num2words import num2words

SPOKEN_BY_LIBRARY = frozenset(
    {"en", "es", "fr", "de", "pt", "it", "nl", "id", "tr", "ru", "uk", "pl", "ro", "hu", "vi", "ar"}
)
DIGITS = {
    "en": "zero one two three four five six seven eight nine",
    "sw": "sifuri moja mbili tatu nne tano sita saba nane tisa",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
}
SIGNS = {
    "en": {"@": "at", "%": "percent", "&": "and", "+": "plus", ".": "point", "#": "number"},
    "sw": {"@": "at", "%": "asilimia", "&": "na", "+": "jumlisha", ".": "nukta", "#": "namba"},
    "es": {"@": "arroba", "%": "por ciento", "&": "y", "+": "más", ".": "punto", "#": "número"},
    "fr": {"@": "arobase", "%": "pour cent", "&": "et", "+": "plus", ".": "point", "#": "numéro"},
    "de": {"@": "ät", "%": "prozent", "&": "und", "+": "plus", ".": "punkt", "#": "nummer"},
}
LETTERS = {
    "en": "ay bee see dee ee eff gee aitch eye jay kay ell em en oh pee cue are ess tee you vee "
    "double-you ex why zee",
    "": "a be se de e ef je ech i jey key el em en o pe kyu ar es te yu vi dabalyu eks wai zed",
}
LETTER_NAMES = {
    language: dict(zip(string.ascii_lowercase, names.split(), strict=True))
    for language, names in LETTERS.items()
}
# A letter with the marks that belong to it: Brahmic vowel signs are no \w of their own.
LETTER_RUN = r"(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0dff\u200c\u200d])+"
PIECES = re.compile(rf"\d+|{LETTER_RUN}(?:['\u2019\u02bc]{LETTER_RUN})*'?|[@%&+#.]")
ORDINAL = re.compile(r"(\d{1,3})(?:st|nd|rd|th)", re.IGNORECASE)
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
LONGEST_NUMBER = 9
MAX_ACRONYM = 5
SWAHILI_TENS = "kumi ishirini thelathini arobaini hamsini sitini sabini themanini tisini"
SWAHILI_LARGE = ((1_000_000, "milioni"), (1000, "elfu"), (100, "mia"))


def readings(token: str, *, language: str) -> list[list[str]]:
    """Return the ways to say a token, each a list of words; [] when it holds nothing to say.

    "98.5" → [["ninety-eight", "point", "five"], …]; "BBC" → [["bbc"], ["bee", "bee", "see"]].
    """
    ordinal = ORDINAL.fullmatch(token)
    if ordinal and language == "en":
        said = num2words(int(ordinal[1]), lang="en", to="ordinal")
        return [re.split(r"[\s-]+", said)]
    spoken: list[list[str]] = [[]]
    pieces = PIECES.findall(THOUSANDS.sub("", token))
    for index, piece in enumerate(pieces):
        if piece == "." and not 0 < index < len(pieces) - 1:
            continue
        options = _options(piece, language)
        if piece == "." and not pieces[index + 1].isdecimal():
            options = [["dot"], *options]
        spoken = [start + option for start in spoken for option in options][:6]
    return [words for words in spoken if words]


def _options(piece: str, language: str) -> list[list[str]]:
    if piece.isdecimal():
        return _numbers(piece, language)
    if piece in SIGNS["en"]:
        return [SIGNS.get(language, SIGNS["en"])[piece].split()]
    words = [[piece.casefold()]]
    if (piece.isupper() and 1 < len(piece) <= MAX_ACRONYM) or len(piece) == 1:
        spelled = [_letter(char, language) for char in piece.casefold()]
        if all(spelled):
            words.append(spelled)
    return words


def _letter(char: str, language: str) -> str:
    return LETTER_NAMES.get(language, LETTER_NAMES[""]).get(char, "")


def _numbers(figures: str, language: str) -> list[list[str]]:
    """Return the readings of a run of figures: as a number, in pairs, figure by figure."""
    names = DIGITS.get(language, DIGITS["en"]).split()
    figures = "".join(str(int(figure)) for figure in figures)
    one_by_one = [names[int(figure)] for figure in figures]
    options = [one_by_one]
    if language == "en" and "0" in figures:
        options.append(["oh" if figure == "0" else names[int(figure)] for figure in figures])
    if len(figures) <= LONGEST_NUMBER and (figures == "0" or figures[0] != "0"):
        options.insert(0, _cardinal(int(figures), language))
    if len(figures) == 4 and figures[0] != "0" and figures[2:] != "00":
        tens = _cardinal(int(figures[2:]), language)
        options.append(_cardinal(int(figures[:2]), language) + tens)
    unique: list[list[str]] = []
    for option in options:
        if option and option not in unique:
            unique.append(option)
    return unique


def _cardinal(number: int, language: str) -> list[str]:
    if language == "sw":
        return _swahili(number)
    if language not in SPOKEN_BY_LIBRARY:
        return []
    spoken: str = num2words(number, lang=language)
    return [word for word in re.split(r"[\s,-]+", spoken) if word]


def _swahili(number: int) -> list[str]:
    """Return a number below 10^9 in Swahili: elfu moja mia mbili thelathini na nne."""
    for unit, name in SWAHILI_LARGE:
        if number >= unit:
            rest = _swahili(number % unit) if number % unit else []
            joined = ["na", *rest] if 0 < number % unit < 10 else rest
            return [name, *_swahili(number // unit), *joined]
    ones = DIGITS["sw"].split()
    if number < 10:
        return [ones[number]]
    ten, one = divmod(number, 10)
    return [SWAHILI_TENS.split()[ten - 1], *(["na", ones[one]] if one else [])]
