"""What the demo consists of: who acts, which datasets there are, and on what terms."""

from dataclasses import dataclass, field
from pathlib import Path

from accounts.models import Scope

SPEECH = Path(__file__).parent / "speech"


@dataclass(frozen=True)
class Account:
    """A person with an organization of their own and a key for it."""

    key: str
    """What the account is called in demo.json."""
    email: str
    name: str
    slug: str
    organization: str
    country: str
    scopes: tuple[str, ...]
    is_operator: bool = False


@dataclass(frozen=True)
class OfferPlan:
    """A license profile and its price, in the minor unit of the currency."""

    profile: str
    amount_minor: int = 0
    currency: str = "EUR"
    term_days: int | None = None
    benefit_share_bps: int | None = None


@dataclass(frozen=True)
class DatasetPlan:
    """A folder of speech/ and what becomes of it."""

    account: str
    slug: str
    title: str
    description: str
    language: str
    offers: tuple[OfferPlan, ...] = ()
    """Without offers the dataset stays in review."""
    names: tuple[str, ...] = field(default=())
    """Words that the reviewer marks as names: no detector finds those."""

    @property
    def folder(self) -> Path:
        """Where its recordings, transcripts and consents are."""
        return SPEECH / self.slug


ACCOUNTS = (
    Account(
        key="contributor",
        email="radio-mtoni@example.org",
        name="Amina Juma",
        slug="radio-mtoni",
        organization="Radio Mtoni",
        country="KE",
        scopes=(Scope.READ, Scope.CONTRIBUTE, Scope.DOWNLOAD),
    ),
    Account(
        key="community",
        email="acequia@example.org",
        name="Lucía Baca",
        slug="acequia-san-roque",
        organization="Acequia de San Roque",
        country="US",
        scopes=(Scope.READ, Scope.CONTRIBUTE, Scope.DOWNLOAD),
    ),
    Account(
        key="trainer",
        email="tafsiri@example.org",
        name="Ines Okello",
        slug="tafsiri-labs",
        organization="Tafsiri Labs",
        country="DE",
        scopes=(Scope.READ, Scope.BUY, Scope.DOWNLOAD),
    ),
    Account(
        key="operator",
        email="operator@example.org",
        name="Operator",
        slug="demo-operators",
        organization="Demo Operators",
        country="",
        scopes=tuple(Scope.values),
        is_operator=True,
    ),
)

DATASETS = (
    DatasetPlan(
        account="contributor",
        slug="bei-za-soko",
        title="Bei za soko: market mornings in Swahili",
        description=(
            "Harvest prices and market-day notices from the morning hour of Radio Mtoni, read by "
            "the presenter, a farmers' cooperative and the women who run the market. "
            "Synthesized speech, made for this demonstration."
        ),
        language="sw-KE",
        offers=(
            OfferPlan("CC-BY-4.0"),
            OfferPlan("commercial-training-benefit-share", 12_000, benefit_share_bps=2000),
        ),
    ),
    DatasetPlan(
        account="community",
        slug="voces-de-la-acequia",
        title="Voces de la acequia: irrigation and seeds in Spanish",
        description=(
            "Turns of irrigation, cleaning days and the seed fair, told by the people of an "
            "irrigation community in New Mexico. Synthesized speech, made for this demonstration."
        ),
        language="es-US",
        offers=(
            OfferPlan("research-only"),
            OfferPlan("commercial-training", 49_000, currency="USD", term_days=365),
        ),
        names=("Tomás",),
    ),
    DatasetPlan(
        account="contributor",
        slug="morning-calls",
        title="Morning calls: water, roads and clinics in English",
        description=(
            "Listeners of Radio Mtoni call about a dry water pump, the road after the rain and "
            "the clinic's hours. Its review is yours to finish: hear the findings, leave out who "
            "did not consent, and seal it. Synthesized speech, made for this demonstration."
        ),
        language="en-KE",
    ),
)
