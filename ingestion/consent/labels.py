"""Whom transcripts name: proposals for speakers. For the contributor alone, as names are."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from commonhold.paths import path_key
from django.utils.crypto import salted_hmac

from ingestion.archive import blobs
from ingestion.archive.blobs import BytesDamaged
from ingestion.archive.formats import media, rows
from ingestion.archive.formats.refusal import RefusedError
from ingestion.consent.naming import by_label
from ingestion.consent.scopes import Stretch
from ingestion.models import Blob, Recording, Segment, Version

PAUSE_MS = 2_000
"""Between stretches of one label less than this apart the same person is taken to go on."""
MOST_STRETCHES = 50
"""Of a file with more, the whole file is proposed: nobody looks through so many rows."""
READ = 8 * 1024 * 1024
"""Bytes of transcripts that are read for labels before the pipeline did."""
Heard = tuple[str, int | None, int | None]


@dataclass
class Labeled:
    """A name in the transcripts, and where it speaks."""

    label: str
    stretches: list[Stretch] = field(default_factory=list)
    is_known: bool = False
    """Whether a speaker of the dataset has this name."""

    @property
    def token(self) -> str:
        """Its name in addresses, which are written down in logs."""
        return salted_hmac("speaker-label", path_key(self.label)).hexdigest()[:16]

    @property
    def duration_ms(self) -> int:
        """How long it speaks, as far as there are times."""
        return sum((one.end_ms or 0) - (one.start_ms or 0) for one in self.stretches)

    @property
    def recordings(self) -> int:
        """In how many files it speaks."""
        return len({one.recording.pk for one in self.stretches})


def found_in(*, version: Version) -> list[Labeled]:
    """Return every label in a version's transcripts, in the order in which they come up."""
    recordings = list(
        Recording.objects.to_process()
        .filter(files__version=version)
        .select_related("dataset", "blob", "transcript__blob")
        .in_order()
    )
    speakers = by_label(dataset=version.dataset)
    processed = written_down(recordings)
    found: dict[str, Labeled] = {}
    left = READ
    for recording in recordings:
        heard = processed.get(recording.pk, [])
        if recording.intake_id is None:
            heard, left = written_in(recording, left)
        for label, parts in together(heard).items():
            key = path_key(label)
            one = found.setdefault(key, Labeled(label, is_known=key in speakers))
            one.stretches += stretches(recording, parts)
    return list(found.values())


def written_down(recordings: list[Recording]) -> dict[int, list[Heard]]:
    """Return the labeled segments of what was processed, by recording and in order."""
    segments = Segment.objects.current().filter(recording__in=recordings).exclude(label="")
    found: dict[int, list[Heard]] = {}
    values = segments.order_by("recording", "position")
    for pk, label, start, end in values.values_list("recording", "label", "start_ms", "end_ms"):
        found.setdefault(pk, []).append((label, start, end))
    return found


def written_in(recording: Recording, left: int) -> tuple[list[Heard], int]:
    """Read the labels in a transcript that was not processed yet, if so many bytes are left."""
    is_text = recording.kind == Recording.Kind.DOCUMENT
    text = recording if is_text else recording.transcript
    if text is None or text.blob is None or text.blob.size > left:
        return [], left
    return list(read(text.blob, text.name)), left - text.blob.size


def read(blob: Blob, name: str) -> Iterator[Heard]:
    """Yield the labels of a transcript with their times; none where it can't be read.

    Whatever is wrong with it is told where it is processed, and where damage is.
    """
    form = media.container_of(name)
    try:
        with blobs.local(blob.pk) as path:
            found = rows.read(path, name=name, form=form)
    except (RefusedError, BytesDamaged):
        return
    for row in rows.with_speakers(found) if form in rows.WITHOUT_COLUMNS else found:
        if row.speaker:
            yield row.speaker[:160], row.start_ms, row.end_ms


def together(heard: list[Heard]) -> dict[str, list[tuple[int | None, int | None]]]:
    """Join what one label says with no more than a pause between."""
    found: dict[str, list[tuple[int | None, int | None]]] = {}
    for label, start, end in heard:
        parts = found.setdefault(label, [])
        last = parts[-1] if parts else (None, None)
        if start is not None and last[1] is not None and start - last[1] < PAUSE_MS:
            parts[-1] = (last[0], max(last[1], end or 0))
        else:
            parts.append((start, end))
    return found


def stretches(recording: Recording, parts: list[tuple[int | None, int | None]]) -> list[Stretch]:
    """Return where a label speaks in a recording; without times, or with too many, all of it."""
    length = recording.duration_ms
    if length is None or len(parts) > MOST_STRETCHES or (None, None) in parts:
        return [Stretch(recording)]
    return [
        Stretch(recording, start, min(end, length))
        for start, end in parts
        if start is not None and end is not None and start < min(end, length)
    ]
