import os
import tracemalloc

import commonhold
import pytest
from commonhold import client as clients
from commonhold import downloading, receiving, signed, uploading, verify

from tests.sdk import bundles, fake_site

DATASET = "radio-example/kurzwelle"


@pytest.fixture
def site():
    with fake_site.running() as running:
        running.add(DATASET)
        yield running


@pytest.fixture
def client(site):
    with clients.Client(site.url, fake_site.KEY, backoff_s=0.001) as opened:
        yield opened


@pytest.fixture
def released(site, tmp_path):
    site.release = bundles.write(tmp_path / "released", site.keys)
    return site


def quiet(path, done, total):
    assert done <= total


def upload(client, path, **changes):
    file = uploading.LocalFile(path, changes.get("name", path.name))
    return uploading.upload_file(client, DATASET, file, quiet)


@pytest.fixture
def tape(tmp_path):
    path = tmp_path / "tape.wav"
    path.write_bytes(os.urandom(fake_site.PART * 5 + 123))
    return path


def test_a_file_arrives_in_parts_as_it_was(site, client, tape):
    finished = upload(client, tape)
    assert site.stored["tape.wav"] == tape.read_bytes()
    assert finished["path"] == "tape.wav"
    assert "signed" not in site.authorized


def test_an_upload_goes_on_where_it_stopped(site, client, tape):
    site.refuse_parts_after = 2
    with pytest.raises(clients.NotAllowedError):
        upload(client, tape)
    site.refuse_parts_after = None
    before = sum(site.requests.values())
    upload(client, tape)
    assert site.stored["tape.wav"] == tape.read_bytes()
    assert len(site.uploads) == 1
    # One look at the upload, the parts that were missing, one completion.
    assert sum(site.requests.values()) - before == 1 + 4 + 1


def test_an_upload_that_the_site_forgot_begins_again(site, client, tape):
    site.refuse_parts_after = 2
    with pytest.raises(clients.NotAllowedError):
        upload(client, tape)
    site.uploads.clear()
    site.refuse_parts_after = None
    upload(client, tape)
    assert site.stored["tape.wav"] == tape.read_bytes()


def test_part_addresses_that_ran_out_are_renewed(site, client, tape):
    site.failing["/signed/0/u1/1"] = 1
    original = site.upload

    def first_answer_is_old(upload_id):
        answer = original(upload_id)
        site.generation = 1
        return answer

    site.upload = first_answer_is_old
    upload(client, tape)
    assert site.stored["tape.wav"] == tape.read_bytes()


def test_a_busy_site_is_asked_again(site, client, tape):
    site.failing |= {"/api/v1/uploads": 2, "/signed/0/u1/3": 3, "/api/v1/uploads/u1/complete": 1}
    upload(client, tape)
    assert site.stored["tape.wav"] == tape.read_bytes()


def test_a_part_damaged_on_the_way_is_sent_once_more(site, client, tape):
    site.corrupt["part 2"] = 1
    upload(client, tape)
    assert site.stored["tape.wav"] == tape.read_bytes()
    site.corrupt["part 1"] = 9
    with pytest.raises(clients.InvalidRequestError, match="arrived damaged"):
        upload(client, tape, name="again.wav")


def test_a_site_that_stays_down_is_a_server_error(site, client, tape):
    site.failing["/api/v1/uploads"] = 99
    with pytest.raises(clients.ServerError, match="Try again"):
        upload(client, tape)


def test_a_site_that_is_not_there_is_a_network_error(tape):
    with (
        clients.Client("http://127.0.0.1:9", "k", backoff_s=0.001) as client,
        pytest.raises(clients.NetworkError, match="can't be reached"),
    ):
        client.me()


def test_the_sites_reason_for_a_refusal_is_passed_on(client, tmp_path):
    empty = tmp_path / "empty.wav"
    empty.touch()
    with pytest.raises(clients.InvalidRequestError, match=r"“empty\.wav” is empty") as caught:
        upload(client, empty)
    assert caught.value.as_problem()["code"] == "upload-invalid"


