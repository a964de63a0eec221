import json
import os
import stat

import pytest
from click.testing import CliRunner
from commonhold import cli, client, merkle, notes, pins, tlog

from tests.sdk import bundles, fake_site
from tests.sdk.verified import HOLDS

DATASET = "radio-example/kurzwelle"


@pytest.fixture
def site(monkeypatch):
    with fake_site.running() as running:
        running.add(DATASET)
        monkeypatch.setenv("COMMONHOLD_URL", running.url)
        monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
        yield running


def run(*args, code=0, stdin=None):
    result = CliRunner().invoke(cli.main, [str(arg) for arg in args], input=stdin)
    assert result.exit_code == code, result.output
    return result


def run_json(*args, code=0):
    return json.loads(run(*args, "--json", code=code).stdout)


def test_login_keeps_the_key_for_its_owner_and_its_site_alone(site, monkeypatch):
    monkeypatch.delenv("COMMONHOLD_API_KEY")
    result = run("login", stdin=f"{fake_site.KEY}\n")
    assert "ada@radio.example" in result.output
    assert fake_site.KEY not in result.output
    assert stat.S_IMODE(client.Credentials.path().stat().st_mode) == 0o600
    monkeypatch.delenv("COMMONHOLD_URL")
    assert run_json("search")["count"] == 1
    monkeypatch.setenv("COMMONHOLD_URL", "http://127.0.0.1:9")
    assert client.Credentials.find().api_key is None


def test_a_wrong_key_is_refused_and_not_kept(site):
    result = run("login", "--key", "wrong", code=1)
    assert "not known" in result.stderr
    assert not client.Credentials.path().exists()


def test_upload_creates_the_dataset_takes_consent_and_starts_the_pipeline(site, tmp_path):
    (tmp_path / "tape.wav").write_bytes(os.urandom(1000))
    (tmp_path / "proof.pdf").write_bytes(b"signed by hand")
    table = tmp_path / "consent.csv"
    table.write_text("speaker_name,file,evidence\nAda,tape.wav,proof.pdf\n")
    args = ["upload", tmp_path / "tape.wav", "--dataset", "neu", "--consent", table, "--process"]
    run(*args, code=2)
    done = run_json(*args, "--title", "Neu", "--language", "de")
    assert done["created"] is True
    assert done["version"]["state"] == "processing"
    counts = {"speakers": 1, "records": 1, "scopes": 1, "known": 0, "voided": 0}
    assert done["consent"] == counts
    assert [file["path"] for file in done["files"]] == ["tape.wav"]
    assert "tape.wav" in site.stored
    assert b"signed by hand" in site.consents[0]


def test_a_consent_row_that_can_not_be_taken_is_shown(site, tmp_path):
    (tmp_path / "tape.wav").write_bytes(b"x")
    table = tmp_path / "consent.csv"
    table.write_text("speaker_name,file\nAda,unknown.wav\n")
    args = ["upload", tmp_path / "tape.wav", "--dataset", "kurzwelle", "--consent", table]
    result = run(*args, code=1)
    assert "row 2, file: There is no file unknown.wav." in result.stderr
    assert run_json(*args, code=1)["code"] == "consent-import-refused"


def test_an_upload_run_again_sends_only_what_is_not_there(site, tmp_path):
    folder = tmp_path / "tapes"
    folder.mkdir()
    (folder / "one.wav").write_bytes(os.urandom(1000))
    args = ["upload", folder, "--dataset", "kurzwelle"]
    assert run_json(*args)["kept"] == []
    (folder / "two.wav").write_bytes(os.urandom(1000))
    again = run_json(*args)
    assert [file["path"] for file in again["files"]] == ["two.wav"]
    assert again["kept"] == ["one.wav"]
    assert "2 were there already" in run(*args).stdout
    assert len(site.uploads) == 2


def test_a_file_that_changed_under_its_name_is_not_taken_for_the_old_one(site, tmp_path):
    tape = tmp_path / "tape.wav"
    tape.write_bytes(b"as it was")
    run("upload", tape, "--dataset", "kurzwelle")
    tape.write_bytes(b"as it is now")
    assert (
        "is in this version already" in run("upload", tape, "--dataset", "kurzwelle", code=1).stderr
    )


