"""Before an offer: which license the consent of each speaker stands in the way of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.consent.coverage import Lack, lack_of
from ingestion.models import ConsentRecord, Speaker
from ingestion.releases.outlook import Outlook, Share
from licensing import profiles
from licensing.profiles import Profile


@dataclass(frozen=True)
class Block:
    """What of a license one speaker did not agree to."""

    speaker: Speaker
    purpose: str
    lack: Lack
    clips: int
    duration_ms: int


@dataclass(frozen=True)
class Column:
    """A license, and who stands in its way."""

    profile: Profile
    blocks: tuple[Block, ...]

    @property
    def is_possible(self) -> bool:
        """Whether the license could be offered."""
        return not self.blocks

    def block_of(self, speaker: Speaker) -> Block | None:
        """Return what stands in the way on a speaker's side, or None."""
        return next((one for one in self.blocks if one.speaker.pk == speaker.pk), None)


def columns(*, outlook: Outlook) -> list[Column]:
    """Return every license profile with the speakers of a coming release who block it."""
    standing = [share for share in outlook.shares if not share.is_left_out]
    return [
        Column(profile=profile, blocks=tuple(blocks(profile, standing)))
        for profile in profiles.catalogue()
    ]


def blocks(profile: Profile, shares: Sequence[Share]) -> Iterable[Block]:
    """Yield what each speaker blocks of a profile."""
    wanted = sorted(profile.vector.purposes)
    for share in shares:
        found = first_lack(share.records, wanted)
        if found is not None:
            purpose, lack = found
            yield Block(share.speaker, purpose, lack, share.clips, share.duration_ms)


def first_lack(records: Iterable[ConsentRecord], wanted: Sequence[str]) -> tuple[str, Lack] | None:
    """Return the first purpose that one of the records does not cover, and why."""
    for record in records:
        for purpose in wanted:
            if (lack := lack_of(record, purpose)) is not None:
                return purpose, lack
    return None
