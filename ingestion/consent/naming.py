"""Who speaks in a segment: whom the transcript names, or the only one whose consent lies there.

Asked when a run writes segments down and when a consent is written down, one after the other: so
it makes no difference which came first.
"""

from collections.abc import Iterable, Mapping, Sequence

from commonhold.paths import path_key

from ingestion.consent.scopes import cover, in_force
from ingestion.models import ConsentRecord, ConsentScope, Dataset, Recording, Segment, Speaker


def wait_for_turn(recordings: Iterable[int]) -> None:
    """Lock recordings, by their primary keys, until what is written down about them stands."""
    locked = Recording.objects.select_for_update(no_key=True).filter(pk__in=recordings)
    list(locked.order_by("pk").values_list("pk"))


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
    """Tell anew who speaks where a new consent lies.

    Also whom the transcript names: a run may have begun to write it down before their name was
    known. Whom a segment names stays named once their consent ended: nobody else's speaks for them.
    """
    keys = set(record.scopes.values_list("recording", flat=True))
    wait_for_turn(keys)
    segments = Segment.objects.current().filter(recording__in=keys, unwritten=False)
    found = list(segments.defer("text", "words"))
    if not found:
        return
    speakers, scopes = by_label(dataset=record.dataset), in_force(recordings=keys)
    changed = []
    for segment in found:
        here = scopes.get(segment.recording_id, ())
        start, end = segment.start_ms, segment.end_ms
        is_named = segment.speaker_id is not None
        if is_named and (segment.label or segment.speaker_id not in agreed(start, end, here)):
            continue
        named = who(label=segment.label, start_ms=start, end_ms=end, speakers=speakers, scopes=here)
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
