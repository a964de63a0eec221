"""Nothing of a release gets its name before all of it is verified."""

import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import commonhold
import pytest
from commonhold import canonical, downloading, paths, receiving, signed, verify
from commonhold import client as clients

from tests.sdk import bundles, fake_site

DATASET = "radio-example/kurzwelle"
NAMES = (".git/hooks/post-checkout", "sitecustomize.py", "audio/morning/9999.flac")


@pytest.fixture
def site(tmp_path):
    with fake_site.running() as running:
        running.release = bundles.write(tmp_path / "released", running.keys)
        yield running


@pytest.fixture
def client(site):
    with clients.Client(site.url, fake_site.KEY, backoff_s=0.001) as opened:
        yield opened


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_signed_never_lies_in_the_folder(site, client, tmp_path, name):
    (site.release / name).parent.mkdir(parents=True, exist_ok=True)
    (site.release / name).write_bytes(b"print('mine')")
    before = names(tmp_path)
    with pytest.raises(signed.NotVerifiedError, match="which nobody signed"):
        downloading.download(client, "g1", tmp_path / "here")
    assert names(tmp_path) == before
    assert not any(f"signed/0/{name}" in asked for asked in site.requests)


def test_a_release_by_other_keys_leaves_nothing(site, client, tmp_path):
    shutil.rmtree(site.release)
    bundles.write(site.release, bundles.Site())
    before = names(tmp_path)
    with pytest.raises(signed.NotVerifiedError, match=r"\(signature\)"):
        downloading.download(client, "g1", tmp_path / "here")
    assert names(tmp_path) == before
    assert "GET /signed/0/README.md" not in site.requests


