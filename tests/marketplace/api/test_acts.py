"""Acts on a version over HTTP: leaving speakers out, undoing, and the outlook before the seal."""

import pytest

from ingestion.models import File, Version
from tests import factories, sealed
from tests.marketplace.api.callers import (
    agree,
    client_of,
    draft_of,
    problem,
    source,
    under_review,
)

pytestmark = pytest.mark.django_db
DATASET = "/api/v1/datasets/radio-valley/show"
URL = f"{DATASET}/versions/1"
AMINA = (sealed.Said("Good morning from the valley."), sealed.Said("It is eight."))
JUMA = (sealed.Said("Thank you for calling, neighbor.", "Juma", duration_ms=2000),)
NARROW = ("research", "evaluation", "speech-recognition", "language-modeling")


def two_voices(dataset) -> Version:
    """A draft in which Amina agreed to everything, and Juma to nothing that is sold."""
    draft = draft_of(dataset)
    sealed.add(draft, said=AMINA, path="amina.wav")
    sealed.add(draft, said=JUMA, path="juma.wav", purposes=NARROW, excluded=("commercial",))
    return draft


def outlook(editor, number: int = 1) -> dict:
    """What sealing would do."""
    answer = editor.get(f"{DATASET}/versions/{number}/outlook")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def licenses(found: dict) -> dict[str, list[str]]:
    """Who stands in the way of which license."""
    return {one["profile"]: [row["speaker"] for row in one["blocks"]] for one in found["licenses"]}


# ---- the outlook -----------------------------------------------------------------------------


def test_the_outlook_says_what_would_be_sealed_and_who_is_heard_in_it(dataset, editor):
    two_voices(dataset)
    found = outlook(editor)
    assert (found["clips"], found["duration_ms"], found["without_consent"]) == (3, 8000, 0)
    shares = {
        one["speaker"]: (one["clips"], one["duration_ms"], one["left_out"])
        for one in found["speakers"]
    }
    assert shares == {"p-0001": (2, 6000, False), "p-0002": (1, 2000, False)}
    assert [len(one["records"]) for one in found["speakers"]] == [1, 1]
    assert found["differences"] is None
    assert "Amina" not in str(found)


def test_the_outlook_says_whom_each_license_excludes(dataset, editor):
    two_voices(dataset)
    found = outlook(editor)
    blocked = licenses(found)
    assert blocked["research-only"] == []
    assert blocked["commercial-training"] == ["p-0002"]
    columns = {one["profile"]: one for one in found["licenses"]}
    assert columns["research-only"]["possible"] is True
    assert columns["commercial-training"]["possible"] is False
    block = columns["commercial-training"]["blocks"][0]
    assert (block["purpose"], block["lack"]) == ("commercial", "excluded")
    assert (block["clips"], block["duration_ms"]) == (1, 2000)


def test_leaving_a_speaker_out_opens_the_licenses_that_they_excluded(dataset, editor):
    two_voices(dataset)
    left = editor.post(f"{URL}/left-out", {"speaker": "p-0002"})
    assert (left.status_code, left.json()["act"]) == (201, "leave-out-speaker")
    found = outlook(editor)
    assert (found["clips"], licenses(found)["commercial-training"]) == (2, [])
    juma = next(one for one in found["speakers"] if one["speaker"] == "p-0002")
    assert (juma["left_out"], juma["clips"]) == (True, 1)
    assert editor.get(URL).json()["left_out"] == ["p-0002"]


def test_the_outlook_tells_heard_from_unheard(dataset, editor):
    draft = two_voices(dataset)
    recording = File.objects.get(version=draft, recording__name="amina.wav").recording
    assert (outlook(editor)["heard_ms"], outlook(editor)["unheard_ms"]) == (0, 8000)
    editor.post(f"/api/v1/recordings/{recording.pk}/heard", {"ranges": [[0, 4000]]})
    assert (outlook(editor)["heard_ms"], outlook(editor)["unheard_ms"]) == (4000, 4000)