def test_a_table_of_consents_can_be_sent_later_and_again(site, tmp_path):
    (tmp_path / "tape.wav").write_bytes(b"x")
    table = tmp_path / "consent.csv"
    table.write_text("speaker_name,file\nAda,tape.wav\n")
    args = ["upload", tmp_path / "tape.wav", "--dataset", "kurzwelle"]
    run(*args)
    assert "1 speakers in 1 records." in run(*args, "--consent", table).stdout
    assert "1 were recorded before" in run(*args, "--consent", table).stdout


def test_evidence_that_is_not_there_is_named(site, tmp_path):
    (tmp_path / "tape.wav").write_bytes(b"x")
    table = tmp_path / "consent.csv"
    table.write_text("speaker_name,file,evidence\nAda,tape.wav,lost.pdf\n")
    result = run(
        "upload", tmp_path / "tape.wav", "--dataset", "kurzwelle", "--consent", table, code=1
    )
    assert "lost.pdf" in result.stderr


@pytest.mark.parametrize(
    "name", ["../key", "{}/key", "folder/../../key", "link", "link/key", ".env"]
)
def test_evidence_that_lies_elsewhere_is_never_sent(site, tmp_path, name):
    (tmp_path / "key").write_bytes(b"secret")
    folder = tmp_path / "given"
    (folder / "folder").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "key" if name == "link" else tmp_path)
    (folder / "tape.wav").write_bytes(b"x")
    (folder / ".env").write_bytes(b"secret")
    table = folder / "consent.csv"
    table.write_text(f"speaker_name,file,evidence\nAda,tape.wav,{name.format(tmp_path)}\n")
    args = ["upload", folder / "tape.wav", "--dataset", "kurzwelle", "--consent", table]
    assert run_json(*args, code=1)["code"] in {"invalid-path", "upload-failed"}
    assert site.consents == []


def test_a_link_in_a_folder_brings_nothing_from_elsewhere(site, tmp_path):
    (tmp_path / "key").write_bytes(b"secret")
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "tape.wav").write_bytes(b"x")
    (folder / "twin.wav").symlink_to(folder / "tape.wav")
    run("upload", folder, "--dataset", "kurzwelle")
    (folder / "key.wav").symlink_to(tmp_path / "key")
    refused = run("upload", folder, "--dataset", "kurzwelle", code=1).stderr
    assert "leads out of the folder" in refused
    assert set(site.stored) == {"tape.wav", "twin.wav"}


def test_status_says_what_is_left_to_do(site):
    assert run_json("status", "kurzwelle")["state"] == "review"
    result = run("status", "kurzwelle", "--watch")
    assert "version 1: review" in result.stdout
    assert "2 findings, 3 segments" in result.stdout


def test_status_says_why_a_run_stopped(site):
    site.stored["tape.wav"] = b"x"
    site.run_error = "“tape.wav” has no sound in it."
    result = run("status", "kurzwelle", code=1)
    assert "tape.wav: failed" in result.stdout
    assert "has no sound in it" in result.stdout


def test_search_finds_by_words_across_pages(site):
    site.add("radio-example/mittelwelle")
    assert run_json("search")["count"] == 2
    result = run("search", "kurz", "--language", "de", "--allows", "speech-recognition")
    assert DATASET in result.stdout
    assert "mittelwelle" not in result.stdout
    assert "539.00 EUR" in result.stdout


def test_quote_shows_the_whole_terms_and_that_it_is_a_test(site):
    result = run("quote", DATASET, "--offer", "7")
    assert fake_site.TERMS in result.stdout
    assert "490.00 EUR + fee 49.00 EUR = 539.00 EUR" in result.stdout
    assert "TEST" in result.stdout
    assert "no offer 8" in run("quote", DATASET, "--offer", "8", code=1).stderr


def test_nothing_is_bought_without_accepting(site):
    result = run("buy", DATASET, "--offer", "7", code=1)
    assert fake_site.TERMS in result.stdout
    assert not site.orders


def test_buying_is_done_once_even_when_the_answer_is_lost(site):
    bought = run_json("buy", DATASET, "--offer", "7", "--accept")
    assert bought["grant"] == "g1"
    again = run_json("buy", DATASET, "--offer", "7", "--accept", "--idempotency-key", "k")
    same = run_json("buy", DATASET, "--offer", "7", "--accept", "--idempotency-key", "k")
    assert again == same
    assert len(site.orders) == 2


