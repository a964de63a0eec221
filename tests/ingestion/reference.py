"""What should become of a dataset, in plain Python: what test_model.py holds the services to."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from commonhold import statuslist

Place = tuple[int, int]
"""A speaker's part of a recording, by their primary keys."""


@dataclass(eq=False)
class Given:
    """A consent: what it allows, where its speaker is heard, and how it ended."""

    speaker: int
    purposes: frozenset[str]
    day: date
    heard: Place
    runs_out: bool = False
    taken: set[str] = field(default_factory=set)
    end: str = ""
    is_noted: bool = False
    """Whether the site has noted that it ran out."""

    @property
    def allows(self) -> frozenset[str]:
        """What is left of it."""
        return self.purposes - self.taken


@dataclass(eq=False)
class Offered:
    """An offer, the licenses of it, and whether it was closed."""

    row: Any
    grants: list[Any] = field(default_factory=list)
    is_closed: bool = False


@dataclass(eq=False)
class Edition:
    """A version: its recordings, who is left out, what it rests on once it is sealed."""

    row: Any
    recordings: set[int] = field(default_factory=set)
    left_out: set[int] = field(default_factory=set)
    rests: list[Given] = field(default_factory=list)
    is_withdrawn: bool = False
    is_relied_on: bool = False
    offers: list[Offered] = field(default_factory=list)


@dataclass
class Reference:
    """One dataset: its consents, its versions and what is offered of them."""

    draft: Edition | None
    editions: list[Edition] = field(default_factory=list)
    """What was sealed, the newest last."""
    given: dict[Hashable, Given] = field(default_factory=dict)
    erased: list[tuple[int, Given]] = field(default_factory=list)
    """Consents that are gone, with their places in the status list."""
    said: dict[int, set[int]] = field(default_factory=dict)
    """The speakers of each recording."""
    touched: set[Edition] = field(default_factory=set)
    """Versions of which there is news that nobody has followed."""
    is_late: bool = False
    """Whether the day has come on which consents run out."""

    def is_over(self, one: Given) -> bool:
        """Whether a consent ran out, noted or not."""
        return one.runs_out and self.is_late

    def lacks(self, edition: Edition, wanted: frozenset[str]) -> bool:
        """Whether somebody behind a version does not allow all that is wanted."""
        return any(one.end or self.is_over(one) or wanted - one.allows for one in edition.rests)

    def stands(self, edition: Edition, wanted: frozenset[str] = frozenset()) -> str:
        """How consent stands behind a version, for a use of it that was allowed once."""
        if any(one.end or wanted & one.taken for one in edition.rests):
            return "withdrawn"
        return "expired" if any(self.is_over(one) for one in edition.rests) else "given"

    def kept(self, edition: Edition) -> str:
        """The same as it is kept with the version: what ran out has to be noted first."""
        if any(one.end for one in edition.rests):
            return "withdrawn"
        return "expired" if any(one.is_noted for one in edition.rests) else "given"

    def published(self, edition: Edition) -> set[Place]:
        """Whose parts of which recordings a version publishes."""
        return {
            (recording, speaker)
            for recording in edition.recordings
            for speaker in self.said[recording] - edition.left_out
        }

    def newest(self, place: Place) -> Given | None:
        """The consent that counts for a speaker's part of a recording."""
        standing = [
            one
            for one in self.given.values()
            if place == one.heard and not one.end and not self.is_over(one)
        ]
        return max(standing, key=lambda one: one.day, default=None)

    def listed(self, one: Given) -> int:
        """What the status list says of a consent."""
        if one.end:
            return statuslist.WITHDRAWN
        if one.is_noted:
            return statuslist.EXPIRED
        return statuslist.NARROWED if one.taken else statuslist.VALID

    def is_relied_on(self, one: Given) -> bool:
        """Whether somebody holds a license of what rests on a consent."""
        return any(one in edition.rests for edition in self.editions if edition.is_relied_on)

    def end(self, one: Given, how: str) -> None:
        """Let a consent be over, and tell it."""
        one.end = how
        self.tell(one)

    def tell(self, one: Given) -> None:
        """Tell news of every version that rests on a consent."""
        self.touched |= {edition for edition in self.editions if one in edition.rests}

    def note_expired(self) -> None:
        """Note what ran out of what versions rest on."""
        for one in (one for edition in self.editions for one in edition.rests):
            if self.is_over(one) and not one.end and not one.is_noted:
                one.is_noted = True
                self.tell(one)

    def follow(self) -> None:
        """Close the offers that the news leave nothing to stand on."""
        for edition in self.touched:
            for offer in edition.offers:
                wanted = frozenset(offer.row.purposes)
                offer.is_closed |= edition.is_withdrawn or self.lacks(edition, wanted)
        self.touched = set()

    def standing(self) -> list[Edition]:
        """The versions that their publisher has not taken back."""
        return [edition for edition in self.editions if not edition.is_withdrawn]

    def begun_from_newest(self, row: Any) -> Edition:
        """What a version begins with."""
        newest = [Edition(None), *self.standing()][-1]
        return Edition(row, set(newest.recordings), set(newest.left_out))

    def offered(self) -> list[tuple[Edition, Offered]]:
        """Every offer that ever was."""
        return [(edition, offer) for edition in self.editions for offer in edition.offers]

    def is_open(self, edition: Edition, offer: Offered) -> bool:
        """Whether an offer is shown as one that can be taken up."""
        stands = not edition.is_withdrawn and self.kept(edition) == "given"
        return stands and not offer.is_closed

    def listing(self) -> tuple[Edition | None, set[str]]:
        """Which version is listed, and what its open offers allow."""
        edition = next((one for one in reversed(self.standing()) if one.offers), None)
        offers = edition.offers if edition else []
        shown = [offer for offer in offers if edition and self.is_open(edition, offer)]
        return edition, {purpose for offer in shown for purpose in offer.row.purposes}
