"""What is signed about a release: identifiers that outlive addresses, and nobody's name."""

import base64
import json

import pytest
from commonhold import manifest, statuslist
from commonhold.signing import envelope_from
from django.conf import settings as configured

from ingestion import consent, releases, review
from ingestion.models import ConsentRecord, PipelineRun, Redaction, Segment, StepRun
from notary import instance, keys, status
from tests import factories, sealed

pytestmark = pytest.mark.django_db


def signed(version):
    """The statement that a sealed version is published with."""
    return manifest.read(envelope_from(version.seal.statement.envelope).payload)


def test_a_logged_release_names_nobody():
    version = sealed.version()
    body = json.loads(bytes(version.seal.statement.entry.body))
    assert set(body) == {"apiVersion", "kind", "spec"}
    text = (
        bytes(version.seal.statement.entry.body).decode()
        + base64.b64decode(version.seal.statement.envelope["payload"]).decode()
    )
    for personal in ("Amina", "Juma", "amina@example.org", "morning.wav", "five five five"):
        assert personal not in text


def test_a_release_is_known_by_names_that_hold_no_address(settings):
    version = sealed.version()
    release = signed(version)["predicate"]["release"]
    assert release["id"] == instance.urn("dataset", version.dataset_id, "version", 1)
    assert release["dataset"] == instance.urn("dataset", version.dataset_id)
    assert release["instance"] == f"urn:uuid:{instance.instance_id()}"
    assert release["name"] == str(version.dataset)
    settings.SITE_URL = "https://elsewhere.example"
    second = sealed.version(version.dataset)
    release = signed(second)["predicate"]["release"]
    assert release["supersedes"] == instance.urn("dataset", version.dataset_id, "version", 1)
    assert release["dataset"] == instance.urn("dataset", version.dataset_id)


def test_each_consent_names_its_list_and_its_place():
    version = sealed.version()
    for row in signed(version)["predicate"]["release"]["consent"]["records"]:
        record = ConsentRecord.objects.get(commitment=row["commitment"].removeprefix("sha256:"))
        place = status.place_of(name="consent", index=record.status_index)
        assert row["statusList"] == {"uri": place.uri, "idx": place.position}
        assert row["statusList"]["uri"].startswith(f"{configured.SITE_URL}/status/consent/")
        assert row["state"] == "dpv:ConsentGiven"


def test_what_nobody_played_is_said_to_be_unheard():
    version = sealed.version()
    assert signed(version)["predicate"]["release"]["review"] == {
        "heardMs": 0,
        "unheardMs": version.quality["clips_ms"],
    }


def reaching_into_the_next(run: PipelineRun) -> None:
    """Let the bar at the end of the second clip go on in the third, as its pad does."""
    sealed.finish_run(run)
    step = run.steps.get(name="redact")
    step.output["clips"][2]["bars"] = [[0, 200, "phone"]]
    StepRun.objects.filter(pk=step.pk).update(output=step.output)


def test_what_reaches_into_two_clips_is_counted_once():
    draft = sealed.dataset().versions.get()
    recording, by = sealed.add(draft), factories.owner_of(draft.dataset.organization)
    Segment.objects.create(
        recording=recording, run=recording.intake, position=9, start_ms=2900, end_ms=3100,
        unwritten=True, needs_review=True, excluded=True,
    )  # fmt: skip
    for run in review.finish(version=draft, by=by):
        reaching_into_the_next(run)
    version = releases.seal(version=draft)
    told = {name: version.quality[name] for name in ("redactions_by_kind", "unwritten")}
    assert told == {"redactions_by_kind": {"phone": 1}, "unwritten": 1}
    bars = Redaction.objects.order_by("file__position").values_list("kind", "replacement")
    assert list(bars) == [("phone", "[PHONE]"), ("phone", "")]


def test_the_attestation_names_the_files_that_a_license_repeats():
    version = sealed.version()
    rows = version.release_files.values_list("path", "blob_id")
    subjects = {one["name"]: one["digest"]["sha256"] for one in signed(version)["subject"]}
    assert subjects.items() >= dict(rows).items()


def listed(record: ConsentRecord) -> int:
    """The status of a consent as it is published."""
    place = status.place_of(name="consent", index=record.status_index)
    token = status.token_at(uri=place.uri).decode()
    found = statuslist.check_status_list(token, [keys.signer("status").public])
    return found.status(place.position)


def test_a_withdrawal_is_published_once():
    dataset = sealed.version().dataset
    record = ConsentRecord.objects.filter(dataset=dataset)[0]
    by = factories.owner_of(dataset.organization)
    consent.withdraw(record=record, by=by)
    with pytest.raises(consent.ConsentEnded):
        consent.withdraw(record=record, by=by)
    status.publish()
    assert listed(record) == statuslist.WITHDRAWN
    assert sum(change.changes.count() for change in status.lists()) == 1