def test_an_order_without_an_answer_is_repeated_under_its_key(site, monkeypatch):
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    site.failing["/api/v1/orders"] = 1
    run("buy", DATASET, "--offer", "7", "--accept", code=3)
    pending = list((pins.state_dir() / "orders").iterdir())
    key = json.loads(pending[0].read_text())["key"]
    run("buy", DATASET, "--offer", "7", "--accept")
    assert list(site.orders) == [key]
    assert not pending[0].exists()


def test_terms_that_differ_from_their_digest_are_not_bought(site, monkeypatch):
    honest = fake_site.Handler.quote
    monkeypatch.setattr(
        fake_site.Handler, "quote", lambda self: honest(self) | {"terms_text": "Other"}
    )
    result = run("buy", DATASET, "--offer", "7", "--accept", code=1)
    assert "not the terms" in result.stderr
    assert not site.orders


def test_download_verifies_what_it_fetched(site, tmp_path):
    site.release = bundles.write(tmp_path / "released", site.keys)
    done = run_json("download", f"{DATASET}@1", "--to", tmp_path / "here")
    checks = done["verification"]["checks"]
    assert {name: check["state"] for name, check in checks.items()} == HOLDS
    assert done["verification"]["passed"] is True


def test_verify_fails_with_exit_code_one_and_says_where(site, tmp_path):
    folder = bundles.write(tmp_path / "here", site.keys)
    (folder / "README.md").write_bytes(b"changed")
    root = tmp_path / "root.json"
    root.write_bytes(site.keys.trusted_root())
    result = run("verify", folder, "--offline", "--trust", root, code=1)
    assert "“README.md” has 7 bytes instead of 12" in result.stdout
    assert "Verification FAILED" in result.stdout
    report = run_json("verify", folder, "--offline", "--trust", root, code=1)
    assert report["checks"]["files"]["state"] == "failed"
    assert report["checks"]["signature"]["state"] == "ok"


def test_verify_of_something_that_is_no_manifest_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    report = run_json("verify", tmp_path / "x.json", "--offline", code=1)
    assert report["checks"]["signature"]["state"] == "failed"
    run("verify", tmp_path / "absent.json", code=2)


def test_a_command_without_a_site_says_how_to_name_one():
    assert "COMMONHOLD_URL" in run("search", code=2).stderr


def test_a_site_that_is_down_is_exit_code_three(monkeypatch):
    monkeypatch.setenv("COMMONHOLD_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    assert run_json("search", code=3)["code"] == "network"


def test_log_check_remembers_the_log_and_accepts_that_it_grew(site):
    assert "first time" in run("log", "check").stdout
    site.keys.leaves += [b"four", b"five"]
    assert run_json("log", "check")["since"] == 3
    assert "all 5 entries" in run("log", "check").stdout


def test_log_check_catches_a_rewritten_log(site):
    run("log", "check")
    site.keys.leaves[0] = b"rewritten"
    site.keys.leaves.append(b"four")
    assert run_json("log", "check", code=1)["code"] == "log-rewritten"


def test_log_prove_gives_a_proof_against_the_log_as_it_is_now(site, tmp_path):
    folder = bundles.write(tmp_path / "here", site.keys)
    site.keys.leaves += [b"later"] * 5
    out = tmp_path / "now.tlog-proof"
    done = run_json("log", "prove", folder, "--out", out)
    assert (done["index"], done["size"]) == (3, 10)
    proof = tlog.parse_proof(out.read_bytes())
    verifier = notes.vkey(bundles.ORIGIN, site.keys.log_key.public)
    assert proof.verify(site.keys.leaves[3], verifier).size == 10
    site.keys.leaves[3] = b"replaced"
    with pytest.raises(merkle.MerkleError):
        proof.verify(site.keys.leaves[3], verifier)
    run("log", "prove", folder, code=1)


def test_log_prove_proves_the_file_that_was_named_or_nothing(site, tmp_path):
    folder = bundles.write(tmp_path / "here", site.keys)
    assert run_json("log", "prove", folder / "manifest.dsse.json")["index"] == 3
    other = folder / "other.json"
    other.write_bytes((folder / "manifest.dsse.json").read_bytes())
    for named in (other, folder / "README.md"):
        assert run_json("log", "prove", named, code=1)["code"] == "nothing-to-verify"
