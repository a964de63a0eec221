"""What a reader should look at twice: names that could be taken for others'."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts import names
from ingestion.models import Dataset
from marketplace import listings
from marketplace.models import Listing


@dataclass(frozen=True)
class Resemblance:
    """How a dataset's names could mislead."""

    mixed: tuple[str, ...]
    """Its title or its publisher's name, where a word mixes letters of several scripts."""
    alike: Sequence[Listing]
    """What others listed before it under a title that looks the same."""

    def __bool__(self) -> bool:
        return bool(self.mixed or self.alike)


def of_dataset(*, dataset: Dataset) -> Resemblance:
    """Return how a dataset's names could mislead. One query."""
    shown = (dataset.title, dataset.organization.name)
    return Resemblance(
        mixed=tuple(name for name in shown if names.mixes_scripts(name)),
        alike=tuple(listings.look_alikes(dataset=dataset)[:5]),
    )
