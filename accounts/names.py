"""Names that are shown beside other people's: what may stand in one, and what it looks like.

Looks are compared by the skeleton of UTS #39 (Unicode Security Mechanisms), as ICU makes it.
"""

import hashlib
import unicodedata

import icu
from commonhold.errors import CommonholdError
from commonhold.paths import FORBIDDEN_CATEGORIES
from commonhold.sentences import _

SPOOF = icu.SpoofChecker()
SPOOF.setChecks(icu.USpoofChecks.RESTRICTION_LEVEL)
SPOOF.setRestrictionLevel(icu.URestrictionLevel.HIGHLY_RESTRICTIVE)
LONGEST_LOOK = 500
"""Characters: a ligature of Arabic stands for 18, so that a look can be much longer than a name."""


class InvalidName(CommonholdError):
    """A name holds something that nobody can see."""

    code = "invalid-name"
    status = 422


def check_name(name: str, *, field: str = "name") -> str:
    """Return a name of a person, an organization or a thing as it is kept.

    That is in Unicode NFC (UAX #15), on one line, with single spaces. Raises InvalidName, with the
    field it was typed in, for what is invisible, changes the direction of the text or belongs to
    no script: characters of the categories Cc (but for line ends), Cf, Cs, Co, Zl and Zp.
    """
    whole = " ".join(unicodedata.normalize("NFC", name).split())
    for char in whole:
        if unicodedata.category(char) in FORBIDDEN_CATEGORIES:
            sentence = _(
                "The name holds the invisible character %(character)s. Type it again without that."
            )
            raise InvalidName(sentence, field=field, character=f"U+{ord(char):04X}")
    return whole


def look_of(name: str) -> str:
    """Return what two names share that a reader takes for one another (UTS #39 section 4).

    Upper and lower case and spaces make no difference. What imitates a Latin letter is taken for
    it before the case is folded (the small form of a Cyrillic capital M looks like none), and "i"
    for "l", which their capitals look like. What is beyond LONGEST_LOOK stands in it as its digest.
    """
    whole = "".join(unicodedata.normalize("NFKC", name).split())
    imitated = "".join(char if char.isascii() else SPOOF.getSkeleton(0, char) for char in whole)
    look = str(SPOOF.getSkeleton(0, imitated.casefold())).replace("i", "l")
    if len(look) <= LONGEST_LOOK:
        return look
    digest = hashlib.sha256(look.encode()).hexdigest()
    return look[: LONGEST_LOOK - len(digest)] + digest


def mixes_scripts(name: str) -> bool:
    """Tell whether a word of a name has letters of several scripts that do not belong together.

    More than UTS #39 section 5.2 calls highly restrictive; words beside one another may differ.
    """
    return any(SPOOF.check(word) != 0 for word in name.split())
