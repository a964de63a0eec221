"""Where a speaker is heard: stretches of recordings, and what consents laid over them cover."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from commonhold.sentences import _

from ingestion.consent.faults import ConsentInvalid
from ingestion.models import ConsentRecord, ConsentScope, Dataset, Recording


@dataclass(frozen=True)
class Stretch:
    """Where a speaker is heard: a recording, or [start_ms, end_ms) of it."""

    recording: Recording
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass
class Coverage:
    """What consent says about a stretch of a recording."""

    records: list[ConsentRecord] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Milliseconds that no consent in force covers."""

    @property
    def is_complete(self) -> bool:
        """Whether every millisecond is covered."""
        return bool(self.records) and not self.gaps


def check_stretch(*, stretch: Stretch, dataset: Dataset) -> None:
    """Raise ConsentInvalid if the stretch is not a part of a recording of the dataset."""
    recording = stretch.recording
    if recording.dataset_id != dataset.pk:
        sentence = _("«%(path)s» is not a recording of this dataset.")
        raise ConsentInvalid(sentence, field="file", path=recording.name)
    if recording.erased_at is not None:
        sentence = _("«%(path)s» was erased, so nobody is heard in it.")
        raise ConsentInvalid(sentence, field="file", path=recording.name)
    if stretch.start_ms is None or stretch.end_ms is None:
        return
    if not 0 <= stretch.start_ms < stretch.end_ms:
        sentence = _("«%(path)s»: the stretch must start before it ends.")
        raise ConsentInvalid(sentence, field="start", path=recording.name)
    if recording.duration_ms is not None and stretch.end_ms > recording.duration_ms:
        sentence = _("«%(path)s» is %(length)s long; the stretch ends at %(end)s.")
        raise ConsentInvalid(
            sentence,
            field="end",
            path=recording.name,
            length=clock(recording.duration_ms),
            end=clock(stretch.end_ms),
        )


def clock(milliseconds: int) -> str:
    """Write a time as h:mm:ss.mmm."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def in_force(*, recordings: Iterable[int]) -> dict[int, list[ConsentScope]]:
    """Return the scopes of the consents in force by the primary key of their recording.

    The newest consent of each speaker comes first: `cover` asks it before the older ones.
    """
    scopes = (
        ConsentScope.objects.filter(
            recording__in=list(recordings), record__in=ConsentRecord.objects.in_force()
        )
        .select_related("record__speaker")
        .defer("record__notice_text")
        .order_by("-record__given_on", "-record__created_at", "record_id", "start_ms", "pk")
    )
    found: dict[int, list[ConsentScope]] = {}
    for scope in scopes:
        found.setdefault(scope.recording_id, []).append(scope)
    return found


def cover(*, scopes: Sequence[ConsentScope], start_ms: int | None, end_ms: int | None) -> Coverage:
    """Lay a recording's scopes, as `in_force` gives them, over a stretch of it.

    Of one speaker's consents the newest counts, and an older one where the newest does not reach.
    """
    if start_ms is None or end_ms is None:
        newest: dict[int, ConsentRecord] = {}
        for scope in scopes:
            newest.setdefault(scope.record.speaker_id, scope.record)
        return Coverage(records=list(newest.values()))
    found = Coverage()
    everybody: list[tuple[int, int]] = []
    reached: dict[int, list[tuple[int, int]]] = {}
    for scope in scopes:
        begins = max(start_ms, scope.start_ms or 0)
        ends = end_ms if scope.end_ms is None else min(end_ms, scope.end_ms)
        mine = reached.setdefault(scope.record.speaker_id, [])
        if begins >= ends or not gaps_in(mine, begins, ends):
            continue
        mine.append((begins, ends))
        everybody.append((begins, ends))
        if scope.record not in found.records:
            found.records.append(scope.record)
    found.gaps = gaps_in(everybody, start_ms, end_ms)
    return found


def gaps_in(ranges: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Return the parts of [start, end) that lie in none of the ranges."""
    gaps, position = [], start
    for begins, ends in sorted(ranges):
        if begins >= end:
            break
        if begins > position:
            gaps.append((position, begins))
        position = max(position, ends)
    if position < end:
        gaps.append((position, end))
    return gaps
