"""The review over HTTP: findings and segments, heard, decided and read."""

import pytest

from ingestion.archive import recordings
from ingestion.models import Finding, Segment
from tests import factories, sealed
from tests.marketplace.api.callers import agree, client_of, problem, under_review, wav

pytestmark = pytest.mark.django_db
URL = "/api/v1/datasets/radio-valley/show/versions/1"


def test_a_finding_comes_with_its_words_and_where_it_is_heard(dataset, editor):
    under_review(dataset)
    found = editor.get(f"{URL}/findings?state=open").json()
    assert found["count"] == 1
    finding = found["results"][0]
    assert (finding["before"], finding["text"], finding["after"]) == ("call ", "five five five", "")
    assert (finding["path"], finding["kind"], finding["state"]) == ("show.wav", "phone", "open")
    assert finding["audio_url"].endswith("/audio#t=0.250,1.000")
    assert editor.get(f"{URL}/findings?state=confirmed").json()["count"] == 0


def test_a_finding_is_heard_in_the_original_and_in_part(dataset, editor):
    under_review(dataset)
    url = editor.get(f"{URL}/findings").json()["results"][0]["audio_url"].partition("#")[0]
    answer = editor.get(url, headers={"Range": "bytes=44-143"})
    assert answer.status_code == 206
    assert answer["Content-Type"] == "audio/wav"
    assert b"".join(answer.streaming_content) == wav()[44:144]
    assert answer["Content-Disposition"] == 'inline; filename="show.wav"'


@pytest.mark.parametrize(("decision", "state"), [("confirm", "confirmed"), ("reject", "rejected")])
def test_a_finding_is_decided(dataset, editor, decision, state):
    _, _, finding = under_review(dataset)
    answer = editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": decision})
    assert answer.json()["state"] == state
    finding.refresh_from_db()
    assert finding.decided_by == factories.owner_of(dataset.organization)


@pytest.mark.parametrize("decision", ["", "maybe", None, 1])
def test_a_decision_is_to_confirm_or_to_reject(dataset, editor, decision):
    _, _, finding = under_review(dataset)
    answer = editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": decision})
    problem(answer, 422, "invalid-request", "decision")
    finding.refresh_from_db()
    assert finding.state == "open"


def test_words_that_a_person_marks_become_a_finding(dataset, editor):
    _, segment, _ = under_review(dataset)
    marked = {"first_word": 0, "last_word": 1, "kind": "other"}
    answer = editor.post(f"/api/v1/segments/{segment.pk}/findings", marked)
    assert answer.status_code == 201
    found = answer.json()
    assert (found["text"], found["state"]) == ("call five", "confirmed")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"first_word": 9, "last_word": 9}, "words 0 to 3"),
        ({"first_word": 2, "last_word": 1}, "words 0 to 3"),
        ({"first_word": -1}, "words 0 to 3"),
        ({"kind": "secret"}, "phone"),
    ],
)
def test_words_that_are_not_there_cannot_be_marked(dataset, editor, change, word):
    _, segment, _ = under_review(dataset)
    marked = {"first_word": 0, "last_word": 0, "kind": "name"} | change
    answer = editor.post(f"/api/v1/segments/{segment.pk}/findings", marked)
    problem(answer, 422, "decision-invalid", word)
    assert Finding.objects.count() == 1


def test_a_segment_is_read_or_left_out(dataset, editor):
    _, segment, _ = under_review(dataset)
    url = f"/api/v1/segments/{segment.pk}/review"
    assert editor.post(url, {}).json()["reviewed"] is True
    assert editor.post(url, {"excluded": True}).json()["excluded"] is True
    found = editor.get(f"{URL}/segments").json()["results"][0]
    assert (found["reviewed"], found["excluded"], found["covered"]) == (True, True, True)
    assert found["text"] == "call five five five"


def test_nothing_is_decided_about_a_text_that_is_another_one_by_now(dataset, editor):
    _, segment, _ = under_review(dataset)
    old = {"text_was": segment.text}
    url = f"/api/v1/segments/{segment.pk}"
    assert editor.post(f"{url}/review", old | {"text": "please call five five five"}).json()
    problem(editor.post(f"{url}/review", old | {"text": "call"}), 409, "text-changed", "text")
    marked = old | {"first_word": 0, "last_word": 0, "kind": "name"}
    problem(editor.post(f"{url}/findings", marked), 409, "text-changed", "text")
    segment.refresh_from_db()
    assert segment.text == "please call five five five"


