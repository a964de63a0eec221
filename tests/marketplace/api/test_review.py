"""Versions and their review over HTTP."""

import pytest

from ingestion import datasets
from ingestion.models import Finding, PipelineRun, Segment, StepRun
from ingestion.tasks import run_pipeline_task
from tests import factories, sealed
from tests.marketplace.api.callers import client_of, problem, source, under_review, wav

pytestmark = pytest.mark.django_db
URL = "/api/v1/datasets/radio-valley/show/versions/1"


@pytest.fixture
def queued(monkeypatch):
    """The runs that workers were told about."""
    found = []
    monkeypatch.setattr(
        run_pipeline_task, "apply_async", lambda args, *_, **__: found.append(args[0])
    )
    return found


def test_processing_starts_a_run_for_every_recording(
    dataset, editor, queued, django_capture_on_commit_callbacks
):
    version = datasets.open_draft(dataset=dataset, by=dataset.created_by)
    source(version, "one.wav")
    source(version, "two.wav", wav(2000))
    with django_capture_on_commit_callbacks(execute=True):
        answer = editor.post(f"{URL}/process")
        assert queued == []
    assert answer.status_code == 202
    found = answer.json()
    assert found["state"] == "processing"
    assert [(run["path"], run["state"]) for run in found["runs"]] == [
        ("one.wav", "pending"),
        ("two.wav", "pending"),
    ]
    names = [step["name"] for step in found["runs"][0]["steps"]]
    assert names == ["decode", "vad", "text", "detect", "redact", "strip", "quality"]
    assert sorted(queued) == sorted(str(run.pk) for run in PipelineRun.objects.all())


def test_a_draft_without_a_recording_has_nothing_to_process(dataset, editor):
    problem(editor.post(f"{URL}/process"), 409, "nothing-to-process")


def test_a_version_is_processed_once(dataset, editor):
    source(datasets.open_draft(dataset=dataset, by=dataset.created_by))
    editor.post(f"{URL}/process")
    problem(editor.post(f"{URL}/process"), 409, "version-closed", "processing")


def test_opening_a_version_twice_opens_one(station, editor):
    dataset = sealed.dataset(station, slug="show")
    sealed.version(dataset)
    answers = [editor.post("/api/v1/datasets/radio-valley/show/versions") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json() for answer in answers] == [{"number": 2, "state": "draft"}] * 2


def test_a_version_tells_how_each_step_went(dataset, editor):
    version, segment, _ = under_review(dataset)
    sealed.write_runs(segment.file, [segment], dataset.created_by)
    StepRun.objects.filter(name="quality").update(state="failed", error="No sound.")
    found = editor.get(URL).json()
    assert found["number"] == version.number
    assert found["review"] == {
        "open_findings": 1,
        "unreviewed_segments": 1,
        "uncovered_segments": 1,
    }
    run = found["runs"][0]
    assert (run["path"], run["phase"]) == ("show.wav", "intake")
    steps = {step["name"]: step for step in run["steps"]}
    assert steps["decode"]["tool"] == "PyAV"
    assert steps["decode"]["started_at"].endswith("Z")
    assert steps["quality"]["error"] == "No sound."


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


def test_a_segment_without_consent_says_so(dataset, editor):
    under_review(dataset)
    assert editor.get(f"{URL}/segments").json()["results"][0]["covered"] is False


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


def test_finishing_the_review_queues_what_applies_it(
    dataset, editor, queued, django_capture_on_commit_callbacks
):
    _, segment, finding = under_review(dataset)
    sealed.write_runs(segment.file, [segment], dataset.created_by)
    PipelineRun.objects.filter(phase="final").delete()
    editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": "confirm"})
    cover(dataset, segment)
    editor.post(f"/api/v1/segments/{segment.pk}/review", {})
    with django_capture_on_commit_callbacks(execute=True):
        answer = editor.post(f"{URL}/finish-review")
    assert answer.status_code == 202, answer.json()
    assert queued == [str(PipelineRun.objects.get(phase="final").pk)]


def cover(dataset, segment):
    """Consent for the whole file."""
    sealed.consent.record(
        speaker=sealed.speaker(dataset, "Amina"),
        notice=sealed.consent.Notice("What we do.", "sw"),
        terms=sealed.consent.Terms(("research",), sealed.date(2026, 1, 1), "KE"),
        stretches=[sealed.consent.Stretch(segment.file)],
        by=dataset.created_by,
    )


def test_a_stranger_sees_the_released_files_and_no_originals(station, editor):
    dataset = sealed.dataset(station, slug="show")
    sealed.version(dataset)
    seen = client_of(factories.organization()).get(URL).json()
    assert "morning.wav" not in str(seen)
    assert {"README.md", "metadata.jsonl"} < {file["path"] for file in seen["files"]}
    assert (seen["runs"], seen["review"], seen["seal_error"]) == ([], None, None)
    assert seen["release"]["files"] == len(seen["files"])
    assert [file["path"] for file in editor.get(URL).json()["files"]] == ["morning.wav"]
