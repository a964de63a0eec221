"""Where consent lies over the recordings of a version, for drawing."""

from collections.abc import Iterable
from dataclasses import dataclass

from ingestion import consent
from ingestion.models import ConsentRecord, ConsentScope, File, Version

Stretches = list[tuple[int, int]]


@dataclass(frozen=True)
class FileCoverage:
    """What consent says about one recording or text."""

    file: File
    covered: Stretches
    """Milliseconds [start, end) that a consent in force covers; empty for a text."""
    gaps: Stretches
    withdrawn: Stretches
    """Milliseconds that a withdrawn or expired consent used to cover and none covers now."""
    speakers: int

    @property
    def is_complete(self) -> bool:
        """Whether every millisecond is covered."""
        return bool(self.speakers) and not self.gaps

    @property
    def gap_ms(self) -> int:
        """How much nobody has consented to."""
        return sum(end - start for start, end in self.gaps)


def of_version(version: Version) -> list[FileCoverage]:
    """Return the coverage of each recording and text of a version, in the order of its files."""
    files = (
        version.files.filter(role=File.Role.SOURCE)
        .exclude(kind=File.Kind.TRANSCRIPT)
        .order_by("path_key")
    )
    return of_files(list(files))


def of_files(files: list[File]) -> list[FileCoverage]:
    """Return the coverage of each file, asking the database twice."""
    in_force: dict[int, list[ConsentScope]] = {}
    ended: dict[int, list[ConsentScope]] = {}
    standing = set(
        ConsentRecord.objects.in_force().filter(scopes__file__in=files).values_list("pk", flat=True)
    )
    scopes = ConsentScope.objects.filter(file__in=files).select_related("record__speaker")
    for scope in scopes:
        kept = in_force if scope.record_id in standing else ended
        kept.setdefault(scope.file_id, []).append(scope)
    return [
        of_file(file=file, scopes=in_force.get(file.pk, []), ended=ended.get(file.pk, []))
        for file in files
    ]


def of_file(*, file: File, scopes: list[ConsentScope], ended: list[ConsentScope]) -> FileCoverage:
    """Lay the scopes of one file over its length."""
    length = file.duration_ms
    found = consent.cover(scopes=scopes, start_ms=None if length is None else 0, end_ms=length)
    covered = complement(gaps=found.gaps, length=length or 0)
    before = stretches(ended, length or 0)
    return FileCoverage(
        file=file,
        covered=covered,
        gaps=found.gaps,
        withdrawn=[part for gap in found.gaps for part in within(before, gap)],
        speakers=len({record.speaker_id for record in found.records}),
    )


def complement(*, gaps: Stretches, length: int) -> Stretches:
    """Return what lies between the gaps of [0, length)."""
    edges = [0, *(edge for gap in gaps for edge in gap), length]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]


def stretches(scopes: Iterable[ConsentScope], length: int) -> Stretches:
    """Return the stretches of scopes, a whole file being [0, length)."""
    return [
        (scope.start_ms or 0, length if scope.end_ms is None else scope.end_ms) for scope in scopes
    ]


def within(ranges: Stretches, frame: tuple[int, int]) -> Stretches:
    """Return the parts of `ranges` that lie in `frame`."""
    clipped = [(max(start, frame[0]), min(end, frame[1])) for start, end in ranges]
    return [(start, end) for start, end in clipped if start < end]
