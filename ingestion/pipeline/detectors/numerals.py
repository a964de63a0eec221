"""Number words as they are said in telephone numbers, per language.

A lexicon maps a word (lower case, without accents) to what it adds:
`d` a figure, `n` a two-figure number said as one word, `t` tens that a unit may follow,
`h` hundreds that tens may follow, `x` a multiplier of the next figure (double four), `c` hundred
after a number (twelve hundred), `w` a word of quantities, which ends a telephone number,
`j` what joins tens and units, `f` what is said in between and means nothing.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

ENGLISH = """
d zero=0 oh=0 o=0 nought=0 naught=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8
d nine=9 niner=9
n ten=10 eleven=11 twelve=12 thirteen=13 fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18
n nineteen=19
t twenty=20 thirty=30 forty=40 fourty=40 fifty=50 sixty=60 seventy=70 eighty=80 ninety=90
x double=2 triple=3 treble=3 quadruple=4
c hundred=100
w thousand million billion percent shillings dollars pounds euros o'clock degrees
f uh um uhm erm er eh ah mm hmm like so then okay ok yeah and dash hyphen space pause again comma
f right is it's well wait sorry no
"""
HOMOPHONES = {"to": "2", "too": "2", "for": "4", "fore": "4", "won": "1", "ate": "8", "free": "3"}
SWAHILI = """
d sifuri=0 ziro=0 moja=1 mbili=2 tatu=3 nne=4 tano=5 sita=6 saba=7 nane=8 tisa=9
t kumi=10 ishirini=20 thelathini=30 arobaini=40 arubaini=40 hamsini=50 sitini=60 sabini=70
t themanini=80 tisini=90
w mia elfu laki milioni bilioni shilingi asilimia
j na
f eee eh ehe halafu kisha alama kistari tena sawa haya yaani
"""
SPANISH = """
d cero=0 uno=1 un=1 una=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9
n diez=10 once=11 doce=12 trece=13 catorce=14 quince=15 dieciseis=16 diecisiete=17 dieciocho=18
n diecinueve=19 veintiuno=21 veintidos=22 veintitres=23 veinticuatro=24 veinticinco=25
n veintiseis=26 veintisiete=27 veintiocho=28 veintinueve=29
t veinte=20 treinta=30 cuarenta=40 cincuenta=50 sesenta=60 setenta=70 ochenta=80 noventa=90
h cien=100 ciento=100 doscientos=200 trescientos=300 cuatrocientos=400 quinientos=500
h seiscientos=600 setecientos=700 ochocientos=800 novecientos=900
x doble=2 triple=3
w mil millon millones pesos euros dolares grados por
j y
f este eh pues guion luego bueno o sea espacio entonces ajá mmm
"""
FRENCH = """
d zero=0 un=1 une=1 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9
n dix=10 onze=11 douze=12 treize=13 quatorze=14 quinze=15 seize=16
t vingt=20 vingts=20 trente=30 quarante=40 cinquante=50 soixante=60 septante=70 huitante=80
t octante=80 nonante=90
x double=2 triple=3
w mille million millions cent euros francs degres
j et
f euh ben alors puis tiret espace bon voila
"""
GERMAN = """
d null=0 eins=1 ein=1 zwei=2 zwo=2 drei=3 vier=4 funf=5 fuenf=5 sechs=6 sieben=7 acht=8 neun=9
n zehn=10 elf=11 zwolf=12 zwoelf=12 dreizehn=13 vierzehn=14 funfzehn=15 fuenfzehn=15 sechzehn=16
n siebzehn=17 achtzehn=18 neunzehn=19 zwanzig=20 dreissig=30 vierzig=40 funfzig=50 fuenfzig=50
n sechzig=60 siebzig=70 achtzig=80 neunzig=90
x doppel=2 doppelt=2
c hundert=100
w tausend million millionen euro prozent grad uhr
f ah ahm hm also dann strich bindestrich leerzeichen und genau
"""
LEXICONS = {"en": ENGLISH, "sw": SWAHILI, "es": SPANISH, "fr": FRENCH, "de": GERMAN}
HESITATION = re.compile(r"(?:e+h*|a+h+|u+h*m*|h*m+|e+r*m*)")
GERMAN_UNITS = "ein zwei drei vier funf sechs sieben acht neun"
GERMAN_TENS = "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig"
GERMAN_COMPOUND = re.compile(
    f"({GERMAN_UNITS.replace(' ', '|')})und({GERMAN_TENS.replace(' ', '|')})"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word adds to a number: its role (see the module) and its value."""

    role: str
    value: int = 0


@cache
def lexicon(language: str) -> dict[str, Meaning]:
    """Return a language's number words, English ones beside them: numbers are said in English."""
    found: dict[str, Meaning] = {}
    for table in (ENGLISH, LEXICONS.get(language, ENGLISH)):
        for line in table.strip().splitlines():
            role, *entries = line.split()
            for entry in entries:
                word, _, value = entry.partition("=")
                found[plain(word)] = Meaning(role, int(value or 0))
    return found


def meaning(word: str, *, language: str) -> Meaning | None:
    """Return what a word (or a run of figures) adds to a number, None when it adds nothing."""
    if word.isdecimal():
        return Meaning("figures")
    known = lexicon(language).get(word)
    if known is None and language == "de":
        compound = GERMAN_COMPOUND.fullmatch(word)
        if compound:
            unit = GERMAN_UNITS.split().index(compound[1]) + 1
            ten = GERMAN_TENS.split().index(compound[2]) + 2
            return Meaning("n", 10 * ten + unit)
    if known is None and HESITATION.fullmatch(word):
        return Meaning("f")
    return known


def plain(word: str) -> str:
    """Return a word in lower case without accents: Fünf → funf, dieciséis → dieciseis."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in folded if not unicodedata.combining(char))
