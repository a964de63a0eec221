"""The whole walk from a terminal, on real recordings: upload with consent to verified download."""

import json
from pathlib import Path

import pytest

from tests.journeys import real_speech
from tests.journeys.terminal import Terminal, finish_review, wait_until_sealed

pytestmark = pytest.mark.xdist_group("site")


def test_real_recordings_go_from_upload_to_verified_download(
    site, people, archivist, trainer, tmp_path
):
    said = real_speech.lay_out(tmp_path / "recordings")
    slug = f"{people.contributor.slug}/sense-and-sensibility"
    archivist.done(
        "upload", tmp_path / "recordings", "--dataset", "sense-and-sensibility",
        "--title", "Sense and Sensibility", "--language", "en", "--task", "speech-recognition",
        "--consent", tmp_path / "consent.csv", "--notice", tmp_path / "notice.txt", "--process",
    )  # fmt: skip
    watched = archivist.done("status", "sense-and-sensibility", "--watch")
    assert watched["state"] == "review"
    version = f"/datasets/{slug}/versions/1"
    finish_review(archivist, version)
    sealed = wait_until_sealed(site, archivist, version)
    offer = archivist.post(
        f"/datasets/{slug}/offers",
        profile="commercial-training",
        price={"amount_minor": 4000, "currency": "EUR"},
        term_days=365,
    )

    found = trainer.done("search", "sensibility", "--allows", "commercial", "--language", "en")
    assert slug in json.dumps(found)
    quote = trainer.done("quote", slug, "--offer", offer["id"])
    assert (quote["price_minor"], quote["fee_minor"], quote["total_minor"]) == (4000, 200, 4200)
    order = trainer.done("buy", slug, "--offer", offer["id"], "--accept")
    assert order["test"] is True
    release = tmp_path / "release"
    trainer.done("download", slug, "--to", release)
    report = trainer.done("verify", release, "--offline")
    states = {name: check["state"] for name, check in report["checks"].items()}
    assert states.pop("license") == "unknown"  # nobody asked whether it was revoked
    assert states == dict.fromkeys(("signature", "logged", "files", "consent"), "ok")
    rows = [json.loads(line) for line in (release / "metadata.jsonl").read_text().splitlines()]
    by_recording: dict[str, list[str]] = {}
    for row in rows:
        by_recording.setdefault(row["source"], []).append(row["text"])
    assert [" ".join(texts) for _, texts in sorted(by_recording.items())] == said
    assert sealed["release"]["root"] in json.dumps(report)
    assert_tampering_is_found(trainer, release)


def assert_tampering_is_found(trainer: Terminal, release: Path) -> None:
    """One flipped bit in a clip, the index, the manifest or the proof fails the verification."""
    clip = next(release.rglob("*.flac"))
    for path in (
        clip,
        *(release / name for name in ("files.jsonl", "manifest.dsse.json", "manifest.tlog-proof")),
    ):
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        refused = trainer.run("verify", release, "--offline")
        assert refused.returncode == 1, f"{path.name}: {refused.stdout}"
        path.write_bytes(whole)
    assert trainer.run("verify", release, "--offline").returncode == 0


def test_a_key_without_the_scope_and_a_strangers_draft_are_refused(
    site, people, archivist, trainer, tmp_path
):
    recordings = tmp_path / "recordings"
    real_speech.lay_out(recordings)
    archivist.done(
        "upload", next(recordings.glob("*.wav")), "--dataset", "draft",
        "--title", "A draft", "--language", "en", "--task", "speech-recognition",
    )  # fmt: skip
    draft = f"{people.contributor.slug}/draft"
    stranger = trainer.run("status", draft)
    absent = trainer.run("status", f"{people.contributor.slug}/nothing-here")
    assert (stranger.returncode, absent.returncode) == (1, 1)
    assert stranger.stderr.replace("draft", "X") == absent.stderr.replace("nothing-here", "X")
