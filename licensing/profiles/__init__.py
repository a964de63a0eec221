"""The license catalogue: named profiles, each compiled from one grant vector.

Human text and machine-readable terms come from the same vector, so they can't say two things; where
a reader finds a difference all the same, the text prevails, and it says so.
"""

from dataclasses import dataclass

from commonhold import canonical, odrl
from commonhold.errors import CommonholdError
from commonhold.sentences import Sentence, _

from licensing.profiles.text import license_text
from licensing.profiles.vector import EVERYTHING_OPEN, TRAINING, GrantVector

IRI_BASE = "https://w3id.org/commonhold/licenses"
MAX_TERM_DAYS = 100 * 365


class UnknownProfile(CommonholdError):
    """There is no license profile of this name."""

    code = "unknown-license"
    status = 422


class InvalidTerms(CommonholdError):
    """The choices don't fit the license profile."""

    code = "invalid-terms"
    status = 422


@dataclass(frozen=True)
class Profile:
    """A license that contributors can choose. `choices` are what they may set themselves."""

    slug: str
    name: Sentence
    summary: Sentence
    vector: GrantVector
    spdx: str
    version: str = "1.0"
    legal_code: str = ""
    """Where the text that binds stands, for licenses that are not ours."""
    choices: frozenset[str] = frozenset()
    may_cost: bool = True
    """Whether a price can be asked for what anyone may pass on for nothing."""

    @property
    def id(self) -> str:
        """The profile's IRI, as manifests carry it."""
        return f"{IRI_BASE}/{self.slug}/{self.version}"


@dataclass(frozen=True)
class Terms:
    """A profile with its choices made: what an offer freezes."""

    profile: Profile
    vector: GrantVector
    text: str
    odrl: dict[str, object]

    @property
    def sha256(self) -> str:
        """Digest of the text in UTF-8, lower-case hex."""
        return canonical.sha256_hex(self.text.encode())

    @property
    def purposes(self) -> list[str]:
        """What the terms allow, sorted."""
        return sorted(self.vector.purposes)

    @property
    def denies(self) -> list[str]:
        """What the terms forbid, sorted."""
        return sorted(self.vector.denies)


CATALOGUE = (
    Profile(
        slug="CC0-1.0",
        name=_("CC0 1.0 (no rights reserved)"),
        summary=_(
            "Anyone may do anything with it, without asking and without naming you. "
            "Can't be taken back."
        ),
        vector=GrantVector(purposes=EVERYTHING_OPEN, sublicense=True),
        spdx="CC0-1.0",
        may_cost=False,
        legal_code="https://creativecommons.org/publicdomain/zero/1.0/legalcode",
    ),
    Profile(
        slug="CC-BY-4.0",
        name=_("CC BY 4.0 (attribution)"),
        summary=_("Anyone may do anything with it if they name you. Can't be taken back."),
        vector=GrantVector(purposes=EVERYTHING_OPEN, attribution=True, sublicense=True),
        spdx="CC-BY-4.0",
        may_cost=False,
        legal_code="https://creativecommons.org/licenses/by/4.0/legalcode",
    ),
    Profile(
        slug="research-only",
        name=_("Research only"),
        summary=_(
            "Schools, universities and people who study may use it, and may not sell "
            "what comes of it."
        ),
        vector=GrantVector(
            purposes=TRAINING - {"commercial"} | {"research"},
            attribution=True,
            delete_on_withdrawal_days=30,
        ),
        spdx="LicenseRef-Commonhold-Research-1.0",
        choices=frozenset({"term_days"}),
    ),
    Profile(
        slug="commercial-training",
        name=_("Commercial training"),
        summary=_(
            "A company may train models with it and sell what it builds, but may not "
            "pass the data on."
        ),
        vector=GrantVector(purposes=TRAINING, attribution=True, delete_on_withdrawal_days=30),
        spdx="LicenseRef-Commonhold-Commercial-Training-1.0",
        choices=frozenset({"term_days"}),
    ),
    Profile(
        slug="commercial-training-benefit-share",
        name=_("Commercial training with benefit share"),
        summary=_("Like commercial training; a part of every price goes to the people who speak."),
        vector=GrantVector(
            purposes=TRAINING,
            attribution=True,
            delete_on_withdrawal_days=30,
            benefit_share_bps=1500,
        ),
        spdx="LicenseRef-Commonhold-Commercial-Training-Benefit-Share-1.0",
        choices=frozenset({"term_days", "benefit_share_bps"}),
    ),
)
BY_SLUG = {profile.slug: profile for profile in CATALOGUE}


def catalogue() -> tuple[Profile, ...]:
    """Return every profile, the most open first."""
    return CATALOGUE


def get(slug: str) -> Profile:
    """Return a profile by its short name, or raise UnknownProfile."""
    if slug not in BY_SLUG:
        sentence = _("There is no license «%(profile)s». Choose one of %(known)s.")
        raise UnknownProfile(sentence, profile=slug, known=", ".join(BY_SLUG))
    return BY_SLUG[slug]


def compile_terms(
    *, profile: Profile, term_days: int | None = None, benefit_share_bps: int | None = None
) -> Terms:
    """Make a profile's choices and compile text and ODRL. Raises InvalidTerms.

    `term_days` None means for good; `benefit_share_bps` None means what the profile proposes.
    """
    if term_days is not None and "term_days" not in profile.choices:
        sentence = _("%(license)s holds for good; it can't be limited to %(days)s days.")
        raise InvalidTerms(sentence, field="term_days", license=profile.name, days=term_days)
    if term_days is not None and not 1 <= term_days <= MAX_TERM_DAYS:
        sentence = _("A license holds for at least one day and at most a hundred years.")
        raise InvalidTerms(sentence, field="term_days")
    share = profile.vector.benefit_share_bps if benefit_share_bps is None else benefit_share_bps
    if share != profile.vector.benefit_share_bps and "benefit_share_bps" not in profile.choices:
        sentence = _("%(license)s has no benefit share. Choose the profile that has one.")
        raise InvalidTerms(sentence, field="benefit_share_bps", license=profile.name)
    if "benefit_share_bps" in profile.choices and not 1 <= share <= 10_000:
        sentence = _("The benefit share lies between 0.01 %% and 100 %% of the price.")
        raise InvalidTerms(sentence, field="benefit_share_bps")
    vector = profile.vector.with_choices(term_days=term_days, benefit_share_bps=share)
    return Terms(
        profile=profile,
        vector=vector,
        text=license_text(
            name=profile.name,
            spdx=profile.spdx,
            iri=profile.id,
            legal_code=profile.legal_code,
            vector=vector,
        ),
        odrl=odrl.policy(
            iri=profile.id,
            purposes=vector.purposes,
            denies=vector.denies,
            duties=vector.duties,
            term_days=term_days,
        ),
    )
