"""The grant vector: what a license allows, in the dimensions that machines and people compare."""

from dataclasses import asdict, dataclass, replace

from commonhold import purposes
from commonhold.odrl import Duties

ALL = frozenset(purpose.slug for purpose in purposes.PURPOSES)
EVERYTHING_OPEN = ALL - purposes.DENIED_BY_DEFAULT
TRAINING = frozenset(
    {"speech-recognition", "language-modeling", "evaluation", "research", "commercial"}
)


@dataclass(frozen=True)
class GrantVector:
    """One license in numbers and names (after the Montreal Data License's dimensions)."""

    purposes: frozenset[str]
    attribution: bool = False
    delete_on_withdrawal_days: int | None = None
    """Days within which a licensee deletes a speaker's part once told of a withdrawal."""
    term_days: int | None = None
    benefit_share_bps: int = 0
    """Basis points of the price that go to the consenting speakers."""
    sublicense: bool = False
    territory: str = "worldwide"

    @property
    def denies(self) -> frozenset[str]:
        """Everything that is not allowed."""
        return ALL - self.purposes

    @property
    def duties(self) -> Duties:
        """What a licensee does in return, as grants state it."""
        return Duties(self.attribution, self.delete_on_withdrawal_days)

    def with_choices(self, *, term_days: int | None, benefit_share_bps: int) -> "GrantVector":
        """Return the vector with a contributor's choices made."""
        return replace(self, term_days=term_days, benefit_share_bps=benefit_share_bps)

    def as_json(self) -> dict[str, object]:
        """Return the vector as it is kept with an offer."""
        return {**asdict(self), "purposes": sorted(self.purposes), "denies": sorted(self.denies)}
