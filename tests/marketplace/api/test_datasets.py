"""Datasets over HTTP: who sees what of one, changing what it says, deleting it, its history."""

import pytest

from accounts.models import AuditEntry
from ingestion.models import Dataset, Recording
from licensing import grants
from tests import factories, sealed
from tests.marketplace.api.callers import (
    agree,
    buy,
    client,
    client_of,
    draft_of,
    follow,
    problem,
    publish,
    source,
    under_review,
)

pytestmark = pytest.mark.django_db
NEW = {"slug": "show", "title": "Show", "language": "sw", "task": "speech-recognition"}
URL = "/api/v1/datasets/radio-valley/show"
OPEN = sorted(sealed.OPEN)


def test_a_dataset_is_made_with_a_draft(editor):
    made = editor.post("/api/v1/datasets", NEW).json()
    assert (made["organization"]["slug"], made["slug"]) == ("radio-valley", "show")
    assert made["versions"] == [
        {
            "number": 1,
            "state": "draft",
            "sealed_at": None,
            "root": "",
            "begun_from": None,
            "offered": False,
            "consent_state": None,
        }
    ]
    assert (made["version"], made["state"], made["offers"]) == (1, "draft", [])
    assert made["consent"]["state"] == "none"


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"slug": "Big Show"}, "invalid-dataset", "short name"),
        ({"slug": "a" * 81}, "invalid-dataset", "short name"),
        ({"slug": "-"}, "invalid-dataset", "short name"),
        ({"title": "x" * 161}, "invalid-dataset", "title"),
        ({"language": "xx-bad"}, "unknown-language", "xx-bad"),
        ({"task": "cooking"}, "invalid-dataset", "speech-recognition"),
    ],
)
def test_a_dataset_that_cannot_stand_is_not_made(editor, change, code, word):
    problem(editor.post("/api/v1/datasets", NEW | change), 422, code, word)
    assert not Dataset.objects.exists()


def test_a_second_dataset_of_one_name_is_refused(editor):
    editor.post("/api/v1/datasets", NEW)
    problem(editor.post("/api/v1/datasets", NEW), 409, "dataset-exists", "show")
    assert Dataset.objects.count() == 1


def test_a_language_may_be_named_and_is_kept_by_its_tag(editor):
    assert editor.post("/api/v1/datasets", NEW | {"language": "Swahili"}).json()["language"] == "sw"


# ---- who sees what ---------------------------------------------------------------------------


def states(by) -> list[tuple[int, str, bool]]:
    """The versions that somebody sees: number, state, and whether they were offered."""
    versions = by.get(URL).json()["versions"]
    return [(one["number"], one["state"], one["offered"]) for one in versions]


def test_a_sealed_version_is_unlisted_until_it_is_offered(dataset, editor):
    version = sealed.version(dataset)
    problem(client().get(URL), 404, "not-found")
    problem(client().get(f"{URL}/versions/1"), 404, "not-found")
    assert client().get("/api/v1/datasets").json()["count"] == 0
    assert states(editor) == [(1, "sealed", False)]
    publish(version, dataset.created_by)
    assert states(client()) == [(1, "sealed", True)]
    assert client().get(f"{URL}/versions/1").status_code == 200
    assert client().get("/api/v1/datasets").json()["count"] == 1


def test_a_stranger_sees_offered_versions_alone(dataset, editor):
    publish(sealed.version(dataset), dataset.created_by)
    sealed.version(dataset)
    editor.post(f"{URL}/versions")
    assert states(client()) == [(1, "sealed", True)]
    assert states(editor) == [(3, "draft", False), (2, "sealed", False), (1, "sealed", True)]
    problem(client().get(f"{URL}/versions/2"), 404, "not-found")
    seen, own = client().get(URL).json(), editor.get(URL).json()
    assert seen["version"] == own["version"] == 1
    assert [one["begun_from"] for one in own["versions"]] == [2, 1, None]


def test_a_dataset_stays_listed_once_it_was_offered(dataset, editor):
    offer = publish(sealed.version(dataset), dataset.created_by)
    editor.delete(f"/api/v1/offers/{offer.pk}")
    follow()
    seen = client().get(URL).json()
    assert (seen["version"], seen["offers"], seen["allows"]) == (1, [], [])
    assert client().get("/api/v1/datasets").json()["count"] == 1


def test_what_people_consented_to_is_told_without_their_names(dataset):
    publish(sealed.version(dataset), dataset.created_by)
    seen = client().get(URL).json()
    assert seen["consent"] == {
        "speakers": 2,
        "records": 2,
        "allows": OPEN,
        "excludes": ["voice-cloning"],
        "state": "given",
    }
    assert "Amina" not in str(seen)


def test_a_withdrawal_shows_in_the_dataset_and_its_versions(dataset, editor):
    publish(sealed.version(dataset), dataset.created_by)
    assert editor.post(f"{URL}/speakers/p-0001/withdraw").status_code == 200
    follow()
    seen = client().get(URL).json()
    assert (seen["consent"]["state"], seen["offers"]) == ("withdrawn", [])
    assert seen["versions"][0]["consent_state"] == "withdrawn"


def test_a_purpose_that_one_speaker_took_back_is_allowed_no_more(dataset, editor):
    publish(sealed.version(dataset), dataset.created_by)
    record = editor.get(f"{URL}/consent").json()["results"][0]["id"]
    editor.post(f"{URL}/consent/{record}/withdraw", {"purposes": ["commercial"]})
    found = client().get(URL).json()["consent"]
    assert found["allows"] == [name for name in OPEN if name != "commercial"]
    assert found["state"] == "given"