def test_a_segment_without_consent_says_so(dataset, editor):
    _, segment, _ = under_review(dataset)
    assert editor.get(f"{URL}/segments").json()["results"][0]["covered"] is False
    agree(segment.recording)
    assert editor.get(f"{URL}/segments").json()["results"][0]["covered"] is True


def test_a_segment_says_whether_it_is_published(dataset, editor):
    _, segment, _ = under_review(dataset)
    url = f"/api/v1/segments/{segment.pk}/review"
    assert editor.post(url, {}).json()["published"] is True
    assert editor.post(url, {"excluded": True}).json()["published"] is False
    assert editor.get(f"{URL}/segments").json()["results"][0]["published"] is False


def test_heard_is_said_only_of_what_somebody_played(dataset, editor):
    _, segment, _ = under_review(dataset)

    def heard() -> bool:
        return editor.get(f"{URL}/segments").json()["results"][0]["heard"]

    url = f"/api/v1/recordings/{segment.recording_id}/heard"
    assert heard() is False
    answer = editor.post(url, {"ranges": [[0, 400]]}).json()
    assert answer == {"ranges": [[0, 400]], "duration_ms": 1000}
    assert editor.post(url, {"ranges": [[300, 600]]}).json()["ranges"] == [[0, 600]]
    assert heard() is False
    assert editor.post(url, {"ranges": [[600, 5000]]}).json()["ranges"] == [[0, 1000]]
    assert heard() is True


def test_what_one_person_played_is_kept_apart_from_what_another_did(station, dataset, editor):
    _, segment, _ = under_review(dataset)
    colleague = client_of(station, factories.member(station))
    url = f"/api/v1/recordings/{segment.recording_id}/heard"
    editor.post(url, {"ranges": [[0, 400]]})
    assert colleague.post(url, {"ranges": [[700, 900]]}).json()["ranges"] == [[700, 900]]


@pytest.mark.parametrize(
    ("ranges", "code"),
    [
        ([], "hearing-invalid"),
        ([[0, 0]], "hearing-invalid"),
        ([[500, 100]], "hearing-invalid"),
        ([[-1, 100]], "hearing-invalid"),
        ([[5000, 6000]], "hearing-invalid"),
        ([[0]], "invalid-request"),
        ([[0, 1, 2]], "invalid-request"),
        ([["a", "b"]], "invalid-request"),
        ([[0, 100]] * 501, "invalid-request"),
        ("all of it", "invalid-request"),
    ],
)
def test_what_cannot_have_been_played_is_refused(dataset, editor, ranges, code):
    _, segment, _ = under_review(dataset)
    url = f"/api/v1/recordings/{segment.recording_id}/heard"
    problem(editor.post(url, {"ranges": ranges}), 422, code)
    assert not segment.recording.hearings.exists()


def test_no_copy_is_kept_of_an_original(dataset, editor):
    segment = Segment.objects.of(sealed.version(dataset)).first()
    url = f"/api/v1/segments/{segment.pk}/audio"
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
        answer = editor.get(url, headers=headers)
        assert answer["Cache-Control"] == "private, no-store"
        answer.close()


def test_an_original_that_was_erased_is_no_longer_heard(dataset, editor):
    version = sealed.version(dataset)
    recording = version.files.get().recording
    segment = Segment.objects.of(version).first()
    url = f"/api/v1/segments/{segment.pk}/audio"
    answer = editor.get(url)
    b"".join(answer.streaming_content)
    assert answer.status_code == 200
    recordings.erase(recording=recording, by=dataset.created_by)
    problem(editor.get(url), 404, "not-found")
    files = editor.get(URL).json()["files"]
    assert [(file["state"], file["sha256"]) for file in files] == [("erased", None)]


def test_an_unfinished_review_names_what_is_left(dataset, editor):
    under_review(dataset)
    found = problem(
        editor.post(f"{URL}/finish-review"), 409, "review-unfinished", "show.wav", "phone"
    )
    assert found["open_findings"] == 1


