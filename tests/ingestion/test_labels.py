"""Whom a transcript names is proposed as a speaker, and named whenever their consent comes."""

import json
from datetime import date
from functools import partial
from itertools import permutations

import pytest
from django.db import transaction

from ingestion import consent
from ingestion.archive import blobs
from ingestion.consent import imports, labels
from ingestion.models import PipelineRun, Recording, Segment, Version
from ingestion.pipeline import results
from ingestion.review import voices
from tests import at_once, factories, sealed
from tests.sealed import Said

pytestmark = pytest.mark.django_db

SUBTITLES = """WEBVTT

00:00:01.000 --> 00:00:03.000
<v Ana>Good morning.

00:00:04.000 --> 00:00:06.000
<v Ana>This is the news.

00:00:10.000 --> 00:00:11.500
<v Peter>Thank you.
"""


@pytest.fixture
def draft() -> Version:
    return sealed.dataset().versions.get()


@pytest.fixture
def recording(draft) -> Recording:
    return sealed.source(draft, path="morning.wav", duration_ms=12_000)


def beside(recording: Recording, text: str, name: str) -> None:
    """Give a recording a transcript."""
    made = Recording.objects.create(
        dataset=recording.dataset,
        kind="transcript",
        name=name,
        name_key=name,
        blob=blobs.keep_bytes(data=text.encode()),
        media_type="text/plain",
        added_by=recording.added_by,
    )
    recording.transcript = made
    recording.save()


def told(draft: Version) -> list[tuple[str, list[tuple[int | None, int | None]]]]:
    found = labels.found_in(version=draft)
    return [(one.label, [(part.start_ms, part.end_ms) for part in one.stretches]) for one in found]


def test_names_in_subtitles_are_proposed_with_when_they_speak(draft, recording):
    beside(recording, SUBTITLES, "morning.vtt")
    assert told(draft) == [("Ana", [(1000, 6000)]), ("Peter", [(10_000, 11_500)])]


def test_names_before_lines_without_times_are_proposed_for_the_whole_file(draft, recording):
    beside(recording, "Ana: Good morning.\nPeter: Thank you.\n", "morning.txt")
    assert told(draft) == [("Ana", [(None, None)]), ("Peter", [(None, None)])]


def test_a_transcript_that_cannot_be_read_names_nobody_and_breaks_nothing(draft, recording):
    beside(recording, "not a subtitle", "morning.srt")
    assert told(draft) == []


def test_a_label_of_somebody_who_is_known_is_not_proposed_again(draft, recording):
    beside(recording, SUBTITLES, "morning.vtt")
    sealed.speaker(draft.dataset, "ana")
    known = {one.label: one.is_known for one in labels.found_in(version=draft)}
    assert known == {"Ana": True, "Peter": False}


def test_the_template_proposes_the_names_and_where_they_speak(draft, recording):
    sealed.source(draft, path="noon.wav", duration_ms=5_000)
    beside(recording, SUBTITLES, "morning.vtt")
    rows = imports.prefilled(version=draft).splitlines()
    assert [row.strip(",").replace(",,", "") for row in rows[1:]] == [
        "Ana,morning.wav,0:00:12.000,0:00:01.000,0:00:06.000",
        "Peter,morning.wav,0:00:12.000,0:00:10.000,0:00:11.500",
        "noon.wav,0:00:05.000",
    ]


def process(recording: Recording, said: tuple[tuple[str, str], ...]) -> None:
    """Write down what an intake found: (label, text), three seconds each."""
    nobody = {label: None for label, _text in said}
    made = sealed.write_segments(
        recording, tuple(Said(text, label) for label, text in said), nobody
    )
    run = made[0].run
    outputs = [
        {
            "start_ms": one.start_ms,
            "end_ms": one.end_ms,
            "text": one.text,
            "words": one.words,
            "speaker": label or None,
        }
        for one, (label, _text) in zip(made, said, strict=True)
    ]
    Segment.objects.filter(run=run).delete()
    run.steps.filter(name="text").update(output={"segments": outputs, "untranscribed": []})
    run.steps.filter(name="detect").update(output={"findings": [], "not_checked": []})
    results.write_down(run=PipelineRun.objects.get(pk=run.pk))


