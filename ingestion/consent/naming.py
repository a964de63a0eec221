"""Who speaks in a segment: whom the transcript names, or the only one whose consent lies there.

Asked when a run writes segments down and when a consent is written down: so it makes no difference
which came first.
"""

from collections.abc import Mapping, Sequence

from commonhold.paths import path_key

from ingestion.consent.scopes import cover, in_force
from ingestion.models import ConsentRecord, ConsentScope, Dataset, Segment, Speaker


def by_label(*, dataset: Dataset) -> dict[str, Speaker]:
    """Return the dataset's speakers by every label a transcript may use for them, folded.

    Of two of one name it means the one who was there first.
    """
    found: dict[str, Speaker] = {}
    for speaker in dataset.speakers.order_by("-pk"):
        found[path_key(speaker.name)] = speaker
        found[path_key(speaker.pseudonym)] = speaker
    return found


def who(
    *,
    label: str,
    start_ms: int | None,
    end_ms: int | None,
    speakers: Mapping[str, Speaker],
    scopes: Sequence[ConsentScope],
) -> Speaker | None:
    """Tell who speaks in a stretch, of the speakers `by_label` and the recording's scopes.

    A label that is nobody's says that somebody else speaks than those who are known: nobody.
    """
    if label:
        return speakers.get(path_key(label))
    heard = agreed(start_ms, end_ms, scopes)
    return next(iter(heard.values())) if len(heard) == 1 else None


def agreed(
    start_ms: int | None, end_ms: int | None, scopes: Sequence[ConsentScope]
) -> dict[int, Speaker]:
    """Return everybody whose consent lies over a stretch, by primary key."""
    covering = cover(scopes=scopes, start_ms=start_ms, end_ms=end_ms)
    return {record.speaker_id: record.speaker for record in covering.records}


def name_labeled(*, speaker: Speaker) -> None:
    """Name a speaker whom the dataset did not know in what transcripts call by their name."""
    segments = Segment.objects.current().filter(recording__dataset=speaker.dataset)
    labels = segments.exclude(label="").order_by().values_list("label", flat=True).distinct()
    speakers = by_label(dataset=speaker.dataset)
    theirs = [label for label in labels if speakers.get(path_key(label)) == speaker]
    segments.filter(label__in=theirs).update(speaker=speaker)


def name_agreed(*, record: ConsentRecord) -> None:
    """Tell anew who speaks where a new consent lies and the transcript names nobody.

    Whom a segment names stays named once their consent ended: nobody else's speaks for them.
    """
    keys = set(record.scopes.values_list("recording", flat=True))
    segments = Segment.objects.current().filter(recording__in=keys, unwritten=False, label="")
    found = list(segments.defer("text", "words"))
    if not found:
        return
    scopes, changed = in_force(recordings=keys), []
    for segment in found:
        here = agreed(segment.start_ms, segment.end_ms, scopes.get(segment.recording_id, ()))
        if segment.speaker_id and segment.speaker_id not in here:
            continue
        named = next(iter(here.values())) if len(here) == 1 else None
        if segment.speaker_id != (named.pk if named else None):
            segment.speaker = named
            changed.append(segment)
    Segment.objects.bulk_update(changed, ["speaker"], batch_size=1000)


def forget_labels(speaker: Speaker) -> None:
    """Put a speaker's pseudonym in place of their name where transcripts name them.

    Also in what an earlier run wrote down, unless another speaker of the dataset has the name.
    """
    key = path_key(speaker.name)
    if by_label(dataset=speaker.dataset)[key] != speaker:
        return
    segments = Segment.objects.filter(recording__dataset=speaker.dataset).exclude(label="")
    labels = segments.order_by().values_list("label", flat=True).distinct()
    theirs = [label for label in labels if path_key(label) == key]
    segments.filter(label__in=theirs).update(label=speaker.pseudonym)