def test_the_outlook_tells_what_differs_from_the_version_before(dataset, editor):
    sealed.seal(two_voices(dataset))
    editor.post(f"{DATASET}/versions", {"without": ["p-0002"]})
    draft = dataset.versions.get(number=2)
    same = outlook(editor, 2)["differences"]
    assert (same["begun_from"], same["none"], same["left_out"]) == (1, False, ["p-0002"])
    source(draft, "new.wav")
    amina = draft.files.get(recording__name="amina.wav").recording
    assert editor.delete(f"{DATASET}/versions/2/recordings/{amina.pk}").status_code == 200
    record = agree(draft.files.get(recording__name="new.wav").recording, "Zuri")
    found = outlook(editor, 2)["differences"]
    assert (found["added"], found["removed"]) == (["new.wav"], ["amina.wav"])
    assert found["consents"] == [str(record.pk)]
    assert (found["reviewed"], found["brought_back"]) == ([], [])


def test_a_version_that_says_the_same_says_so(dataset, editor):
    sealed.seal(two_voices(dataset))
    editor.post(f"{DATASET}/versions")
    assert outlook(editor, 2)["differences"]["none"] is True


def test_what_is_sealed_has_no_outlook(dataset, editor):
    sealed.version(dataset)
    problem(editor.get(f"{URL}/outlook"), 409, "version-closed", "Version 1 is sealed")


def test_a_stretch_that_nobody_agreed_to_is_counted(dataset, editor):
    under_review(dataset)
    assert outlook(editor)["without_consent"] == 1
    done = editor.post(f"{URL}/leave-out-uncovered")
    assert done.json() == {"segments": 1}
    assert outlook(editor)["clips"] == 0


# ---- who is left out -------------------------------------------------------------------------


def left_out(editor) -> list[str]:
    """Who is left out."""
    return [one["speaker"] for one in editor.get(f"{URL}/left-out").json()["results"]]


def test_a_speaker_is_left_out_and_brought_back(dataset, editor):
    two_voices(dataset)
    editor.post(f"{URL}/left-out", {"speaker": "p-0002"})
    editor.post(f"{URL}/left-out", {"speaker": "p-0002"})
    assert left_out(editor) == ["p-0002"]
    row = editor.get(f"{URL}/left-out").json()["results"][0]
    assert row["by"] == dataset.created_by.email
    back = editor.delete(f"{URL}/left-out/p-0002")
    assert (back.status_code, back.json()["act"]) == (200, "bring-back-speaker")
    assert left_out(editor) == []


def test_who_is_no_speaker_of_the_dataset_is_not_left_out(station, dataset, editor):
    two_voices(dataset)
    sealed.version(sealed.dataset(station, slug="other"))
    answer = editor.post(f"{URL}/left-out", {"speaker": "p-0003"})
    problem(answer, 422, "speaker-unknown", "p-0003")
    problem(editor.post(f"{URL}/left-out", {}), 422, "invalid-request", "speaker")
    problem(editor.delete(f"{URL}/left-out/p-0003"), 404, "not-found")
    assert left_out(editor) == []


def test_not_everybody_can_be_left_out(dataset, editor):
    version = two_voices(dataset)
    Version.objects.filter(pk=version.pk).update(state=Version.State.REVIEW)
    assert editor.post(f"{URL}/left-out", {"speaker": "p-0001"}).status_code == 201
    answer = editor.post(f"{URL}/left-out", {"speaker": "p-0002"})
    problem(answer, 409, "nobody-left", "p-0002", "Discard the version")
    assert left_out(editor) == ["p-0001"]


def test_nobody_is_left_out_of_what_is_sealed(dataset, editor):
    sealed.seal(two_voices(dataset))
    answer = editor.post(f"{URL}/left-out", {"speaker": "p-0001"})
    problem(answer, 409, "not-in-review", "Version 1")


# ---- undoing ---------------------------------------------------------------------------------


