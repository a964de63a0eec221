"""Versions over HTTP: beginning one from the last, its pipeline, its seal, taking it back."""

import pytest
from commonhold.errors import CommonholdError
from commonhold.sentences import _

from ingestion import consent, releases
from ingestion.models import PipelineRun, Recording, StepRun, Version
from ingestion.pipeline import jobs
from ingestion.releases import SealRefused
from tests import factories, sealed
from tests.marketplace.api.callers import (
    agree,
    client,
    client_of,
    draft_of,
    follow,
    problem,
    publish,
    settle,
    source,
    under_review,
    wav,
)

pytestmark = pytest.mark.django_db
DATASET = "/api/v1/datasets/radio-valley/show"
URL = f"{DATASET}/versions/1"


def reviewed(dataset, editor) -> Version:
    """A version of which everything was heard, read and agreed to."""
    version, segment, finding = under_review(dataset)
    editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": "confirm"})
    agree(segment.recording)
    editor.post(f"/api/v1/segments/{segment.pk}/review", {})
    return version


# ---- the pipeline ----------------------------------------------------------------------------


def test_processing_starts_a_run_for_every_recording(dataset, editor, told_workers):
    version = draft_of(dataset)
    source(version, "one.wav")
    source(version, "two.wav", wav(2000))
    with told_workers() as told:
        answer = editor.post(f"{URL}/process")
    assert answer.status_code == 202
    found = answer.json()
    assert found["state"] == "processing"
    assert [(run["path"], run["state"]) for run in found["runs"]] == [
        ("one.wav", "pending"),
        ("two.wav", "pending"),
    ]
    names = [step["name"] for step in found["runs"][0]["steps"]]
    assert names == ["decode", "vad", "text", "detect", "redact", "strip", "quality"]
    assert told == [("run_pipeline_task", ())]


def test_a_draft_without_a_recording_has_nothing_to_process(dataset, editor):
    problem(editor.post(f"{URL}/process"), 409, "nothing-to-process")


def test_a_version_is_processed_once(dataset, editor):
    source(draft_of(dataset))
    editor.post(f"{URL}/process")
    problem(editor.post(f"{URL}/process"), 409, "version-closed", "being processed")


def test_a_version_tells_how_each_step_went(dataset, editor):
    version, _, _ = under_review(dataset)
    StepRun.objects.filter(name="quality").update(state="failed", error="No sound.")
    found = editor.get(URL).json()
    assert found["number"] == version.number
    assert found["review"] == {
        "open_findings": 1,
        "unreviewed_segments": 1,
        "uncovered_segments": 1,
        "unsettled_segments": 0,
    }
    run = found["runs"][0]
    assert (run["path"], run["phase"], run["error"]) == ("show.wav", "intake", "")
    steps = {step["name"]: step for step in run["steps"]}
    assert steps["decode"]["tool"] == "PyAV"
    assert steps["decode"]["started_at"].endswith("Z")
    assert steps["quality"]["error"] == "No sound."


def test_why_a_run_stopped_is_told_as_a_sentence(dataset, editor):
    source(draft_of(dataset))
    editor.post(f"{URL}/process")
    why = CommonholdError(_("«%(path)s» has no sound in it."), path="show.wav")
    run = jobs.claim(run_id=PipelineRun.objects.get().pk)
    jobs.fail(run=run, error=why)
    found = editor.get(URL).json()["runs"][0]
    assert (found["state"], found["error"]) == ("failed", "«show.wav» has no sound in it.")


def test_a_recording_says_what_it_is_in_every_version(dataset, editor):
    recording = source(draft_of(dataset))
    assert editor.get(URL).json()["files"] == [
        {
            "path": "show.wav",
            "kind": "audio",
            "size": recording.blob.size,
            "sha256": recording.blob_id,
            "state": "complete",
            "error": None,
            "recording": recording.pk,
            "language": "en",
            "duration_ms": 1000,
        }
    ]


def test_a_recording_has_its_own_language_where_it_differs(dataset, editor):
    recording = source(draft_of(dataset))
    url = f"{URL}/recordings/{recording.pk}"
    assert editor.patch(url, {"language": "Swahili"}).json()["language"] == "sw"
    assert editor.get(URL).json()["files"][0]["language"] == "sw"
    problem(editor.patch(url, {"language": "xx-bad"}), 422, "unknown-language", "xx-bad")
    assert editor.patch(url, {"language": ""}).json()["language"] == "en"


