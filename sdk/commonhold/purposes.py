"""What data may be used for: the closed list that consents, offers and grants share."""

from dataclasses import dataclass

from commonhold.errors import CommonholdError

IRI_BASE = "https://w3id.org/commonhold/purposes/"


class UnknownPurposeError(CommonholdError):
    """A purpose that is not in the list."""

    code = "unknown-purpose"
    status = 422


@dataclass(frozen=True)
class Purpose:
    """One purpose. `phrase` completes the sentence "Your voice may be used …"."""

    slug: str
    phrase: str
    denied_by_default: bool = False

    @property
    def iri(self) -> str:
        """The stable identifier that machine-readable terms carry."""
        return IRI_BASE + self.slug


PURPOSES: tuple[Purpose, ...] = (
    Purpose("speech-recognition", "to teach computers to write down what people say"),
    Purpose("speech-synthesis", "to teach computers to read text aloud in new, made-up voices"),
    Purpose("language-modeling", "to teach computers how people put words together"),
    Purpose("evaluation", "to test how well a computer program works"),
    Purpose("research", "to study language and society at schools and universities"),
    Purpose("commercial", "to build things that are sold for money"),
    Purpose("redistribution", "to be passed on to other people"),
    Purpose("voice-cloning", "to make a computer sound exactly like you", denied_by_default=True),
    Purpose(
        "speaker-identification",
        "to recognize you by the sound of your voice",
        denied_by_default=True,
    ),
    Purpose(
        "biometric-surveillance",
        "to watch or follow people by their voice or body",
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
        message = f"“{slug}” is not a purpose we know. Use one of: {', '.join(BY_SLUG)}."
        raise UnknownPurposeError(message, purpose=slug) from None