def test_the_last_act_is_taken_back(dataset, editor):
    _, segment, finding = under_review(dataset)
    editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": "reject"})
    editor.post(f"/api/v1/segments/{segment.pk}/review", {"excluded": True})
    undone = editor.post(f"{URL}/undo").json()
    assert (undone["act"], undone["path"], undone["undone"]) == ("leave-out", "show.wav", True)
    assert editor.get(f"{URL}/segments").json()["results"][0]["excluded"] is False
    assert editor.post(f"{URL}/undo", {}).json()["act"] == "decide"
    assert editor.get(f"{URL}/findings").json()["results"][0]["state"] == "open"
    problem(editor.post(f"{URL}/undo"), 409, "undo-refused", "nothing")


def test_an_act_is_taken_back_by_its_number(dataset, editor):
    two_voices(dataset)
    first = editor.post(f"{URL}/left-out", {"speaker": "p-0002"}).json()
    undone = editor.post(f"{URL}/undo", {"decision": first["id"]})
    assert (undone.json()["id"], undone.json()["undone"]) == (first["id"], True)
    assert left_out(editor) == []
    again = editor.post(f"{URL}/undo", {"decision": first["id"]})
    problem(again, 409, "undo-refused", "undone already")


def test_what_somebody_built_upon_is_not_taken_back(dataset, editor):
    _, _, finding = under_review(dataset)
    url = f"/api/v1/findings/{finding.pk}/decision"
    editor.post(url, {"decision": "reject"})
    first = editor.get(f"{URL}/decisions").json()["results"][0]
    editor.post(url, {"decision": "confirm"})
    answer = editor.post(f"{URL}/undo", {"decision": first["id"]})
    problem(answer, 409, "undo-refused", "changed again")
    assert editor.get(f"{URL}/findings").json()["results"][0]["state"] == "confirmed"


def test_ones_own_last_act_is_taken_back_not_a_colleagues(station, dataset, editor):
    two_voices(dataset)
    colleague = client_of(station, factories.member(station))
    editor.post(f"{URL}/left-out", {"speaker": "p-0002"})
    problem(colleague.post(f"{URL}/undo"), 409, "undo-refused", "nothing")
    assert left_out(editor) == ["p-0002"]


def test_the_acts_of_another_version_are_not_there(dataset, editor):
    sealed.seal(two_voices(dataset))
    editor.post(f"{DATASET}/versions")
    left = editor.post(f"{DATASET}/versions/2/left-out", {"speaker": "p-0002"}).json()
    problem(editor.post(f"{URL}/undo", {"decision": left["id"]}), 409, "undo-refused", "nothing")


def test_a_recording_is_taken_out_and_put_back_with_all_that_was_made_of_it(dataset, editor):
    version = two_voices(dataset)
    place = version.files.get(recording__name="juma.wav")
    url = f"{URL}/recordings/{place.recording_id}"
    removed = editor.delete(url).json()
    assert (removed["act"], removed["path"]) == ("remove", "juma.wav")
    assert outlook(editor)["clips"] == 2
    problem(editor.delete(url), 404, "not-found")
    assert editor.post(f"{URL}/undo").json()["id"] == removed["id"]
    assert outlook(editor)["clips"] == 3


def test_a_recording_stays_in_what_is_sealed(dataset, editor):
    version = sealed.seal(two_voices(dataset))
    place = version.files.first()
    answer = editor.delete(f"{URL}/recordings/{place.recording_id}")
    problem(answer, 409, "version-closed", "Version 1")
    assert version.files.count() == 2


def test_the_acts_are_listed_the_newest_first_and_say_what_was_undone(dataset, editor):
    two_voices(dataset)
    editor.post(f"{URL}/left-out", {"speaker": "p-0002"})
    editor.post(f"{URL}/undo")
    editor.post(f"{URL}/left-out", {"speaker": "p-0001"})
    found = editor.get(f"{URL}/decisions").json()["results"]
    assert [(one["act"], one["undone"]) for one in found] == [
        ("leave-out-speaker", False),
        ("leave-out-speaker", True),
    ]
    assert {one["by"] for one in found} == {dataset.created_by.email}
