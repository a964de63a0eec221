"""Downloads: what a license opens, byte for byte, as long as it and the consents stand."""

import hashlib
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from commonhold import index
from commonhold.report import State
from commonhold.verify import verify
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role
from ingestion import consent
from ingestion.archive.storage import blob_store
from ingestion.models import Blob, ConsentRecord
from licensing import grants
from licensing.models import AccessRecord, GrantPaper
from notary.models import StatusList
from tests import factories, sealed
from tests.marketplace.api.callers import buy, client_of, problem, publish, settle

pytestmark = pytest.mark.django_db
LAYOUT = {
    "README.md",
    "LICENSE.txt",
    "metadata.jsonl",
    "croissant.json",
    "files.jsonl",
    "manifest.dsse.json",
    "manifest.sigstore.json",
    "manifest.tlog-proof",
    "consent-status.jwt",
    "trusted_root.json",
}


@pytest.fixture
def station():
    return factories.organization("Radio Valley")


@pytest.fixture
def lab():
    return factories.organization("Speech Lab")


@pytest.fixture
def offer(station):
    version = sealed.version(sealed.dataset(station, slug="morning"))
    return publish(version, factories.owner_of(station))


@pytest.fixture
def grant(offer, lab):
    return buy(offer, lab).grant


@pytest.fixture
def trainer(lab):
    return client_of(lab)


def listing(by, grant) -> dict:
    """What is to be downloaded."""
    answer = by.get(f"/api/v1/grants/{grant.pk}/release")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def fetch(url: str, **headers: str):
    """GET a file as any HTTP client would: no key."""
    return APIClient().get(url, headers=headers)


def body(answer) -> bytes:
    """The bytes of an answer."""
    return b"".join(answer.streaming_content)


def clip(by, grant) -> dict:
    """A recording of the release."""
    return next(file for file in listing(by, grant)["files"] if file["path"].endswith(".flac"))


def test_a_license_opens_every_file_of_the_layout(trainer, grant):
    found = listing(trainer, grant)
    assert (found["grant"], found["dataset"]) == (str(grant.pk), "radio-valley/morning")
    paths = {file["path"] for file in found["files"]}
    assert {path for path in paths if not path.startswith("audio/")} == LAYOUT
    assert len(paths) == len(LAYOUT) + 4


