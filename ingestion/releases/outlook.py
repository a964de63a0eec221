"""Before the seal: what a release would hold, who is heard in it, and how it differs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from commonhold import times
from django.db.models import Q
from django.utils import timezone

from ingestion.consent import in_force
from ingestion.models import (
    ConsentEvent,
    ConsentRecord,
    Decision,
    Recording,
    Seal,
    Speaker,
    Version,
)
from ingestion.review import hearing
from ingestion.review.hearing import Heard
from ingestion.review.voices import Piece, Scene, read_words, scenes


@dataclass(frozen=True)
class Share:
    """What a version holds of one speaker, or would hold if they were not left out."""

    speaker: Speaker
    records: tuple[ConsentRecord, ...]
    clips: int
    duration_ms: int
    is_left_out: bool = False


@dataclass(frozen=True)
class Holding:
    """How much a release would hold."""

    clips: int
    duration_ms: int
    speakers: int


@dataclass(frozen=True)
class Outlook:
    """What would be sealed now."""

    stage: list[Scene]
    pieces: list[Piece]
    shares: list[Share]
    """Of everybody whose consent stands, also of those who are left out."""
    bare: list[Share]
    """Of those who are named in what would be published, and no consent of whom stands there."""
    heard_in: dict[int, Heard]
    """How much of it somebody has played, by the primary keys of recordings."""

    @property
    def clips(self) -> int:
        """How many clips or rows there would be."""
        return len(self.pieces)

    @property
    def duration_ms(self) -> int:
        """How long all clips would be together."""
        return sum(piece.duration_ms for piece in self.pieces)

    @property
    def heard(self) -> Heard:
        """How much of all of it somebody has played."""
        found = self.heard_in.values()
        return Heard(sum(one.heard_ms for one in found), sum(one.unheard_ms for one in found))

    @property
    def holding(self) -> Holding:
        """How much the release would hold."""
        heard = [share for share in self.shares if not share.is_left_out]
        return Holding(self.clips, self.duration_ms, len(heard))


@dataclass
class Differences:
    """How a version differs from the sealed one that it began from."""

    start: Version
    added: list[Recording] = field(default_factory=list)
    removed: list[Recording] = field(default_factory=list)
    reviewed: list[tuple[Recording, int]] = field(default_factory=list)
    """Recordings about which something was decided since, and how often."""
    consents: list[ConsentRecord] = field(default_factory=list)
    """Consents that were given or ended since, or of which a purpose was taken back."""
    left_out: list[Speaker] = field(default_factory=list)
    brought_back: list[Speaker] = field(default_factory=list)

    @property
    def are_none(self) -> bool:
        """Whether the version says the same as the one before."""
        return not (
            self.added
            or self.removed
            or self.reviewed
            or self.consents
            or self.left_out
            or self.brought_back
        )


def of(*, version: Version) -> Outlook:
    """Return what an open version would publish as it stands."""
    stage = scenes(version=version, with_texts=False)
    pieces = published(stage)
    out = frozenset(version.left_out.values_list("speaker_id", flat=True))
    everything = published([leaving_out(one, frozenset()) for one in stage]) if out else []
    missing = [share for share in shares(everything) if share.speaker.pk in out]
    mine = [share for share in shares(pieces) if share.speaker.pk not in out]
    left_out = [
        Share(one.speaker, one.records, one.clips, one.duration_ms, is_left_out=True)
        for one in missing
    ]
    return Outlook(
        stage=stage,
        pieces=pieces,
        shares=sorted([*mine, *left_out], key=lambda share: share.speaker.pseudonym),
        bare=bare(pieces),
        heard_in=hearing.by_recording(pieces),
    )


def early(*, version: Version) -> Outlook:
    """Return whose consents lie over an open version, before it is known what would be published.

    Nothing is counted: nobody knows yet how much they say.
    """
    out = frozenset(version.left_out.values_list("speaker_id", flat=True))
    recordings = version.files.to_process().values_list("recording", flat=True)
    records: dict[int, dict[UUID, ConsentRecord]] = {}
    for scopes in in_force(recordings=recordings).values():
        for scope in scopes:
            records.setdefault(scope.record.speaker_id, {})[scope.record.pk] = scope.record
    found = [
        Share(one[0].speaker, tuple(one), 0, 0, is_left_out=who in out)
        for who, mine in records.items()
        if (one := list(mine.values()))
    ]
    return Outlook(
        stage=[],
        pieces=[],
        shares=sorted(found, key=lambda share: share.speaker.pseudonym),
        bare=[],
        heard_in={},
    )


def without(*, outlook: Outlook, speakers: Iterable[int]) -> Holding:
    """Return what a release would hold if these speakers, by primary key, were left out too."""
    gone = frozenset(speakers)
    stage = [leaving_out(one, one.left_out | gone) for one in outlook.stage]
    read_words(stage)
    pieces = published(stage)
    return Holding(
        clips=len(pieces),
        duration_ms=sum(piece.duration_ms for piece in pieces),
        speakers=len(shares(pieces)),
    )


def published(stage: Iterable[Scene]) -> list[Piece]:
    """Return what scenes publish."""
    return [piece for scene in stage for piece in scene.published()]


def leaving_out(scene: Scene, speakers: frozenset[int]) -> Scene:
    """Return a scene in which these speakers are left out, and nobody else."""
    return Scene(scene.recording, scene.segments, scene.scopes, speakers)


def bare(pieces: Iterable[Piece]) -> list[Share]:
    """Add up how much is said by people of whom no consent stands where they speak."""
    counts: dict[int, list[Piece]] = {}
    for piece in pieces:
        who = piece.segment.speaker_id
        if who and who not in {record.speaker_id for record in piece.records}:
            counts.setdefault(who, []).append(piece)
    return [
        Share(one, (), len(counts[one.pk]), sum(piece.duration_ms for piece in counts[one.pk]))
        for one in Speaker.objects.filter(pk__in=counts).order_by("pseudonym")
    ]


def shares(pieces: Iterable[Piece]) -> list[Share]:
    """Add up how much rests on the consents of each speaker."""
    found: dict[int, Share] = {}
    for piece in pieces:
        for speaker in {record.speaker_id: record.speaker for record in piece.records}.values():
            before = found.get(speaker.pk, Share(speaker, (), 0, 0))
            mine = [one for one in piece.records if one.speaker_id == speaker.pk]
            fresh = [one for one in mine if one not in before.records]
            found[speaker.pk] = Share(
                speaker=speaker,
                records=(*before.records, *fresh),
                clips=before.clips + 1,
                duration_ms=before.duration_ms + piece.duration_ms,
            )
    return list(found.values())


def differences(*, version: Version) -> Differences | None:
    """Tell how a version differs from the one it began from; None if it began with nothing."""
    start = version.begun_from
    if start is None:
        return None
    found = Differences(start=start)
    now, before = recordings_of(version), recordings_of(start)
    found.added = [one for pk, one in now.items() if pk not in before]
    found.removed = [one for pk, one in before.items() if pk not in now]
    found.reviewed = reviewed(version, now)
    found.consents = consents(start, now)
    out, was_out = left_out_of(version), left_out_of(start)
    found.left_out = [one for pk, one in out.items() if pk not in was_out]
    found.brought_back = [one for pk, one in was_out.items() if pk not in out]
    return found


def recordings_of(version: Version) -> dict[int, Recording]:
    """Return a version's recordings by their primary keys, in order."""
    places = version.files.to_process().in_order().select_related("recording")
    return {place.recording_id: place.recording for place in places}