def test_the_language_of_a_recording_changes_in_a_draft_alone(dataset, editor):
    version = sealed.version(dataset)
    recording = version.files.get().recording
    draft_of(dataset)
    wish = {"language": "sw"}
    refused = editor.patch(f"{URL}/recordings/{recording.pk}", wish)
    problem(refused, 409, "version-closed", "version 1")
    changed = editor.patch(f"{DATASET}/versions/2/recordings/{recording.pk}", wish)
    assert changed.json()["language"] == "sw"


# ---- beginning the next ----------------------------------------------------------------------


def test_opening_a_version_twice_opens_one(dataset, editor):
    sealed.version(dataset)
    answers = [editor.post(f"{DATASET}/versions") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json() for answer in answers] == [{"number": 2, "state": "draft"}] * 2


def test_a_version_begins_with_what_the_last_one_held(dataset, editor):
    sealed.version(dataset)
    before = editor.get(URL).json()
    editor.post(f"{DATASET}/versions")
    draft = editor.get(f"{DATASET}/versions/2").json()
    assert draft["begun_from"] == 1
    assert draft["files"] == before["files"]
    assert set(draft["review"].values()) == {0}
    assert [run["state"] for run in draft["runs"]] == ["done", "done"]


def test_a_carried_over_version_has_nothing_to_process_and_seals_at_once(
    dataset, editor, told_workers
):
    sealed.version(dataset)
    editor.post(f"{DATASET}/versions")
    with told_workers() as told:
        started = editor.post(f"{DATASET}/versions/2/process").json()
    assert (started["state"], told) == ("review", [])
    with told_workers() as told:
        answer = editor.post(f"{DATASET}/versions/2/finish-review")
    second = dataset.versions.get(number=2)
    assert answer.status_code == 202, answer.json()
    assert told == [("seal_version_task", (second.pk,))]
    assert releases.seal(version=second).is_sealed


def test_only_what_is_new_is_processed(dataset, editor):
    sealed.version(dataset)
    editor.post(f"{DATASET}/versions")
    source(dataset.versions.get(number=2), "new.wav")
    draft = editor.get(f"{DATASET}/versions/2").json()
    assert draft["review"] is None
    started = editor.post(f"{DATASET}/versions/2/process").json()
    pending = [run["path"] for run in started["runs"] if run["state"] == "pending"]
    assert pending == ["new.wav"]


def test_a_version_begins_from_the_one_that_is_named(dataset, editor):
    sealed.version(dataset)
    sealed.version(dataset)
    assert editor.post(f"{DATASET}/versions", {"begin_from": 1}).status_code == 201
    draft = editor.get(f"{DATASET}/versions/3").json()
    assert (draft["begun_from"], len(draft["files"])) == (1, 1)
    again = editor.post(f"{DATASET}/versions", {"begin_from": 1})
    assert (again.status_code, again.json()["number"]) == (200, 3)
    other = editor.post(f"{DATASET}/versions", {"begin_from": 2})
    problem(other, 409, "carry-over-refused", "Version 3", "began otherwise")


def test_a_version_begins_without_the_speakers_who_are_named(dataset, editor):
    sealed.version(dataset)
    wish = {"without": ["p-0002"]}
    assert editor.post(f"{DATASET}/versions", wish).status_code == 201
    assert editor.get(f"{DATASET}/versions/2").json()["left_out"] == ["p-0002"]
    assert editor.post(f"{DATASET}/versions", wish).status_code == 200
    other = editor.post(f"{DATASET}/versions", {"without": ["p-0001"]})
    problem(other, 409, "carry-over-refused", "Version 2")


@pytest.mark.parametrize(
    ("wish", "code", "word"),
    [
        ({"begin_from": 7}, "no-such-version", "7"),
        ({"begin_from": 10**30}, "no-such-version", "version"),
        ({"begin_from": "first"}, "invalid-request", "begin_from"),
        ({"without": ["p-0009"]}, "speaker-unknown", "p-0009"),
        ({"without": ["Amina"]}, "speaker-unknown", "Amina"),
        ({"without": "p-0001"}, "invalid-request", "without"),
    ],
)
def test_a_version_that_cannot_begin_so_is_not_opened(dataset, editor, wish, code, word):
    sealed.version(dataset)
    problem(editor.post(f"{DATASET}/versions", wish), 422, code, word)
    assert dataset.versions.count() == 1


def test_no_version_begins_from_one_that_was_withdrawn(dataset, editor):
    sealed.version(dataset)
    editor.post(f"{URL}/withdraw", {"reason": "Asked back."})
    answer = editor.post(f"{DATASET}/versions", {"begin_from": 1})
    problem(answer, 409, "carry-over-refused", "Version 1 was withdrawn")
    assert dataset.versions.count() == 1


