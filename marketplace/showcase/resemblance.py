"""What a reader should look at twice: names that could be taken for others'."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts import names
from accounts.models import Invitation
from ingestion.models import Dataset
from marketplace import listings
from marketplace.models import Listing


@dataclass(frozen=True)
class Resemblance:
    """How names that stand together, as a dataset's or an invitation's, could mislead."""

    mixed: tuple[str, ...]
    """Those of which a word mixes letters of several scripts."""
    alike: Sequence[Listing] = ()
    """What others listed before a dataset under a title that looks the same."""

    def __bool__(self) -> bool:
        return bool(self.mixed or self.alike)


def of_dataset(*, dataset: Dataset) -> Resemblance:
    """Return how a dataset's names, its title and publisher, could mislead. One query."""
    return Resemblance(
        mixed=mixed(dataset.title, dataset.organization.name),
        alike=tuple(listings.look_alikes(dataset=dataset)[:5]),
    )


def of_invitation(*, invitation: Invitation) -> Resemblance:
    """Return how the names of who invites, and to what, could mislead."""
    return Resemblance(mixed=mixed(invitation.invited_by.name, invitation.organization.name))


def mixed(*shown: str) -> tuple[str, ...]:
    """Return the names of which a word mixes letters of several scripts."""
    return tuple(name for name in shown if names.mixes_scripts(name))
