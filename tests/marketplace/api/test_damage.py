"""Damaged bytes leave by no way: licensed, public, or a contributor's own."""

import logging

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from ingestion.archive import fixity
from ingestion.models import Segment
from licensing import papers
from marketplace.host.lines import Plain
from tests import at_rest, factories, sealed
from tests.marketplace.api.callers import buy, client_of, problem, publish

pytestmark = pytest.mark.django_db
HARMS = [at_rest.flip_a_bit, at_rest.cut_short, at_rest.lose]


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def station():
    return factories.organization("Radio Valley")


@pytest.fixture
def version(station):
    return sealed.version(sealed.dataset(station, slug="morning"))


@pytest.fixture
def grant(version, station):
    offer = publish(version, factories.owner_of(station))
    return buy(offer, factories.organization("Speech Lab")).grant


def addresses(grant) -> dict[str, str]:
    """Path → address of what is to be downloaded."""
    answer = client_of(grant.licensee).get(f"/api/v1/grants/{grant.pk}/release")
    return {file["path"]: file["url"] for file in answer.json()["files"]}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}], ids=["whole", "range"])
def test_a_damaged_clip_is_not_downloaded_and_the_others_are(grant, version, harm, headers):
    urls = addresses(grant)
    clip, other = version.release_files.filter(kind="clip")[:2]
    harm(clip.blob_id)
    for _ in range(2):
        refusal = APIClient().get(urls[clip.path], headers=headers)
        problem(refusal, 500, "bytes-damaged", clip.blob_id[:8], "backup")
    answer = APIClient().get(urls[other.path], headers=headers)
    assert answer.status_code in {200, 206}
    assert b"".join(answer.streaming_content)


def test_a_clip_that_came_back_is_downloaded_again(grant, version):
    clip = version.release_files.filter(kind="clip").first()
    data, url = at_rest.read(clip.blob_id), addresses(grant)[clip.path]
    at_rest.flip_a_bit(clip.blob_id)
    problem(APIClient().get(url), 500, "bytes-damaged")
    sealed.keep(data)
    assert b"".join(APIClient().get(url).streaming_content) == data


def test_a_damaged_index_stops_the_listing_that_would_vouch_for_it(grant, version):
    at_rest.flip_a_bit(version.seal.index_id)
    answer = client_of(grant.licensee).get(f"/api/v1/grants/{grant.pk}/release")
    problem(answer, 500, "bytes-damaged")
    with pytest.raises(Exception, match="damaged or gone"):
        papers.of(grant=grant)


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_clip_is_not_played_to_visitors(grant, version, harm, client):
    clip = version.release_files.filter(kind="clip").first()
    harm(clip.blob_id)
    names = [*version.dataset.organization.slug.split(), version.dataset.slug, version.number, 1]
    problem(client.get(reverse("dataset_clip", args=names)), 500, "bytes-damaged")


def test_a_damaged_description_is_not_handed_out(grant, version, client):
    at_rest.flip_a_bit(version.seal.croissant_id)
    names = [version.dataset.organization.slug, version.dataset.slug]
    problem(client.get(reverse("dataset_croissant", args=names)), 500, "bytes-damaged")
    assert client.get(reverse("dataset", args=names)).status_code == 200


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_original_is_not_played_and_says_so_in_the_version(station, version, harm):
    recording = version.files.get().recording
    harm(recording.blob_id)
    editor = client_of(station)
    segment = Segment.objects.filter(recording=recording).first()
    problem(editor.get(f"/api/v1/segments/{segment.pk}/audio"), 500, "bytes-damaged")
    found = editor.get("/api/v1/datasets/radio-valley/morning/versions/1").json()
    (file,) = [one for one in found["files"] if one["path"] == recording.name] or [None]
    assert (file["state"], "restore them" in file["error"]) == ("damaged", True)


def test_damage_is_told_to_the_operator_without_a_name(version, caplog):
    recording = version.files.get().recording
    at_rest.lose(recording.blob_id)
    fixity.check(recording.blob)
    fixity.check(recording.blob)
    told = [Plain().format(one) for one in caplog.records if one.levelno == logging.ERROR]
    assert len(told) == 1
    assert recording.blob_id in told[0]
    assert recording.name not in told[0]


def test_damage_that_a_visitor_meets_is_logged_once(version, client, caplog):
    publish(version, factories.owner_of(version.dataset.organization))
    clip = version.release_files.filter(kind="clip").first()
    at_rest.lose(clip.blob_id)
    names = [version.dataset.organization.slug, version.dataset.slug, version.number, 1]
    address = reverse("dataset_clip", args=names)
    told = []
    for _ in range(2):
        client.get(address)
        told = [Plain().format(one) for one in caplog.records if one.levelno >= logging.WARNING]
    assert [("bytes.damaged" in one, clip.blob_id in one) for one in told] == [(True, True)]
