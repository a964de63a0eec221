"""Every word of the studio can be told in another language."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from ingestion.models import ConsentRecord, Dataset, Version
from licensing.profiles import CATALOGUE
from marketplace import money
from tests import factories, sealed, trade
from tests.foreign import ABOUT, TITLE, faults, signed_in
from tests.marketplace.pages.studio import stages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_language")]

TABS = ("", "history/", "edit/", "files/", "pipeline/", "review/", "seal/", "offers/", "consent/")
SAID = sealed.MORNING[1].finding
NAMES = {"morning.wav", "long.wav", "Amina"}
CODES = {*money.CURRENCIES, *(one.spdx for one in CATALOGUE)}


def titled() -> Dataset:
    return sealed.dataset(title=TITLE, description=ABOUT)


def at(dataset: Dataset) -> str:
    """Where the studio shows a dataset."""
    return f"/studio/{dataset.organization.slug}/{dataset.slug}/"


def owner(dataset: Dataset) -> Client:
    return signed_in(factories.owner_of(dataset.organization))


def tabs(version: Version, *more: str) -> list[HttpResponse]:
    """Every tab of a dataset whose newest version is this one, as its owner reads them."""
    reader, address = owner(version.dataset), at(version.dataset)
    return [reader.get("/studio/"), *(reader.get(address + path) for path in (*TABS, *more))]


def test_an_empty_studio_is_told_in_the_readers_language():
    station = factories.organization("Radio Unu")
    reader = signed_in(factories.owner_of(station))
    answers = [
        reader.get("/studio/"),
        reader.get("/studio/new/"),
        reader.post("/studio/new/", {"title": "…", "language": "nothing"}),
        reader.get("/studio/earnings/"),
        signed_in(factories.user()).get("/studio/"),
        signed_in(factories.member(station, "buyer")).get("/studio/"),
        signed_in(factories.owner_of(factories.organization("Laboratorio"))).get("/studio/"),
    ]
    assert faults(answers, {"nothing"}) == {}


def test_a_draft_is_told_in_the_readers_language():
    version = stages.draft(titled())
    empty = tabs(version, "delete/", "versions/discard/")
    assert faults(empty, NAMES) == {}
    stages.agreed(version, stages.recording(version))
    stages.announced(version, by=factories.owner_of(version.dataset.organization))
    assert faults(tabs(version, "delete/"), NAMES) == {}
    reader, address = owner(version.dataset), at(version.dataset)
    place = version.files.get(recording__name="morning.wav")
    answers = [
        reader.post(f"{address}edit/", {"title": ""}),
        reader.post(f"{address}files/upload/"),
        reader.post(f"{address}files/{place.pk}/language/", {"language": "nothing"}),
        reader.post(f"{address}files/{place.pk}/remove/", follow=True),
        reader.post(f"{address}uploads/{version.uploads.get().pk}/cancel/", follow=True),
        reader.post(f"{address}delete/", {}),
    ]
    assert faults(answers, NAMES | {"nothing"}) == {}


@pytest.mark.parametrize("error", ["", "⟦broken⟧"])
def test_the_pipeline_is_told_in_the_readers_language(error: str):
    run = stages.working(titled(), error=error)
    answers = tabs(stages.version_of(run), "pipeline/live/")
    assert faults(answers, NAMES) == {}


@pytest.mark.parametrize("covered", [True, False])
def test_a_review_is_told_in_the_readers_language(*, covered: bool):
    version = stages.in_review(titled(), covered=covered)
    recording = stages.only_recording(version)
    answers = tabs(version, f"review/{recording.pk}/", "versions/discard/", "seal/live/")
    known = NAMES | {word for one in stages.segments(version) for word in one.text.split()}
    assert faults(answers, known) == {}


def test_decisions_of_a_review_are_told_in_the_readers_language():
    version = stages.in_review(titled())
    reader, address = owner(version.dataset), at(version.dataset)
    recording, segments = stages.only_recording(version), stages.segments(version)
    finding = next(one for segment in segments for one in segment.findings.all())
    words = f"{address}review/segments/{segments[0].pk}/"
    answers = [
        reader.post(f"{address}review/findings/{finding.pk}/", {"decision": "confirm"}),
        reader.post(f"{address}review/findings/{finding.pk}/", {"decision": "nothing"}),
        reader.post(words, {"action": "read"}, follow=True),
        reader.post(words, {"action": "read", "text": ""}),
        reader.post(words, {"action": "read", "text": "io"}, headers={"hx-request": "true"}),
        reader.post(words, {"action": "leave-out"}, follow=True),
        reader.post(words, {}),
        reader.post(f"{words}findings/", {}),
        reader.post(f"{words}findings/", {"first_word": "0", "last_word": "0", "kind": "name"}),
        reader.get(f"{address}review/{recording.pk}/"),
        reader.get(f"{address}review/"),
        reader.post(f"{address}seal/finish/", {}),
        reader.get(f"{address}history/"),
    ]
    known = NAMES | {"io", SAID, *(word for one in segments for word in one.text.split())}
    pages = [one for one in answers if one.content and one["Content-Type"].startswith("text/html")]
    assert faults(pages, known) == {}


def test_leaving_somebody_out_is_told_in_the_readers_language():
    version = stages.in_review(titled())
    reader, address = owner(version.dataset), at(version.dataset)
    speaker = version.dataset.speakers.first()
    answers = [
        reader.get(f"{address}seal/without/"),
        reader.get(f"{address}seal/without/", {"speaker": speaker.pk}),
        reader.post(f"{address}seal/without/", {"speaker": speaker.pk}, follow=True),
        *tabs(version),
        reader.post(f"{address}seal/with/{speaker.pk}/", follow=True),
    ]
    assert faults(answers, NAMES) == {}


def test_a_sealed_version_is_told_in_the_readers_language():
    version = sealed.version(titled())
    reader, address = owner(version.dataset), at(version.dataset)
    number = version.number
    answers = [
        *tabs(version, f"versions/{number}/withdraw/", "versions/"),
        *(reader.get(f"{address}offers/new/{profile.slug}/") for profile in CATALOGUE),
        *(reader.post(f"{address}offers/new/{profile.slug}/", {}) for profile in CATALOGUE),
        reader.post(f"{address}versions/{number}/withdraw/", {}),
        reader.post(f"{address}edit/", {"title": ""}),
    ]
    offer = trade.offer(version, profile="CC-BY-4.0", amount_minor=0, term_days=None)
    paid = trade.offer(version, profile="commercial-training-benefit-share", benefit_share_bps=1250)
    trade.grant(paid)
    trade.follow()
    answers += [
        *tabs(version),
        reader.get("/studio/earnings/"),
        reader.post(f"{address}offers/{offer.pk}/close/", follow=True),
    ]
    assert faults(answers, NAMES | CODES) == {}


def test_a_version_that_lost_a_consent_is_told_in_the_readers_language():
    version = sealed.version(titled())
    trade.grant(trade.offer(version))
    stages.withdrawn(version, version.dataset.speakers.first().name)
    trade.follow()
    assert faults(tabs(version, "versions/"), NAMES) == {}


def test_the_next_version_is_told_in_the_readers_language():
    version = stages.carried_over(titled())
    assert faults(tabs(version, "versions/discard/"), NAMES) == {}
    stages.recording(version, path="evening.wav")
    stages.left_out(version, version.dataset.speakers.first().name)
    assert faults(tabs(version), NAMES | {"evening.wav"}) == {}


def test_a_withdrawn_version_is_told_in_the_readers_language():
    version = sealed.version(titled())
    reader = owner(version.dataset)
    answer = reader.post(
        f"{at(version.dataset)}versions/{version.number}/withdraw/",
        {"reason": "Ne plu."},
        follow=True,
    )
    version.refresh_from_db()
    assert version.state == Version.State.WITHDRAWN
    assert faults([answer, *tabs(version)], NAMES | {"Ne plu."}) == {}


def test_the_consents_of_a_speaker_are_told_in_the_readers_language():
    version = stages.draft(titled())
    record = stages.agreed(version, stages.recording(version), excluded=["voice-cloning"])
    reader, address = owner(version.dataset), f"{at(version.dataset)}consent/"
    speaker = f"{address}speakers/{record.speaker_id}/"
    table = SimpleUploadedFile("a.csv", b"speaker_name,file\nAmina,nothing.wav\n")
    answers = [
        reader.get(f"{address}new/"),
        reader.post(f"{address}new/", {"heard-TOTAL_FORMS": "1", "heard-INITIAL_FORMS": "0"}),
        reader.get(f"{address}import/"),
        reader.post(f"{address}import/", {}),
        reader.post(f"{address}import/", {"csv": table}),
        *consent_pages(reader, record),
        reader.post(f"{address}{record.pk}/withdraw/purposes/", {}),
        reader.post(f"{address}{record.pk}/void/", {}),
        reader.post(f"{speaker}withdraw/purposes/", {}),
    ]
    reader.post(f"{speaker}withdraw/purposes/", {"purposes": ["commercial"]})
    answers += consent_pages(reader, record)
    columns = {"speaker_name", "jurisdiction", "given_on", "purposes"}
    known = {*NAMES, *columns, record.notice_text, "consent-template.csv"}
    assert faults(answers, known) == {}


@pytest.mark.parametrize("end", ["withdraw", "void"])
def test_a_consent_that_ended_is_told_in_the_readers_language(end: str):
    version = sealed.version(titled())
    trade.grant(trade.offer(version))
    record = version.dataset.consent_records.first()
    reader, address = owner(version.dataset), f"{at(version.dataset)}consent/{record.pk}/"
    answers = consent_pages(reader, record)
    answers.append(reader.post(f"{address}{end}/", {"reason": "Ne."}, follow=True))
    trade.follow()
    answers += [*consent_pages(reader, record), reader.get(f"{at(version.dataset)}history/")]
    known = {*NAMES, record.notice_text, "Ne."}
    assert faults(answers, known) == {}


def consent_pages(reader: Client, record: ConsentRecord) -> list[HttpResponse]:
    """Every page about a consent, and about the speaker whose it is."""
    address = f"{at(record.dataset)}consent/"
    of_record = ("", "withdraw/", "withdraw/purposes/", "void/")
    of_speaker = ("", "withdraw/", "withdraw/purposes/")
    return [
        reader.get(address),
        *(reader.get(f"{address}{record.pk}/{path}") for path in of_record),
        *(reader.get(f"{address}speakers/{record.speaker_id}/{path}") for path in of_speaker),
    ]