@pytest.mark.parametrize("name", ["files.jsonl", "manifest.tlog-proof", "consent-status.jwt"])
def test_a_damaged_paper_leaves_nothing(site, client, tmp_path, name):
    data = (site.release / name).read_bytes()
    (site.release / name).write_bytes(data[:-2] + b"\n")
    with pytest.raises((signed.NotVerifiedError, receiving.DigestMismatchError)):
        downloading.download(client, "g1", tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_a_file_that_is_not_what_was_signed_leaves_nothing(site, client, tmp_path):
    (site.release / "README.md").write_bytes(b"# Kurzwelle?")
    with pytest.raises(receiving.DigestMismatchError, match=r"README\.md"):
        downloading.download(client, "g1", tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_a_file_that_the_site_keeps_back_is_missed_before_anything_is_named(site, client, tmp_path):
    (site.release / "audio/morning/0001.flac").unlink()
    with pytest.raises(clients.ServerError, match=r"does not list “audio/morning/0001\.flac”"):
        downloading.download(client, "g1", tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_the_trusted_root_in_the_folder_is_the_sites_own(site, client, tmp_path):
    (site.release / "trusted_root.json").write_bytes(bundles.Site().trusted_root())
    downloading.download(client, "g1", tmp_path / "here")
    kept = (tmp_path / "here" / "trusted_root.json").read_bytes()
    assert kept == site.keys.trusted_root()
    assert verify.verify(tmp_path / "here").passed


def test_after_an_interruption_only_the_rest_is_fetched(site, client, tmp_path):
    name = "text/notes.jsonl"
    site.cuts[name] = [3] + [0] * 20
    with pytest.raises(clients.NetworkError):
        downloading.download(client, "g1", tmp_path / "here")
    assert not (tmp_path / "here").exists()
    site.cuts.clear()
    asked = site.requests["GET /signed/0/audio/morning/0001.flac"]
    done = downloading.download(client, "g1", tmp_path / "here")
    assert site.requests["GET /signed/0/audio/morning/0001.flac"] == asked
    assert 0 < done.fetched < done.files
    assert verify.verify(tmp_path / "here").passed
    assert names(tmp_path) == {"here", "released"}


def test_a_newer_release_replaces_files_only_once_it_is_whole(site, client, tmp_path):
    downloading.download(client, "g1", tmp_path / "here")
    before = (tmp_path / "here" / "manifest.dsse.json").read_bytes()
    shutil.rmtree(site.release)
    bundles.write(site.release, bundles.Site())
    with pytest.raises(signed.NotVerifiedError):
        downloading.download(client, "g1", tmp_path / "here")
    assert (tmp_path / "here" / "manifest.dsse.json").read_bytes() == before
    assert verify.verify(tmp_path / "here").passed


def test_files_of_somebody_elses_folder_are_not_replaced(site, client, tmp_path):
    target = tmp_path / "here"
    target.mkdir()
    (target / "README.md").write_bytes(b"my own notes")
    with pytest.raises(receiving.TargetTakenError, match=r"“README\.md” is there already"):
        downloading.download(client, "g1", target)
    assert {path.name for path in target.rglob("*") if path.is_file()} == {"README.md"}
    assert (target / "README.md").read_bytes() == b"my own notes"
    (target / "README.md").rename(target / "notes.md")
    downloading.download(client, "g1", target)
    assert (target / "notes.md").read_bytes() == b"my own notes"


def test_a_download_that_stopped_while_it_was_named_goes_on(site, client, tmp_path, monkeypatch):
    """The papers change with every hour; the files that they are about do not."""
    moved, replace = [], receiving.Path.replace

    def stop(path, target):
        moved.append(target.name)
        if len(moved) > len(bundles.NAMES):
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(receiving.Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        downloading.download(client, "g1", tmp_path / "here")
    monkeypatch.undo()
    (site.release / "consent-status.jwt").write_bytes(
        bundles.lines(site.keys.consent_status([0] * 8, lifetime=timedelta(hours=2)))
    )
    downloading.download(client, "g1", tmp_path / "here")
    assert verify.verify(tmp_path / "here").passed


def test_a_link_in_the_target_does_not_lead_out_of_it(site, client, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "audio").symlink_to(outside)
    with pytest.raises(receiving.TargetTakenError, match="Something else stands"):
        downloading.download(client, "g1", tmp_path / "here")
    assert list(outside.rglob("*.flac")) == []


def test_a_name_that_leaves_the_folder_is_refused_before_anything_is_asked(site, client, tmp_path):
    def tamper(path, body):
        if path.endswith("/release"):
            body["files"][0]["path"] = "../evil"
        return body

    site.tamper = tamper
    with pytest.raises(paths.InvalidPathError):
        downloading.download(client, "g1", tmp_path / "here")
    assert names(tmp_path) == {"released"}


@pytest.mark.parametrize("name", ["trusted_root.json", "manifest.tlog-proof", "manifest.dsse.json"])
def test_papers_of_kilobytes_may_not_be_megabytes(site, client, tmp_path, name):
    (site.release / name).write_bytes(b" " * (17 * 1024 * 1024))
    with pytest.raises(clients.ServerError, match="far too large"):
        downloading.download(client, "g1", tmp_path / "here")
    if name == "trusted_root.json":
        assert not verify.verify(site.release, site.keys.trust()).passed
        return
    with pytest.raises(verify.TargetError, match="far too large"):
        verify.verify(site.release, site.keys.trust())


def test_other_tools_names_are_passed_over_and_nothing_else_in_their_folder(bundle):
    folder = bundle / ".cache" / "huggingface"
    for name in ("download/audio/x.flac.metadata", "download/x.lock", ".gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("*")
    root = bundle / "trusted_root.json"
    assert verify.verify(bundle, root).passed
    for name in ("evil.py", "download/evil.py", "x.metadata", "download/.lock/evil"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("import os")
        report = verify.verify(bundle, root)
        assert "is not part of the release" in report.files.sentence, name
        (folder / name).unlink()


# ---- one at a time, and nobody else ----------------------------------------------------------

LOAD = "import commonhold, sys; print(len(list(commonhold.load(sys.argv[1]))))"


@pytest.fixture
def typed(site, monkeypatch):
    monkeypatch.setenv("COMMONHOLD_URL", site.url)
    monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
    return site


def times_fetched(site):
    return {times for asked, times in site.requests.items() if asked.startswith("GET /signed")}


def test_threads_that_load_one_dataset_wait_for_the_first(typed):
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: list(commonhold.load(DATASET)), range(6)))
    assert {len(rows) for rows in found} == {3}
    assert times_fetched(typed) == {1}


def test_processes_that_load_one_dataset_wait_for_the_first(typed):
    commands = [sys.executable, "-c", LOAD, DATASET]
    running = [subprocess.Popen(commands, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[0].strip() for process in running] == [b"3"] * 4
    assert times_fetched(typed) == {1}


def test_a_second_download_into_a_folder_is_told_that_one_is_under_way(client, tmp_path):
    with (
        receiving.Staging.beside(tmp_path / "here").alone(wait=False),
        pytest.raises(receiving.DownloadUnderWayError, match="already"),
    ):
        downloading.download(client, "g1", tmp_path / "here")
    assert downloading.download(client, "g1", tmp_path / "here").fetched > 0
    assert names(tmp_path) == {"here", "released"}


def test_a_hidden_folder_that_is_a_link_is_refused(client, tmp_path):
    (tmp_path / "theirs").mkdir()
    receiving.Staging.beside(tmp_path / "here").path.symlink_to(tmp_path / "theirs")
    with pytest.raises(receiving.TargetTakenError, match="is a link"):
        downloading.download(client, "g1", tmp_path / "here")
    assert names(tmp_path / "theirs") == set()


def test_a_hidden_folder_that_another_user_made_is_refused(client, tmp_path, monkeypatch):
    receiving.Staging.beside(tmp_path / "here").path.mkdir()
    monkeypatch.setattr(receiving, "own_user", lambda: os.getuid() + 1)
    with pytest.raises(receiving.TargetTakenError, match="another user"):
        downloading.download(client, "g1", tmp_path / "here")


def test_nothing_is_written_where_a_link_in_the_hidden_folder_leads(client, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"mine")
    staging = receiving.Staging.beside(tmp_path / "here").path
    staging.mkdir(mode=0o777)
    (staging / canonical.sha256_hex(b"README.md")).symlink_to(theirs)
    with pytest.raises(OSError, match="symbolic"):
        downloading.download(client, "g1", tmp_path / "here")
    assert theirs.read_bytes() == b"mine"
    assert stat.S_IMODE(staging.stat().st_mode) == 0o700
