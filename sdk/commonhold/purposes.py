"""What data may be used for: the closed list that consents, offers and grants share."""

from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import Sentence, _

IRI_BASE = "https://w3id.org/commonhold/purposes/"


class UnknownPurposeError(CommonholdError):
    """A purpose that is not in the list."""

    code = "unknown-purpose"
    status = 422


@dataclass(frozen=True)
class Purpose:
    """One purpose. `phrase` completes the sentence "Your voice may be used …"."""

    slug: str
    phrase: Sentence
    denied_by_default: bool = False
    own_phrase_of_others: Sentence | None = None
    """What completes "Their voice may be used …", where the phrase speaks to "you"."""

    @property
    def iri(self) -> str:
        """The stable identifier that machine-readable terms carry."""
        return IRI_BASE + self.slug

    @property
    def phrase_of_others(self) -> Sentence:
        """What completes "Their voice may be used …"."""
        return self.own_phrase_of_others or self.phrase


PURPOSES: tuple[Purpose, ...] = (
    Purpose("speech-recognition", _("to teach computers to write down what people say")),
    Purpose("speech-synthesis", _("to teach computers to read text aloud in new, made-up voices")),
    Purpose("language-modeling", _("to teach computers how people put words together")),
    Purpose("evaluation", _("to test how well a computer program works")),
    Purpose("research", _("to study language and society at schools and universities")),
    Purpose("commercial", _("to build things that are sold for money")),
    Purpose("redistribution", _("to be passed on to other people")),
    Purpose(
        "voice-cloning",
        _("to make a computer sound exactly like you"),
        denied_by_default=True,
        own_phrase_of_others=_("to make a computer sound exactly like them"),
    ),
    Purpose(
        "speaker-identification",
        _("to recognize you by the sound of your voice"),
        denied_by_default=True,
        own_phrase_of_others=_("to recognize them by the sound of their voice"),
    ),
    Purpose(
        "biometric-surveillance",
        _("to watch or follow people by their voice or body"),
        denied_by_default=True,
    ),
)
BY_SLUG: dict[str, Purpose] = {purpose.slug: purpose for purpose in PURPOSES}
DENIED_BY_DEFAULT: frozenset[str] = frozenset(
    purpose.slug for purpose in PURPOSES if purpose.denied_by_default
)


def get(slug: str) -> Purpose:
    """Return the purpose called `slug`; UnknownPurposeError lists the ones there are."""
    try:
        return BY_SLUG[slug]
    except KeyError:
        sentence = _("“%(purpose)s” is not a purpose we know. Use one of: %(known)s.")
        raise UnknownPurposeError(sentence, purpose=slug, known=", ".join(BY_SLUG)) from None