def test_every_file_is_what_the_listing_says(trainer, grant):
    for file in listing(trainer, grant)["files"]:
        answer = fetch(file["url"])
        data = body(answer)
        assert answer.status_code == 200
        assert len(data) == file["size"] == int(answer["Content-Length"])
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        assert answer["ETag"] == f'"{file["sha256"]}"'
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_what_was_downloaded_verifies_offline(trainer, grant, tmp_path):
    for file in listing(trainer, grant)["files"]:
        path = tmp_path / Path(file["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body(fetch(file["url"])))
    report = verify(tmp_path, trust=tmp_path / "trusted_root.json")
    states = {name: check.state for name, check in report.vector.items()}
    # Offline nobody can ask whether the license was revoked.
    assert states.pop("license") is State.UNKNOWN
    assert states == dict.fromkeys(("signature", "logged", "files", "consent"), State.OK)
    with (tmp_path / "files.jsonl").open("rb") as lines:
        assert len(list(index.parse(lines))) == 6


def test_a_listing_stays_true_while_the_log_and_the_status_list_move_on(trainer, offer, grant):
    files = {file["path"]: file for file in listing(trainer, grant)["files"]}
    buy(offer, factories.organization("Other Lab"))
    for name in ("manifest.tlog-proof", "manifest.sigstore.json", "consent-status.jwt"):
        assert hashlib.sha256(body(fetch(files[name]["url"]))).hexdigest() == files[name]["sha256"]


def test_two_looks_at_a_release_leave_nothing_new_behind(trainer, grant):
    def left_behind() -> tuple[int, int, int]:
        stored = [path for path in blob_store().root.rglob("*") if path.is_file()]
        return len(stored), Blob.objects.count(), GrantPaper.objects.count()

    first, before = listing(trainer, grant), left_behind()
    again = listing(trainer, grant)
    assert left_behind() == before
    assert [file["sha256"] for file in again["files"]] == [
        file["sha256"] for file in first["files"]
    ]
    assert GrantPaper.objects.count() == 4


def test_a_look_at_a_release_stores_no_bytes(trainer, grant):
    stored = sorted(blob_store().root.rglob("*"))
    listing(trainer, grant)
    assert sorted(blob_store().root.rglob("*")) == stored


def test_a_paper_that_was_listed_is_fetched_though_a_newer_one_was_made(trainer, grant):
    old = {file["path"]: file for file in listing(trainer, grant)["files"]}["consent-status.jwt"]
    StatusList.objects.update(signed_at=timezone.now() - timedelta(hours=1))
    new = {file["path"]: file for file in listing(trainer, grant)["files"]}["consent-status.jwt"]
    assert new["sha256"] != old["sha256"]
    for file in (old, new):
        assert hashlib.sha256(body(fetch(file["url"]))).hexdigest() == file["sha256"]


def test_a_paper_that_nobody_keeps_any_more_is_not_there(trainer, grant):
    listed = {file["path"]: file for file in listing(trainer, grant)["files"]}
    GrantPaper.objects.all().delete()
    problem(fetch(listed["manifest.tlog-proof"]["url"]), 404, "not-found")
    assert fetch(listed["LICENSE.txt"]["url"]).status_code == 200


def test_a_download_goes_on_where_it_stopped(trainer, grant):
    file = clip(trainer, grant)
    first = fetch(file["url"], Range="bytes=0-999")
    rest = fetch(file["url"], Range="bytes=1000-", **{"If-Range": first["ETag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest["Content-Range"] == f"bytes 1000-{file['size'] - 1}/{file['size']}"
    assert hashlib.sha256(body(first) + body(rest)).hexdigest() == file["sha256"]


def test_a_range_past_the_end_is_refused(trainer, grant):
    file = clip(trainer, grant)
    answer = fetch(file["url"], Range=f"bytes={file['size']}-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{file['size']}"


def test_head_tells_size_and_digest(trainer, grant):
    file = clip(trainer, grant)
    answer = APIClient().head(file["url"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Content-Length"] == str(file["size"])
    assert answer["ETag"] == f'"{file["sha256"]}"'


def test_who_took_a_release_is_written_down(trainer, grant, lab):
    listing(trainer, grant)
    record = AccessRecord.objects.get()
    assert (record.grant_id, record.dataset, record.licensee) == (
        grant.pk,
        "radio-valley/morning",
        "speech-lab",
    )
    assert record.by == f"{factories.owner_of(lab).email} with the key «test key»"


# ---- what stops a download -------------------------------------------------------------------


def test_a_withdrawn_consent_stops_the_next_download(trainer, grant):
    file = clip(trainer, grant)
    assert body(fetch(file["url"]))
    consent.withdraw(record=ConsentRecord.objects.first(), by=factories.user())
    problem(fetch(file["url"]), 403, "consent-not-in-force", "radio-valley/morning", "withdrew")
    refused = trainer.get(f"/api/v1/grants/{grant.pk}/release")
    problem(refused, 403, "consent-not-in-force", "withdrew consent")


def test_a_purpose_taken_back_stops_the_licenses_that_allow_it(station, lab, trainer):
    version = sealed.version(sealed.dataset(station, slug="morning"))
    owner = factories.owner_of(station)
    sold = buy(publish(version, owner), lab).grant
    studied = buy(publish(version, owner, "research-only", amount_minor=0), lab).grant
    record = ConsentRecord.objects.first()
    consent.withdraw_purposes(record=record, purposes=["commercial"], by=owner)
    problem(trainer.get(f"/api/v1/grants/{sold.pk}/release"), 403, "consent-not-in-force")
    assert trainer.get(f"/api/v1/grants/{studied.pk}/release").status_code == 200


def test_a_version_that_was_withdrawn_stops_the_next_download(trainer, grant, station):
    file = clip(trainer, grant)
    client_of(station).post(
        "/api/v1/datasets/radio-valley/morning/versions/1/withdraw", {"reason": "Asked back."}
    )
    problem(fetch(file["url"]), 403, "version-withdrawn", "radio-valley/morning")


def test_a_revoked_license_stops_the_next_download(trainer, grant, station):
    file = clip(trainer, grant)
    grants.revoke(grant=grant, by=factories.owner_of(station))
    problem(fetch(file["url"]), 403, "license-not-in-force", "revoked")
    assert trainer.get(f"/api/v1/grants/{grant.pk}").json()["state"] == "revoked"


def test_a_license_that_ended_stops_the_next_download(station, lab, trainer, monkeypatch):
    version = sealed.version(sealed.dataset(station, slug="morning"))
    editor = client_of(station)
    price = {"amount_minor": 0, "currency": "EUR"}
    asked = {"profile": "research-only", "price": price, "term_days": 1}
    made = editor.post("/api/v1/datasets/radio-valley/morning/offers", asked).json()
    grant = buy(version.offers.get(pk=made["id"]), lab).grant
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    answer = trainer.get(f"/api/v1/grants/{grant.pk}/release")
    problem(answer, 403, "license-not-in-force", "ended on")


def test_the_address_of_a_file_is_good_for_that_file_alone(trainer, grant):
    first, second = [
        file for file in listing(trainer, grant)["files"] if file["path"].endswith(".flac")
    ][:2]
    query = urlsplit(first["url"]).query
    problem(fetch(f"{second['url'].partition('?')[0]}?{query}"), 403, "link-invalid")
    problem(fetch(first["url"].replace(first["sha256"], second["sha256"])), 403, "link-invalid")


def test_the_address_of_a_file_is_good_for_that_license_alone(trainer, offer, grant):
    other = buy(offer, factories.organization("Other Lab")).grant
    url = clip(trainer, grant)["url"]
    problem(fetch(url.replace(str(grant.pk), str(other.pk))), 403, "link-invalid")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_address_of_a_file_is_good_for_reading_alone(trainer, grant, method):
    assert getattr(APIClient(), method)(clip(trainer, grant)["url"]).status_code == 405


def test_the_address_of_a_file_ends(trainer, grant, monkeypatch):
    url = clip(trainer, grant)["url"]
    monkeypatch.setattr("marketplace.http.links.time.time", lambda: 4_000_000_000)
    problem(fetch(url), 403, "link-invalid", "over")


def test_a_key_does_not_replace_the_address(trainer, grant):
    problem(trainer.get(clip(trainer, grant)["url"].partition("?")[0]), 403, "link-invalid")


def test_an_editor_sees_a_license_and_does_not_use_it(lab, grant):
    editor = client_of(lab, factories.member(lab, Role.EDITOR))
    assert editor.get(f"/api/v1/grants/{grant.pk}").status_code == 200
    problem(
        editor.get(f"/api/v1/grants/{grant.pk}/release"), 403, "permission-denied", "Speech Lab"
    )


def test_a_license_says_what_it_is_and_whether_it_stands(trainer, grant):
    found = trainer.get(f"/api/v1/grants/{grant.pk}").json()
    assert (found["dataset"], found["version"]) == ("radio-valley/morning", 1)
    assert found["license"]["name"] == "Commercial training"
    assert (found["state"], found["consent_state"], found["test"]) == ("in-force", "given", True)
    assert found["url"].endswith(f"/api/v1/grants/{grant.pk}/release")
    assert found["log_index"] is None
    settle()
    assert trainer.get(f"/api/v1/grants/{grant.pk}").json()["log_index"] == 1
    consent.withdraw(record=ConsentRecord.objects.first(), by=factories.user())
    assert trainer.get("/api/v1/grants").json()["results"][0]["consent_state"] == "withdrawn"