def left_out_of(version: Version) -> dict[int, Speaker]:
    """Return who is left out of a version, by their primary keys."""
    places = version.left_out.select_related("speaker").order_by("speaker__pseudonym")
    return {place.speaker_id: place.speaker for place in places}


def reviewed(version: Version, now: dict[int, Recording]) -> list[tuple[Recording, int]]:
    """Return the recordings about which something stands decided in the version."""
    acts = version.decisions.filter(recording__in=now, undone__isnull=True).exclude(
        act__in=[Decision.Act.UNDO, Decision.Act.REMOVE]
    )
    counts: dict[int, int] = {}
    for recording_id in acts.values_list("recording_id", flat=True):
        counts[recording_id or 0] = counts.get(recording_id or 0, 0) + 1
    return [(recording, counts[pk]) for pk, recording in now.items() if pk in counts]


def consents(start: Version, now: Sequence[int] | dict[int, Recording]) -> list[ConsentRecord]:
    """Return the consents over recordings that came or went since a version was sealed."""
    # Version.sealed_at has whole seconds, as the manifest has.
    since = Seal.objects.values_list("statement__created_at", flat=True).get(version=start)
    narrowed = ConsentEvent.objects.filter(type=ConsentEvent.Type.NARROWED, at__gt=since)
    touched = ConsentRecord.objects.filter(scopes__recording__in=list(now)).filter(
        Q(created_at__gt=since)
        | Q(withdrawn_at__gt=since)
        | Q(voided_at__gt=since)
        | Q(pk__in=narrowed.values("record_id"))
        | Q(expires_on__gt=times.day_of(since), expires_on__lte=times.day_of(timezone.now()))
    )
    return list(touched.distinct().select_related("speaker").order_by("speaker__pk", "created_at"))
