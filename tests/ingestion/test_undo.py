"""Undo: each act can be taken back while nobody has built upon it, and then nothing is changed."""

from contextlib import suppress

import pytest
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry
from ingestion import review
from ingestion.archive import recordings, versions
from ingestion.models import Decision, File, Finding, LeftOut, PipelineRun, Segment, Version
from ingestion.pipeline import jobs
from tests import factories, sealed
from tests.tapes import Tape
from tests.walks import editor

pytestmark = pytest.mark.django_db
Act = Decision.Act


def stage() -> Tape:
    """A draft with three stretches: one with a finding, one unread, one without consent.

    Between them somebody says what the text leaves out, and a line of it has no place.
    """
    tape = Tape(sealed.dataset().versions.get())
    first = tape.said("Amina", 0, 4000, "call zero seven seven two five five five")
    second = tape.said("Juma", 5000, 8000, "the road is open again")
    tape.said("", 9000, 12_000, "who is this")
    tape.unwritten(4000, 5000)
    tape.unwritten(12_000, 14_000)
    tape.said("", None, None, "nobody knows when")
    Segment.objects.filter(pk=second.pk).update(needs_review=True)
    Finding.objects.create(
        segment=first,
        kind="phone",
        start_char=5,
        end_char=len(first.text),
        start_ms=500,
        end_ms=4000,
        detector="rules",
        confidence=900,
    )
    tape.agrees("Amina", 0, 4000)
    tape.agrees("Juma", 5000, 8000)
    return tape


@pytest.fixture
def tape() -> Tape:
    return stage()


def segment(tape: Tape, position: int = 0) -> Segment:
    return Segment.objects.of(tape.version).get(position=position)


def decide(tape: Tape) -> None:
    finding = Finding.objects.of(tape.version).first()
    review.decide(finding=finding, redact=finding.state != "confirmed", by=editor(tape.version))


def mark(tape: Tape) -> None:
    review.add_finding(
        segment=segment(tape, 1), first_word=1, last_word=2, kind="name", by=editor(tape.version)
    )


def correct(tape: Tape) -> None:
    text = segment(tape).text + " please"
    review.review_segment(segment=segment(tape), text=text, by=editor(tape.version))


def read(tape: Tape) -> None:
    review.review_segment(segment=segment(tape, 1), by=editor(tape.version))


def leave_out(tape: Tape) -> None:
    review.review_segment(segment=segment(tape, 1), excluded=True, by=editor(tape.version))


def bring_back(tape: Tape) -> None:
    review.review_segment(segment=segment(tape, 1), excluded=False, by=editor(tape.version))


def leave_out_uncovered(tape: Tape) -> None:
    review.leave_out_uncovered(version=tape.version, by=editor(tape.version))


def leave_out_speaker(tape: Tape) -> None:
    tape.without("Juma")


def bring_back_speaker(tape: Tape) -> None:
    juma = tape.person("Juma")
    review.bring_back_speaker(version=tape.version, speaker=juma, by=editor(tape.version))


def missing(tape: Tape) -> Segment:
    """Speech without text, of which none was settled where there is such."""
    found = Segment.objects.of(tape.version).filter(unwritten=True)
    waiting = found.order_by(F("reviewed_at").asc(nulls_first=True), "position")
    return waiting.first() or segment(tape, 3)


def write(tape: Tape) -> None:
    with suppress(review.DecisionInvalid):
        review.write_down(segment=missing(tape), text="nine two six", by=editor(tape.version))


def keep_unwritten(tape: Tape) -> None:
    with suppress(review.DecisionInvalid):
        review.keep_unwritten(segment=missing(tape), by=editor(tape.version))


def leave_out_unwritten(tape: Tape) -> None:
    review.leave_out_unwritten(version=tape.version, by=editor(tape.version))


def place(tape: Tape) -> None:
    with suppress(review.DecisionInvalid):
        review.place(
            segment=segment(tape, 5), start_ms=12_200, end_ms=13_500, by=editor(tape.version)
        )


def remove(tape: Tape) -> None:
    place = tape.version.files.get()
    recordings.remove(file=place, by=editor(tape.version))


def settle_the_rest(tape: Tape) -> None:
    """Leave out what would keep the review open."""
    leave_out_uncovered(tape)
    leave_out_unwritten(tape)
    review.review_segment(segment=segment(tape, 5), excluded=True, by=editor(tape.version))


ACTS = {
    Act.DECIDE: decide,
    Act.MARK: mark,
    Act.CORRECT: correct,
    Act.READ: read,
    Act.LEAVE_OUT: leave_out,
    Act.BRING_BACK: bring_back,
    Act.LEAVE_OUT_UNCOVERED: leave_out_uncovered,
    Act.LEAVE_OUT_SPEAKER: leave_out_speaker,
    Act.BRING_BACK_SPEAKER: bring_back_speaker,
    Act.WRITE: write,
    Act.KEEP_UNWRITTEN: keep_unwritten,
    Act.LEAVE_OUT_UNWRITTEN: leave_out_unwritten,
    Act.PLACE: place,
    Act.REMOVE: remove,
}


def state(tape: Tape) -> dict[str, list]:
    """Everything that an act can change."""
    finding = [
        field.name for field in Finding._meta.fields if field.name not in {"id", "created_at"}
    ]
    return {
        "segments": list(Segment.objects.order_by("pk").values()),
        "findings": list(
            Finding.objects.order_by("segment", "start_char", "kind").values(*finding)
        ),
        "left out": list(LeftOut.objects.order_by("speaker").values("version", "speaker")),
        "places": list(File.objects.order_by("recording").values("version", "recording", "key")),
    }


