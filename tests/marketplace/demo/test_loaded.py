"""The demo as a newcomer meets it: loaded once here, with the real steps, and then looked at."""

import io
import json
import re
import shutil
from typing import Any

import numpy as np
import pytest
import soundfile
from django.apps import apps
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command

from accounts.models import ApiKey
from demo import notebook, outline, walk
from ingestion import releases, review
from ingestion.archive.formats import media
from ingestion.archive.storage import blob_store
from ingestion.models import Finding, StepRun, Version
from ingestion.pipeline import jobs, turns
from ingestion.pipeline.steps import audio
from licensing.offers import OfferBeyondConsent
from marketplace import pricing
from marketplace.models import Listing

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]

OURS = ("accounts", "ingestion", "licensing", "marketplace", "notary")
# The last figures of every number in the scripts, as written and as said, and the mail domain.
NEVER_PUBLISHED = (
    *("0109", "555", "014", "0142", "0187", "218", "example", "@"),
    *("sifuri", "tano tano", "cinco cero", "cero uno", "ocho siete", "arroba", "Tomás"),
)


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup, django_db_blocker):
    """The demo, loaded by the command; gone again afterwards."""
    with django_db_blocker.unblock():
        call_command("demo", load=True, stdout=io.StringIO())
        yield
        call_command("flush", interactive=False, verbosity=0)
        notebook.path().unlink()
        shutil.rmtree(settings.KEY_DIR)


@pytest.fixture(autouse=True)
def _own_keys() -> None:
    """The keys are those that the demo was loaded with, for all tests here."""


def printed() -> str:
    """What `manage.py demo --json` prints."""
    out = io.StringIO()
    call_command("demo", json=True, stdout=out)
    return out.getvalue()


def rows() -> dict[str, int]:
    """How many rows each of our tables has."""
    return {
        model._meta.label: model._default_manager.count()
        for name in OURS
        for model in apps.get_app_config(name).get_models()
    }


def version(slug: str) -> Version:
    """The demo's version of a dataset."""
    return Version.objects.get(dataset__slug=slug)


def published() -> list[Version]:
    """The two versions that are in the catalogue."""
    return [version("bei-za-soko"), version("voces-de-la-acequia")]


def release(version: Version) -> dict[str, bytes]:
    """The bytes of a sealed version by path."""
    return {file.path: releases.stored(file.blob_id) for file in releases.files(version=version)}