def test_the_consent_of_a_draft_is_that_of_its_recordings(dataset, editor):
    agree(source(draft_of(dataset)), "Amina", ("research", "evaluation"))
    found = editor.get(URL).json()["consent"]
    assert (found["state"], found["speakers"]) == ("given", 1)
    assert found["allows"] == ["evaluation", "research"]


# ---- changing and deleting -------------------------------------------------------------------


def test_what_a_dataset_says_can_be_changed_before_the_seal(dataset, editor):
    wish = {
        "title": "Evening show",
        "description": "After dark.",
        "card": "# Evening",
        "language": "swahili",
        "task": "language-modeling",
    }
    changed = editor.patch(URL, wish).json()
    assert {name: changed[name] for name in wish} == wish | {"language": "sw"}
    assert editor.patch(URL, {}).json() == changed
    assert editor.patch(URL, {"title": "Night"}).json()["card"] == "# Evening"


def test_after_the_seal_the_texts_change_and_the_language_does_not(dataset, editor):
    publish(sealed.version(dataset), dataset.created_by)
    editor.patch(URL, {"title": "Renamed", "description": "Said anew."})
    follow()
    listed = client().get("/api/v1/datasets?q=renamed").json()["results"][0]
    assert (listed["title"], listed["description"]) == ("Renamed", "Said anew.")
    problem(editor.patch(URL, {"language": "sw"}), 409, "version-closed", "Begin the next version")
    assert client().get(URL).json()["language"] == "en"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "x" * 161}, "invalid-dataset"),
        ({"title": ""}, "invalid-request"),
        ({"task": ""}, "invalid-request"),
        ({"task": "cooking"}, "invalid-dataset"),
        ({"language": "xx-bad"}, "unknown-language"),
        ({"card": "x" * 50_001}, "invalid-dataset"),
        ({"title": {"en": "Show"}}, "invalid-request"),
    ],
)
def test_a_change_that_cannot_stand_changes_nothing(dataset, editor, change, code):
    before = editor.get(URL).json()
    problem(editor.patch(URL, change | {"description": "New"}), 422, code)
    assert editor.get(URL).json() == before


def test_whoever_changes_the_texts_asks_for_the_news_to_be_followed(dataset, editor, told_workers):
    with told_workers() as told:
        editor.patch(URL, {"title": "Renamed"})
    assert told == [("follow_news_task", ())]


def test_a_dataset_of_which_nothing_was_sealed_is_deleted_with_all_that_is_in_it(dataset, editor):
    _, segment, _ = under_review(dataset)
    agree(segment.recording)
    assert editor.delete(URL).status_code == 204
    problem(editor.get(URL), 404, "not-found")
    assert not Dataset.objects.exists()
    assert not Recording.objects.exists()


def test_a_dataset_of_which_something_was_sealed_is_not_deleted(dataset, editor):
    sealed.version(dataset)
    problem(editor.delete(URL), 409, "dataset-published", "radio-valley/show", "withdrawn")
    assert Dataset.objects.get() == dataset


# ---- history ---------------------------------------------------------------------------------


def history(by) -> list[dict]:
    """What was done, the oldest first."""
    return by.get(f"{URL}/history?page_size=200").json()["results"][::-1]


def test_the_history_says_who_did_what_with_which_key(dataset, editor):
    editor.patch(URL, {"title": "Renamed"})
    source(draft_of(dataset))
    found = history(editor)
    verbs = ["dataset.created", "version.opened", "dataset.edited", "recording.added"]
    assert [row["verb"] for row in found] == verbs
    owner = factories.owner_of(dataset.organization).email
    assert [row["actor"] for row in found] == [
        owner,
        owner,
        f"{owner} with the key «test key»",
        owner,
    ]
    assert found[2]["copies"]["before"] == {"title": "Morning show"}
    assert f"dataset:{dataset.pk}" in found[2]["about"]


def test_the_history_outlives_what_it_tells_of(dataset, editor):
    _, segment, _ = under_review(dataset)
    path = f"{URL}/versions/1/recordings/{segment.recording_id}"
    assert editor.delete(path).status_code == 200
    assert editor.delete(f"{URL}/versions/1").status_code == 204
    assert [row["verb"] for row in history(editor)][-2:] == [
        "recording.removed",
        "version.discarded",
    ]


def test_the_history_names_no_speaker_and_no_person_who_buys(dataset, editor):
    lab = factories.organization("Speech Lab")
    offer = publish(sealed.version(dataset), dataset.created_by)
    grant = buy(offer, lab).grant
    grants.revoke(grant=grant, by=dataset.created_by)
    found = history(editor)
    told = {row["verb"]: row for row in found}
    assert "order.placed" not in told
    assert told["grant.issued"]["actor"] == "Speech Lab"
    assert told["grant.revoked"]["actor"] == dataset.created_by.email
    assert factories.owner_of(lab).email not in str(found)
    assert "Amina" not in str(found)
    assert "p-0001" in str(found)


def test_the_history_of_one_dataset_is_not_that_of_another(station, dataset, editor):
    sealed.dataset(station, slug="other")
    assert {row["copies"].get("dataset") for row in history(editor)} <= {None, str(dataset)}
    assert AuditEntry.objects.filter(copies__dataset="radio-valley/other").exists()


def test_the_history_is_for_contributors_alone(dataset):
    publish(sealed.version(dataset), dataset.created_by)
    stranger = client_of(factories.organization())
    problem(stranger.get(f"{URL}/history"), 403, "permission-denied", "owners and editors")