def undo(decision: Decision) -> Decision:
    return review.undo(decision=decision, by=editor(decision.version))


def newest() -> Decision:
    return Decision.objects.latest("pk")


@pytest.mark.parametrize("act", ACTS)
def test_what_an_act_did_is_undone_to_the_last_bit(tape, act):
    if act in {Act.BRING_BACK, Act.BRING_BACK_SPEAKER}:
        leave_out(tape)
        leave_out_speaker(tape)
    before = state(tape)
    ACTS[act](tape)
    assert state(tape) != before
    assert newest().act == act
    undone = undo(newest())
    assert state(tape) == before
    assert (undone.act, undone.undoes.act) == (Act.UNDO, act)


def test_every_act_that_there_is_can_be_undone():
    assert set(ACTS) | {Act.UNDO} == set(Act)


@settings(max_examples=15)
@given(acts=st.lists(st.sampled_from(sorted(set(ACTS) - {Act.REMOVE})), min_size=1, max_size=8))
def test_undoing_everything_from_the_last_to_the_first_leads_back_to_the_beginning(acts):
    tape = stage()
    states = [state(tape)]
    known = Decision.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    done = []
    for act in acts:
        ACTS[act](tape)
        made = Decision.objects.filter(pk__gt=known).last()
        if made is not None and made.before != made.after:
            known = made.pk
            done.append(made)
            states.append(state(tape))
    by = editor(tape.version)
    for decision in reversed(done):
        assert state(tape) == states.pop()
        assert review.last(version=tape.version, by=by) == decision
        undo(decision)
    assert state(tape) == states.pop()
    assert review.last(version=tape.version, by=by) is None


def test_nothing_is_undone_twice(tape):
    read(tape)
    decision = newest()
    undone = undo(decision)
    for again in (decision, undone):
        with pytest.raises(review.UndoRefused, match="undone already"):
            undo(Decision.objects.get(pk=again.pk))


def test_an_act_that_somebody_built_upon_is_not_undone_by_itself(tape):
    mark(tape)
    marked = newest()
    leave_out(tape)
    before = state(tape)
    with pytest.raises(review.UndoRefused, match="changed again since"):
        undo(marked)
    assert state(tape) == before
    undo(newest())
    undo(marked)


def test_who_is_left_out_is_not_put_right_behind_the_back_of_a_later_choice(tape):
    tape.said("Zuri", 13_000, 15_000)
    tape.without("Juma")
    first = newest()
    tape.without("Zuri")
    with pytest.raises(review.UndoRefused, match="Bring the speaker back"):
        undo(first)
    assert LeftOut.objects.count() == 2


def test_what_was_written_down_anew_since_is_not_made_as_it_was(tape):
    read(tape)
    decision = newest()
    PipelineRun.objects.filter(recording=tape.recording).update(inputs_sha256="0" * 64)
    tape.recording.intake = None
    tape.recording.save(update_fields=["intake"])
    sealed.write_intake(tape.recording)
    with pytest.raises(review.UndoRefused, match="written down anew"):
        undo(decision)


def test_nothing_is_undone_while_recordings_are_processed(tape):
    read(tape)
    sealed.source(tape.version, path="late.wav")
    jobs.start(version=tape.version, by=editor(tape.version))
    with pytest.raises(review.UndoRefused, match="Wait until everything is processed"):
        undo(newest())


def test_nothing_is_undone_once_the_review_is_finished(tape):
    decide(tape)
    read(tape)
    decision = newest()
    settle_the_rest(tape)
    review.finish(version=tape.version, by=editor(tape.version))
    with pytest.raises(versions.VersionClosed):
        undo(Decision.objects.get(pk=decision.pk))


def test_the_last_act_is_ones_own(tape):
    colleague = factories.member(tape.version.dataset.organization)
    read(tape)
    mine = newest()
    review.review_segment(segment=segment(tape, 0), by=colleague)
    theirs = newest()
    assert review.last(version=tape.version, by=editor(tape.version)) == mine
    assert review.last(version=tape.version, by=colleague) == theirs
    review.undo(decision=mine, by=colleague)
    assert AuditEntry.objects.latest("pk").actor == colleague.email


def test_an_act_that_changes_nothing_is_nothing_to_undo(tape):
    leave_out_speaker(tape)
    leave_out = newest()
    leave_out_speaker(tape)
    assert review.last(version=tape.version, by=editor(tape.version)) == leave_out
    bring_back_speaker(tape)
    brought_back = newest()
    bring_back_speaker(tape)
    assert review.last(version=tape.version, by=editor(tape.version)) == brought_back


def test_leaving_out_what_is_covered_is_no_act(tape):
    leave_out_uncovered(tape)
    count = Decision.objects.count()
    assert review.leave_out_uncovered(version=tape.version, by=editor(tape.version)) == 0
    assert Decision.objects.count() == count


def test_acts_of_an_earlier_version_are_not_the_next_ones(tape):
    decide(tape)
    read(tape)
    settle_the_rest(tape)
    sealed.seal(tape.version)
    second = versions.open_draft(dataset=tape.version.dataset, by=editor(tape.version))
    assert review.last(version=second, by=editor(second)) is None
    assert Version.objects.get(pk=tape.version.pk).decisions.count() == 5
