"""“Heard” means heard: what a person has played counts, and what nobody has says so."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import releases, review
from ingestion.archive.storage import blob_store
from ingestion.models import Hearing, Version
from ingestion.releases import outlook
from ingestion.review import hearing
from notary import statements
from tests import factories, sealed
from tests.sealed import Said
from tests.tapes import Tape
from tests.walks import editor

pytestmark = pytest.mark.django_db


@pytest.fixture
def tape() -> Tape:
    """Ten seconds of Amina and five of Juma, with a pause between them."""
    made = Tape(sealed.dataset().versions.get())
    made.said("Amina", 0, 10_000)
    made.said("Juma", 12_000, 17_000)
    made.agrees("Amina")
    made.agrees("Juma")
    return made


def play(tape: Tape, *ranges: tuple[int, int], by=None) -> Hearing:
    return hearing.note(recording=tape.recording, ranges=ranges, by=by or editor(tape.version))


def heard(tape: Tape) -> tuple[int, int]:
    found = hearing.of_pieces(review.published(version=tape.version))
    return found.heard_ms, found.unheard_ms


def test_what_nobody_played_is_not_heard(tape):
    assert heard(tape) == (0, 15_000)
    assert hearing.ranges_of(recordings=[tape.recording.pk]) == {}


def test_what_was_played_counts_once_however_often_it_was_played(tape):
    for _ in range(2):
        play(tape, (0, 4000), (2000, 6000))
    assert play(tape, (1000, 1500)).ranges == [[0, 6000]]
    assert heard(tape) == (6000, 9000)


def test_pauses_between_what_is_published_count_neither_way(tape):
    play(tape, (9000, 13_000))
    assert heard(tape) == (2000, 13_000)


def test_several_people_hear_a_recording_together(tape):
    play(tape, (0, 5000))
    colleague = factories.member(tape.version.dataset.organization)
    play(tape, (4000, 10_000), by=colleague)
    assert heard(tape) == (10_000, 5000)
    assert Hearing.objects.count() == 2
    assert hearing.ranges_of(recordings=[tape.recording.pk]) == {tape.recording.pk: [(0, 10_000)]}


def test_what_is_left_out_need_not_be_heard(tape):
    play(tape, (0, 10_000))
    tape.without("Juma")
    assert heard(tape) == (10_000, 0)


def test_reading_is_not_hearing(tape):
    for segment in tape.recording.segments.all():
        review.review_segment(segment=segment, by=editor(tape.version))
    assert heard(tape) == (0, 15_000)


def test_ranges_that_nearly_touch_are_one_and_others_stay_apart(tape):
    apart = hearing.JOIN_MS + 1
    played = play(tape, (0, 1000), (1000 + hearing.JOIN_MS, 2000), (2000 + apart, 3000))
    assert played.ranges == [[0, 2000], [2000 + apart, 3000]]


def test_what_lies_past_the_end_was_not_played(tape):
    assert play(tape, (59_000, 70_000)).ranges == [[59_000, 60_000]]


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        [(5, 5)],
        [(7, 3)],
        [(-1, 3)],
        [(60_000, 61_000)],
        [(1, 2, 3)],
        [(1.5, 2)],
        [("0", "9")],
        [(False, True)],
        [(0, 1000), (5, 5)],
        [(0, 1)] * (hearing.MOST_RANGES + 1),
    ],
    ids=str,
)
def test_what_can_not_have_been_played_is_refused_whole(tape, ranges):
    with pytest.raises(hearing.HearingInvalid):
        play(tape, *ranges)
    assert not Hearing.objects.exists()


def test_a_text_has_nothing_to_play():
    tape = Tape(sealed.dataset().versions.get(), duration_ms=0)
    tape.said("Amina", None, None)
    tape.agrees("Amina")
    with pytest.raises(hearing.HearingInvalid):
        play(tape, (0, 1000))
    assert heard(tape) == (0, 0)


def test_a_person_who_skips_about_a_long_recording_loses_nothing_that_was_heard_late():
    tape = Tape(sealed.dataset().versions.get(), duration_ms=3_600_000)
    tape.said("Amina", 3_500_000, 3_510_000)
    for part in range(2):
        play(tape, *[(n * 2000, n * 2000 + 1000) for n in range(part * 300, part * 300 + 300)])
    play(tape, (3_500_000, 3_510_000))
    assert heard(tape) == (10_000, 0)


def test_the_manifest_the_card_and_the_outlook_say_how_much_was_heard(tape):
    play(tape, (0, 6000))
    seen = outlook.of(version=tape.version).heard
    assert (seen.heard_ms, seen.unheard_ms) == (6000, 9000)
    version = sealed.seal(tape.version)
    assert (version.quality["heard_ms"], version.quality["unheard_ms"]) == (6000, 9000)
    seal = releases.seal_of(version=version)
    signed = json.loads(statements.envelope_of(statement=seal.statement).payload)
    told = json.dumps(signed["predicate"])
    assert '"heardMs": 6000' in told
    assert '"unheardMs": 9000' in told
    with blob_store().open(version.release_files.get(path="README.md").blob_id) as card:
        assert "0 min 06 s of it played by a person in the review, 0 min 09 s not" in (
            card.read().decode()
        )


def test_what_was_heard_in_version_1_was_heard_in_version_2_too():
    version = sealed.version(said=(Said("Good morning from the valley."),))
    recording = version.files.get().recording
    hearing.note(recording=recording, ranges=[(0, 3000)], by=editor(version))
    second = sealed.version(version.dataset, said=(Said("Good evening from the valley."),))
    assert (second.quality["heard_ms"], second.quality["unheard_ms"]) == (3000, 3000)
    assert Version.objects.get(pk=version.pk).quality["heard_ms"] == 0


ranges = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda one: (one[0], one[0] + one[1])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30)
@given(st.lists(ranges, min_size=1, max_size=4))
def test_however_it_is_reported_the_union_is_what_was_played(reports):
    tape = Tape(sealed.dataset().versions.get(), duration_ms=80_000)
    step = hearing.JOIN_MS + 1
    for report in reports:
        played = play(tape, *[(first * step, last * step) for first, last in report])
    wanted = {n for report in reports for first, last in report for n in range(first, last)}
    assert {
        n for first, last in played.ranges for n in range(first // step, last // step)
    } == wanted
    assert played.ranges == sorted(played.ranges)
