"""A worker that is killed in the middle loses nothing and repeats nothing visible."""

import shutil
from pathlib import Path

import pytest
import soundfile

from tests.journeys import real_speech
from tests.journeys.terminal import Terminal, finish_review, wait_until_sealed
from tests.running import Site

pytestmark = pytest.mark.xdist_group("site")


def long_recording(folder: Path) -> Path:
    """All LibriVox recordings in one, without a transcript: an engine must write it down."""
    real_speech.lay_out(folder)
    parts = [soundfile.read(path, dtype="int16") for path in sorted(folder.glob("*.wav"))]
    for path in folder.iterdir():
        path.unlink()
    whole = folder / "chapter.wav"
    with soundfile.SoundFile(whole, "w", parts[0][1], 1, "PCM_16") as out:
        for samples, _ in parts:
            out.write(samples)
    real_speech.write_consent(folder)
    return whole


def upload(archivist: Terminal, tmp_path: Path, dataset: str) -> None:
    archivist.done(
        "upload", tmp_path / "long" / "chapter.wav", "--dataset", dataset,
        "--title", "One chapter", "--language", "en", "--task", "speech-recognition",
        "--consent", tmp_path / "consent.csv", "--notice", tmp_path / "notice.txt", "--process",
    )  # fmt: skip


def steps(archivist: Terminal, version: str) -> dict[str, dict]:
    """The steps of the intake, by name."""
    runs = archivist.api.get(version).raise_for_status().json()["runs"]
    found = [{step["name"]: step for step in run["steps"]} for run in runs]
    return next(steps for steps in found if "text" in steps)


def seal(site: Site, archivist: Terminal, dataset: str, version: str) -> dict:
    assert archivist.done("status", dataset, "--watch")["state"] == "review"
    finish_review(archivist, version)
    return wait_until_sealed(site, archivist, version)


def test_a_version_ends_the_same_when_the_worker_is_killed_during_transcription(
    site, people, archivist, tmp_path
):
    long_recording(tmp_path / "long")
    versions = {
        name: f"/datasets/{people.contributor.slug}/{name}/versions/1"
        for name in ("undisturbed", "disturbed")
    }
    upload(archivist, tmp_path, "undisturbed")
    undisturbed = seal(site, archivist, "undisturbed", versions["undisturbed"])

    upload(archivist, tmp_path, "disturbed")
    running = lambda: steps(archivist, versions["disturbed"])["text"]["state"] == "running"  # noqa: E731
    site.wait_for(running, seconds=60)
    before = steps(archivist, versions["disturbed"])
    killed = site.tree()["worker"]
    family = [killed, *killed.children(recursive=True)]
    killed.kill()
    site.wait_for(lambda: not any(process.is_running() for process in family), seconds=20)
    disturbed = seal(site, archivist, "disturbed", versions["disturbed"])

    assert disturbed["release"]["root"] == undisturbed["release"]["root"]
    after = steps(archivist, versions["disturbed"])
    for name in ("decode", "vad"):
        assert after[name] == before[name], f"{name} was done again"
    shutil.rmtree(tmp_path / "long")