def test_nothing_is_decided_about_what_is_sealed(station, editor):
    dataset = sealed.dataset(station, slug="show")
    sealed.version(dataset)
    finding = Finding.objects.get()
    segment = Segment.objects.first()
    decide = editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": "reject"})
    problem(decide, 409, "not-in-review")
    problem(editor.post(f"/api/v1/segments/{segment.pk}/review", {}), 409, "not-in-review")
    problem(editor.post(f"{URL}/finish-review"), 409, "not-in-review")
    finding.refresh_from_db()
    assert finding.state == "confirmed"


def unwritten(segment: Segment) -> Segment:
    """Speech without text in the recording of a segment."""
    return Segment.objects.create(
        recording=segment.recording,
        run=segment.run,
        position=9,
        start_ms=300,
        end_ms=900,
        needs_review=True,
        unwritten=True,
    )


def test_speech_without_text_says_so_and_is_settled(dataset, editor):
    _, segment, _ = under_review(dataset)
    stretch = unwritten(segment)
    shown = editor.get(f"{URL}/segments").json()["results"][-1]
    assert (shown["id"], shown["unwritten"], shown["published"]) == (stretch.pk, True, False)
    assert shown["audio_url"].endswith("/audio#t=0.300,0.900")
    assert editor.get(URL).json()["review"]["unsettled_segments"] == 1
    url = f"/api/v1/segments/{stretch.pk}/review"
    problem(editor.post(url, {}), 422, "decision-invalid", "Write down what is said")
    problem(editor.post(url, {"excluded": False}), 422, "decision-invalid")
    assert editor.post(url, {"nothing_said": True}).json()["reviewed"]
    assert editor.get(URL).json()["review"]["unsettled_segments"] == 0
    assert editor.post(url, {"excluded": True}).json()["excluded"]
    written = editor.post(url, {"text": "write to amina@example.org"}).json()
    assert "amina@example.org" in written["text"]
    assert editor.get(f"{URL}/findings?state=open").json()["results"][-1]["kind"] == "email"


def test_all_speech_without_text_is_left_out_at_once(dataset, editor):
    _, segment, _ = under_review(dataset)
    unwritten(segment)
    assert editor.post(f"{URL}/leave-out-unwritten").json() == {"segments": 1}
    assert editor.post(f"{URL}/leave-out-unwritten").json() == {"segments": 0}


def test_a_line_without_a_place_is_given_its_times(dataset, editor):
    _, segment, _ = under_review(dataset)
    Segment.objects.filter(pk=segment.pk).update(start_ms=None, end_ms=None)
    url = f"/api/v1/segments/{segment.pk}/review"
    assert editor.get(f"{URL}/segments").json()["results"][0]["unplaced"]
    problem(editor.post(url, {}), 422, "decision-invalid", "Say when it is said")
    problem(editor.post(url, {"start_ms": 700}), 422, "decision-invalid")
    placed = editor.post(url, {"start_ms": 100, "end_ms": 900}).json()
    assert (placed["start_ms"], placed["end_ms"], placed["unplaced"]) == (100, 900, False)


@pytest.mark.parametrize(
    "said",
    [
        {"excluded": True, "nothing_said": True},
        {"text": "good morning", "nothing_said": True},
        {"excluded": True, "start_ms": 100, "end_ms": 900},
        {"text": "good morning", "start_ms": 100, "end_ms": 900},
        {"nothing_said": True, "start_ms": 100, "end_ms": 900},
        {"end_ms": 900},
    ],
)
def test_a_review_that_says_several_things_or_half_a_thing_does_none(dataset, editor, said):
    _, segment, _ = under_review(dataset)
    stretch = unwritten(segment)
    if "end_ms" in said:
        Segment.objects.filter(pk=stretch.pk).update(unwritten=False, start_ms=None, end_ms=None)
    before = Segment.objects.values().get(pk=stretch.pk)
    answer = editor.post(f"/api/v1/segments/{stretch.pk}/review", said)
    problem(answer, 422, "decision-invalid", "Say ")
    assert Segment.objects.values().get(pk=stretch.pk) == before