def test_a_version_that_is_open_is_discarded_with_what_it_alone_had(dataset, editor):
    sealed.version(dataset)
    editor.post(f"{DATASET}/versions")
    source(dataset.versions.get(number=2), "new.wav")
    assert editor.delete(f"{DATASET}/versions/2").status_code == 204
    problem(editor.get(f"{DATASET}/versions/2"), 404, "not-found")
    assert Recording.objects.count() == 1
    assert len(editor.get(URL).json()["files"]) == 1


def test_what_is_sealed_is_not_discarded(dataset, editor):
    sealed.version(dataset)
    problem(editor.delete(URL), 409, "version-closed", "Version 1")
    assert dataset.versions.get().is_sealed


# ---- the seal --------------------------------------------------------------------------------


def test_finishing_the_review_queues_what_applies_it(dataset, editor, told_workers):
    reviewed(dataset, editor)
    with told_workers() as told:
        answer = editor.post(f"{URL}/finish-review")
    assert answer.status_code == 202, answer.json()
    assert PipelineRun.objects.filter(phase="final").count() == 1
    assert told == [("run_pipeline_task", ())]


def test_why_a_version_was_not_sealed_is_told_to_its_contributors(dataset, editor):
    version = reviewed(dataset, editor)
    editor.post(f"{URL}/finish-review")
    consent.withdraw(record=dataset.consent_records.get(), by=dataset.created_by)
    sealed.finish_run(PipelineRun.objects.get(phase="final"))
    with pytest.raises(SealRefused):
        releases.seal(version=version)
    found = editor.get(URL).json()
    assert found["state"] == "review"
    assert "show.wav" in found["seal_error"]
    assert "consent" in found["seal_error"]
    buyer = client_of(dataset.organization, factories.member(dataset.organization, "buyer"))
    assert buyer.get(URL).json()["seal_error"] is None


def test_a_sealed_version_says_where_the_log_holds_it(dataset, editor):
    version = sealed.version(dataset)
    assert editor.get(URL).json()["release"]["log_index"] is None
    settle()
    version.seal.statement.entry.refresh_from_db()
    release = editor.get(URL).json()["release"]
    assert release["log_index"] == version.seal.statement.entry.index
    assert (release["root"], release["files"]) == (version.merkle_root, 6)


def test_a_stranger_sees_the_released_files_and_no_originals(dataset, editor):
    version = sealed.version(dataset)
    publish(version, dataset.created_by)
    recording = version.files.get().recording
    seen = client_of(factories.organization()).get(URL).json()
    assert recording.name not in str(seen)
    assert {"README.md", "metadata.jsonl"} < {file["path"] for file in seen["files"]}
    assert {file["kind"] for file in seen["files"]} == {"clip", "description"}
    assert (seen["runs"], seen["review"], seen["seal_error"]) == ([], None, None)
    assert seen["left_out"] == []
    assert seen["release"]["files"] == len(seen["files"])
    assert [file["path"] for file in editor.get(URL).json()["files"]] == [recording.name]


def test_a_version_is_shown_in_few_queries(dataset, editor, django_assert_max_num_queries):
    draft = draft_of(dataset)
    for _number in range(5):
        sealed.add(draft)
    sealed.seal(draft)
    editor.get(URL)
    with django_assert_max_num_queries(11):
        assert len(editor.get(URL).json()["runs"]) == 10


# ---- taking it back --------------------------------------------------------------------------


def test_a_version_that_is_withdrawn_is_neither_shown_nor_offered(dataset, editor, told_workers):
    offer = publish(sealed.version(dataset), dataset.created_by)
    with told_workers() as told:
        answer = editor.post(f"{URL}/withdraw", {"reason": "The archive asked for it back."})
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    assert told == [("follow_news_task", ())]
    follow()
    problem(client().get(URL), 404, "not-found")
    problem(client().get(DATASET), 404, "not-found")
    assert client().get("/api/v1/datasets").json()["count"] == 0
    found = editor.get(f"/api/v1/offers/{offer.pk}").json()
    assert (found["active"], found["closed_because"]) == (False, "version")
    told_of = editor.get(f"{DATASET}/history").json()["results"]
    assert "version.withdrawn" in {row["verb"] for row in told_of}


def test_a_version_is_withdrawn_once_and_for_a_reason(dataset, editor):
    sealed.version(dataset)
    problem(editor.post(f"{URL}/withdraw", {"reason": " "}), 422, "reason-missing", "why")
    problem(editor.post(f"{URL}/withdraw", {}), 422, "invalid-request", "reason")
    assert editor.post(f"{URL}/withdraw", {"reason": "Asked back."}).status_code == 200
    again = editor.post(f"{URL}/withdraw", {"reason": "Asked back."})
    problem(again, 409, "version-not-sealed", "Version 1")