def test_a_large_file_is_never_whole_in_memory(site, client, tmp_path):
    site.part_size = 4 * 1024 * 1024
    path = tmp_path / "large.wav"
    path.write_bytes(bytes(48 * 1024 * 1024))
    received = {}

    class Sink(dict[int, bytes]):
        def __setitem__(self, number, data):
            received[number] = len(data)
            super().__setitem__(number, b"")

    original = site.upload

    def without_bodies(upload_id):
        if not isinstance(site.uploads[upload_id]["received"], Sink):
            site.uploads[upload_id]["received"] = Sink()
        return original(upload_id)

    site.upload = without_bodies
    tracemalloc.start()
    with pytest.raises(clients.InvalidRequestError, match="not what was promised"):
        upload(client, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(received.values()) == path.stat().st_size
    # Four parts of 4 MiB may be in the fake's memory at a time, twice while they are joined.
    assert peak < 44 * 1024 * 1024


def test_folders_are_walked_and_hidden_files_left_out(tmp_path):
    for name in ("a/one.wav", "a/b/two.wav", "a/.git/config", "a/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    files = uploading.collect([tmp_path / "a"])
    assert [file.path for file in files] == ["b/two.wav", "one.wav"]


def test_two_files_that_would_get_one_name_are_refused_before_anything_is_sent(tmp_path):
    for name in ("x/tape.wav", "y/TAPE.WAV"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(commonhold.paths.InvalidPathError, match="would get one name"):
        uploading.collect([tmp_path / "x" / "tape.wav", tmp_path / "y" / "TAPE.WAV"])


def fetch_all(client, folder):
    grant = downloading.find_grant(client, DATASET)
    return downloading.download(client, grant["id"], folder)


def test_a_download_is_exactly_the_release_and_verifies(released, client, tmp_path):
    done = fetch_all(client, tmp_path / "here")
    assert done.fetched == done.files
    assert verify.verify(tmp_path / "here").passed
    assert "signed" not in released.authorized


def test_a_second_download_fetches_nothing_and_mends_what_was_damaged(released, client, tmp_path):
    fetch_all(client, tmp_path / "here")
    assert fetch_all(client, tmp_path / "here").fetched == 0
    (tmp_path / "here" / "README.md").write_bytes(b"changed")
    assert fetch_all(client, tmp_path / "here").fetched == 1
    assert verify.verify(tmp_path / "here").passed


def test_a_cut_connection_is_resumed_from_the_byte_where_it_broke(released, client, tmp_path):
    name = "audio/morning/0001.flac"
    released.cuts[name] = [20, 10, 0]
    fetch_all(client, tmp_path / "here")
    assert (tmp_path / "here" / name).read_bytes() == bundles.NAMES[name]
    assert released.requests[f"GET /signed/0/{name}"] == 4


def test_an_interrupted_download_is_resumed_by_the_next_command(released, client, tmp_path):
    name = "audio/morning/0001.flac"
    released.cuts[name] = [20] + [0] * 20
    with pytest.raises(clients.NetworkError, match="Run this again"):
        fetch_all(client, tmp_path / "here")
    assert not (tmp_path / "here" / name).exists()
    released.cuts.clear()
    fetch_all(client, tmp_path / "here")
    assert verify.verify(tmp_path / "here").passed


def test_wrong_bytes_are_fetched_anew_once(released, client, tmp_path):
    released.corrupt["README.md"] = 1
    fetch_all(client, tmp_path / "here")
    assert verify.verify(tmp_path / "here").passed


def test_bytes_that_stay_wrong_are_never_kept(released, client, tmp_path):
    released.corrupt["README.md"] = 9
    with pytest.raises(receiving.DigestMismatchError, match=r"“README\.md” arrived twice"):
        fetch_all(client, tmp_path / "here")
    assert not (tmp_path / "here" / "README.md").exists()


def test_a_busy_store_is_asked_again(released, client, tmp_path):
    released.failing["/signed/0/README.md"] = 3
    fetch_all(client, tmp_path / "here")
    assert (tmp_path / "here" / "README.md").exists()


def test_addresses_that_ran_out_are_renewed(released, client, tmp_path):
    released.expire_after = 3
    fetch_all(client, tmp_path / "here")
    assert released.generation == 1
    assert verify.verify(tmp_path / "here").passed


def test_a_release_that_would_leave_its_folder_is_refused(released, client, tmp_path):
    (released.release / "evil\\..\\x").write_bytes(b"x")
    with pytest.raises(commonhold.paths.InvalidPathError):
        fetch_all(client, tmp_path / "here")


def test_without_a_license_nothing_is_downloaded(released, client):
    with pytest.raises(downloading.NoGrantError, match="no license in force for radio-example/x"):
        downloading.find_grant(client, "radio-example/x")
    with pytest.raises(downloading.NoGrantError, match="@2"):
        downloading.find_grant(client, DATASET, 2)


def test_a_newer_license_whose_consent_fell_gives_way_to_one_that_can_be_downloaded(
    released, client
):
    assert downloading.find_grant(client, DATASET)["id"] == "g1"
    assert downloading.find_grant(client, DATASET, 3)["id"] == "g2"


def test_load_yields_rows_with_their_audio(released, monkeypatch):
    monkeypatch.setenv("COMMONHOLD_URL", released.url)
    monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
    found = list(commonhold.load(DATASET))
    clips = [row for row in found if row["audio"]]
    assert [row["audio"]["bytes"] for row in clips] == [
        bundles.NAMES["audio/morning/0001.flac"],
        bundles.NAMES["audio/morning/0002.flac"],
    ]
    assert found[-1]["text"] == "Grüße aus dem Studio"


def test_load_takes_the_version_that_is_named(released, monkeypatch):
    monkeypatch.setenv("COMMONHOLD_URL", released.url)
    monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
    assert list(commonhold.load(f"{DATASET}@1")) == list(commonhold.load(DATASET))
    with pytest.raises(downloading.NoGrantError, match="@2"):
        next(commonhold.load(f"{DATASET}@2"))


def test_load_stops_at_a_file_that_was_changed(released):
    name = "audio/morning/0002.flac"
    (released.release / name).write_bytes(b"fLaC" + bytes(60))
    found = commonhold.load(released.release, trust=released.keys.trust())
    next(found)
    with pytest.raises(receiving.DigestMismatchError, match="0002"):
        next(found)


def test_load_hands_out_nothing_whose_consent_was_withdrawn(site, tmp_path):
    folder = bundles.write(tmp_path / "withdrawn", site.keys, [0, 0, 1, 0, 0, 0, 0, 0])
    with pytest.raises(signed.NotVerifiedError, match="withdrawn by p-0001"):
        next(commonhold.load(folder, trust=site.keys.trust()))