def agree(recording: Recording, name: str) -> None:
    """Record that somebody agreed for the whole recording."""
    consent.enter(
        dataset=recording.dataset,
        person=consent.Person(name),
        notice=consent.Notice("We publish it.", "en"),
        terms=consent.Terms(sealed.OPEN, date(2026, 3, 3), "KE"),
        stretches=[consent.Stretch(recording)],
        by=factories.owner_of(recording.dataset.organization),
    )


LABELED = (("Ana", "Good morning to all."), ("Peter", "Thank you, Ana."), ("", "Music follows."))
ALONE = (("", "Good morning to all."), ("", "Thank you for listening."))


@pytest.mark.parametrize("order", list(permutations(("Ana", "Peter", None))))
def test_it_makes_no_difference_whether_consent_or_transcript_came_first(draft, recording, order):
    for name in order:
        if name:
            agree(recording, name)
        else:
            process(recording, LABELED)
    scene = voices.scene(recording=Recording.objects.get(pk=recording.pk), version=draft)
    named = [piece.speaker.name if piece.speaker else None for piece in scene.published()]
    assert named == ["Ana", "Peter", None]


@pytest.mark.parametrize("order", list(permutations(("Ana", None))))
@pytest.mark.django_db(transaction=True)
def test_a_consent_and_a_transcript_in_the_same_instant_name_who_speaks(draft, recording, order):
    acts = {"Ana": partial(agree, recording, "Ana"), None: partial(process, recording, LABELED)}
    first, second = (acts[one] for one in order)
    with transaction.atomic():
        first()
        call = at_once.Call(transaction.atomic(second)).until_it_waits()
    call.result()
    scene = voices.scene(recording=Recording.objects.get(pk=recording.pk), version=draft)
    assert [one.segment.speaker_id is not None for one in scene.published()] == [True, False, True]


@pytest.mark.parametrize("first", ["consent", "transcript"])
def test_the_only_one_who_agreed_is_named_in_the_release_whichever_came_first(
    draft, recording, first
):
    if first == "consent":
        agree(recording, "Ana")
    process(recording, ALONE)
    if first == "transcript":
        agree(recording, "Ana")
    version = sealed.seal(draft)
    rows = [one.told["speaker"] for one in version.release_files.filter(kind="clip")]
    assert rows == ["p-0001", "p-0001"]


def test_what_somebody_said_is_never_given_to_who_agrees_after_they_withdrew(draft, recording):
    agree(recording, "Ana")
    process(recording, ALONE)
    owner = factories.owner_of(draft.dataset.organization)
    consent.withdraw_speaker(speaker=draft.dataset.speakers.get(), by=owner)
    agree(recording, "Peter")
    scene = voices.scene(recording=Recording.objects.get(pk=recording.pk), version=draft)
    assert not any(piece.is_covered for piece in scene.published())


@pytest.mark.parametrize("first", ["consent", "transcript"])
def test_whom_the_transcript_names_is_not_published_on_the_consent_of_another(
    draft, recording, first
):
    if first == "consent":
        agree(recording, "Ana")
    process(recording, LABELED)
    if first == "transcript":
        agree(recording, "Ana")
    scene = voices.scene(recording=Recording.objects.get(pk=recording.pk), version=draft)
    told = [(one.speaker and one.speaker.name, one.is_covered) for one in scene.published()]
    assert told == [("Ana", True), (None, False), ("Ana", True)]
    agree(recording, "Peter")
    scene = voices.scene(recording=Recording.objects.get(pk=recording.pk), version=draft)
    assert all(one.is_covered for one in scene.published())


def test_labels_never_leave_with_a_release(draft, recording):
    agree(recording, "Anastasia Xyzzy")
    process(recording, (("Anastasia Xyzzy", "Good morning to all."),))
    version = sealed.seal(draft)
    everything = json.dumps(list(version.release_files.values("told", "words", "index_row")))
    kept = [blobs.read(one.blob_id).read() for one in version.release_files.all()]
    assert "Xyzzy" not in everything
    assert not any(b"Xyzzy" in data for data in kept)
    final = PipelineRun.objects.get(phase="final")
    assert "Xyzzy" not in json.dumps(final.inputs)


def test_a_name_that_was_erased_is_no_label_any_more(draft, recording):
    process(recording, LABELED)
    process(recording, LABELED)
    agree(recording, "Ana")
    owner = factories.owner_of(draft.dataset.organization)
    consent.erase(record=draft.dataset.consent_records.get(), by=owner)
    assert set(Segment.objects.values_list("label", flat=True)) == {"p-0001", "Peter", ""}