def clip_rows(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The rows of metadata.jsonl."""
    return [json.loads(line) for line in files["metadata.jsonl"].splitlines()]


def source_samples(version: Version, name: str) -> tuple[np.ndarray, int]:
    """The recording behind a name such as r0002, decoded to 16-bit samples."""
    recording = version.dataset.recordings.get(number=int(name[1:]))
    container = media.container_of(recording.name)
    with (
        blob_store().local_path(recording.blob_id) as path,
        audio.opened(path, name=recording.name, container=container) as reader,
    ):
        blocks = list(reader.blocks())
        return np.concatenate(blocks)[:, 0] >> 16, reader.info.sample_rate


def test_two_datasets_are_in_the_catalogue_and_one_waits_for_its_reviewer():
    told = json.loads(printed())
    states = {dataset["slug"]: dataset["state"] for dataset in told["datasets"]}
    assert states == {
        "radio-mtoni/bei-za-soko": "sealed",
        "acequia-san-roque/voces-de-la-acequia": "sealed",
        "radio-mtoni/morning-calls": "review",
    }
    assert [len(dataset["offers"]) for dataset in told["datasets"]] == [2, 2, 0]
    assert Listing.objects.count() == 2


def test_the_json_lets_scripts_in_and_is_the_same_when_asked_again():
    told = json.loads(printed())
    assert set(told) == {"url", "contributor", "trainer", "operator", "datasets"}
    for who in ("contributor", "trainer", "operator"):
        account = told[who]
        assert set(account) == {"organization", "email", "password", "api_key"}
        user = authenticate(username=account["email"], password=account["password"])
        key = ApiKey.objects.get(prefix=account["api_key"].partition(".")[0])
        assert ApiKey.objects.is_valid(account["api_key"])
        assert (key.user, key.organization.slug) == (user, account["organization"])
    assert printed() == printed()
    assert notebook.path().stat().st_mode & 0o077 == 0


def test_without_arguments_it_says_how_to_log_in():
    out = io.StringIO()
    call_command("demo", stdout=out)
    trainer = json.loads(printed())["trainer"]
    assert re.search(rf"{trainer['email']}\s+{trainer['password']}", out.getvalue())
    assert "http://localhost/d/radio-mtoni/bei-za-soko" in out.getvalue()


def test_loading_again_changes_nothing():
    before = rows(), notebook.path().read_bytes(), printed()
    out = io.StringIO()
    call_command("demo", load=True, stdout=out)
    assert "was loaded before" in out.getvalue()
    assert (rows(), notebook.path().read_bytes(), printed()) == before


def test_numbers_mail_and_addresses_were_found_and_redacted_in_both_languages():
    swahili, spanish = (one.quality["redactions_by_kind"] for one in published())
    assert swahili == {"phone": 2, "email": 1, "address": 1}
    assert spanish == {"phone": 2, "email": 1, "address": 1, "name": 1}


def test_what_was_said_of_numbers_stands_in_no_published_text():
    for sealed in published():
        files = release(sealed)
        said = " ".join(row["text"] for row in clip_rows(files))
        assert "[PHONE]" in said
        assert "[EMAIL]" in said
        assert "[ADDRESS]" in said
        for path in ("metadata.jsonl", "README.md"):
            text = files[path].decode() if path == "README.md" else said
            assert [phrase for phrase in NEVER_PUBLISHED if phrase in text] == []


def test_a_bar_is_a_tone_and_every_other_sample_is_as_recorded():
    measured = 0
    for sealed in published():
        files = release(sealed)
        for row in clip_rows(files):
            source, rate = source_samples(sealed, row["source"])
            clip, clip_rate = soundfile.read(io.BytesIO(files[row["file_name"]]), dtype="int16")
            assert clip_rate == rate
            start = row["start_ms"] * rate // 1000
            original = source[start : start + len(clip)]
            assert len(clip) == pytest.approx(row["duration_ms"] * rate / 1000, abs=rate / 1000)
            kept = np.ones(len(clip), dtype=bool)
            for bar in row["redactions"]:
                first = bar["start_ms"] * rate // 1000
                last = -(-bar["end_ms"] * rate // 1000)
                kept[max(0, first - 1) : last + 1] = False
                assert_says_nothing(clip[first + 1 : last - 1], original[first + 1 : last - 1])
                measured += 1
            assert np.array_equal(clip[kept], original[kept])
            assert len(row["redactions"]) or kept.all()
    assert measured >= 9


def assert_says_nothing(heard: np.ndarray, original: np.ndarray) -> None:
    """The stretch is silent or one steady tone, and has nothing of what was said there."""
    heard, original = heard.astype(float), original.astype(float)
    assert len(heard) > 0
    if not heard.any():
        return
    power = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) ** 2
    strongest = int(power.argmax())
    assert power[max(0, strongest - 4) : strongest + 5].sum() > 0.98 * power.sum()
    if original.std() > 0:
        assert abs(np.corrcoef(heard, original)[0, 1]) < 0.1


def test_every_confirmed_finding_lies_under_a_bar():
    for sealed in published():
        bars = {
            (row["source"], row["start_ms"]): row["redactions"]
            for row in clip_rows(release(sealed))
        }
        for finding in Finding.objects.of(sealed):
            assert finding.state == Finding.State.CONFIRMED
            start = finding.segment.start_ms or 0
            under = bars[f"r{finding.segment.recording.number:04d}", start]
            begin, end = (finding.start_ms or 0) - start, (finding.end_ms or 0) - start
            assert 0 <= begin < end
            assert any(bar["start_ms"] <= begin and end <= bar["end_ms"] for bar in under)


def test_the_studios_tags_and_cover_do_not_travel():
    sealed = version("bei-za-soko")
    run = StepRun.objects.get(run__recording__name__endswith=".flac", name="decode")
    decoded = run.output or {}
    assert (decoded["tags"] > 0, decoded["pictures"]) == (True, 1)
    clips = [data for path, data in release(sealed).items() if path.endswith(".flac")]
    assert len(clips) == 10
    for clip in clips:
        assert clip[:5] == b"fLaC\x80"  # STREAMINFO is the last metadata block (RFC 9639 §8.1)
        assert b"Studio B" not in clip


def test_the_waiting_review_has_findings_to_hear_and_a_voice_without_consent():
    left = review.progress(version=version("morning-calls"))
    assert (left.open_findings, left.unreviewed_segments, left.uncovered_segments) == (3, 0, 1)
    (voice,) = review.uncovered(version=version("morning-calls"))
    assert voice.text.startswith("Excuse me")


def test_a_newcomer_can_finish_it_and_offer_what_its_speakers_agreed_to():
    waiting = version("morning-calls")
    owner = waiting.created_by
    walk.decide(version=waiting, names=(), by=owner)
    for run in turns.waiting():
        done = jobs.execute(run_id=run.pk)
        assert done is not None
        assert done.state == "done"
    sealed = releases.seal(version=waiting)
    assert "Excuse me" not in release(sealed)["metadata.jsonl"].decode()
    with pytest.raises(OfferBeyondConsent, match="commercial"):
        pricing.publish_offer(
            version=sealed, profile="commercial-training", amount_minor=1, currency="EUR", by=owner
        )
    pricing.publish_offer(
        version=sealed, profile="research-only", amount_minor=0, currency="EUR", by=owner
    )
    assert outline.document()["datasets"][2]["state"] == "sealed"
