"""What a log once signed is kept with its signatures, and a fork leaves evidence for others."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from commonhold import cli, commands_log, merkle, notes, pins, tiles

from tests.sdk import bundles, fake_site

HASH = 32


@pytest.fixture
def site(monkeypatch):
    with fake_site.running() as running:
        running.typed = running.url.replace("127.0.0.1", "localhost")
        running.keys.address = running.url
        monkeypatch.setenv("COMMONHOLD_URL", running.typed)
        monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
        yield running


def run(*arguments, code=0):
    result = CliRunner().invoke(cli.main, [*map(str, arguments), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def vkey(site):
    return notes.vkey(bundles.ORIGIN, site.keys.log_key.public)


def test_the_checkpoint_is_kept_with_its_signature(site):
    done = run("log", "check")
    assert Path(done["kept"]).read_text() == done["checkpoint"]
    assert notes.open_checkpoint(done["checkpoint"], vkey(site)).size == done["size"] == 3


@pytest.mark.parametrize("more", [[], [b"four", b"five"]])
@pytest.mark.parametrize("first", [3, 4])
def test_a_fork_leaves_two_signed_checkpoints_that_a_stranger_can_check(site, first, more):
    site.keys.leaves += [b"more"] * (first - 3)
    kept = Path(run("log", "check")["kept"]).read_text()
    site.keys.leaves[0] = b"rewritten"
    site.keys.leaves += more
    refused = run("log", "check", code=1)
    assert refused["code"] == "log-rewritten"
    evidence = json.loads(Path(refused["evidence"]).read_text())
    assert evidence["before"] == kept
    (verifier,) = evidence["keys"]
    before = notes.open_checkpoint(evidence["before"], verifier)
    now = notes.open_checkpoint(evidence["now"], verifier)
    assert (before.size, now.size) == (first, first + len(more))
    proof = [base64.b64decode(value) for value in evidence["consistency"]]
    # The proof is of what the log shows now: it leads there from what it says it was.
    was = base64.b64decode(evidence["was"])
    assert was != before.root
    merkle.verify_consistency(before.size, now.size, was, now.root, proof)
    assert Path(run("log", "check", code=1)["evidence"]) != Path(refused["evidence"])


def evidence():
    return list((pins.state_dir() / "evidence").glob("*"))


def test_an_old_copy_of_an_honest_log_is_no_fork(site, monkeypatch):
    monkeypatch.setattr(commands_log, "CACHED_S", 0)
    site.keys.leaves += [b"four", b"five"]
    kept = Path(run("log", "check")["kept"])
    del site.keys.leaves[3:]
    refused = run("log", "check", code=1)
    assert refused["code"] == "log-goes-back"
    assert evidence() == []
    assert "\n5\n" in kept.read_text()


@pytest.mark.parametrize("size", [3, 4])
def test_a_damaged_tile_is_no_fork(site, size, tmp_path):
    site.keys.leaves += [b"more"] * (size - 3)
    run("log", "check")
    folder = bundles.write(tmp_path / "here", site.keys)
    size = len(site.keys.leaves)
    tile = bytearray(tiles.tile_bytes(0, 0, size, site.log_nodes()))
    tile[0] ^= 1
    for damaged in (bytes(tile), bytes(tile[:-1])):
        site.files[f"/log/tile/0/000.p/{size}"] = damaged
        assert run("log", "check", code=3)["code"] == "log-damaged"
        assert "was not compared" in run("verify", folder)["checks"]["logged"]["sentence"]
    assert evidence() == []


def test_a_log_can_not_slip_from_its_memory_by_another_name(site):
    run("log", "check")
    site.keys.origin = "other.example"
    assert run("log", "check", code=1)["code"] == "pinned-keys-changed"


def test_a_checkpoint_kept_by_an_earlier_client_still_binds(site):
    kept = Path(run("log", "check")["kept"])
    kept.rename(kept.with_name(f"{'ab' * 16}.txt"))
    site.keys.leaves[0] = b"rewritten"
    assert run("log", "check", code=1)["code"] == "log-rewritten"


def test_a_download_whose_log_is_not_the_one_remembered_is_not_logged(site, tmp_path):
    folder = bundles.write(tmp_path / "here", site.keys)
    run("log", "check")
    assert (
        "agrees with the checkpoint"
        in run("verify", folder, "--offline")["checks"]["logged"]["sentence"]
    )
    site.keys.leaves[0] = b"another view of the log"
    forked = bundles.write(tmp_path / "forked", site.keys)
    twin = bundles.write(tmp_path / "twin", bundles_of(site.keys, b"another view of the log"))
    for other in (forked, twin):
        assert run("verify", folder, "--offline")["passed"]
        checks = run("verify", other, code=1)["checks"]
        assert checks["logged"]["details"]["code"] == "log-rewritten"
        assert checks["signature"]["state"] == "ok"


def bundles_of(keys, first):
    """The same keys over a log of the size that was remembered, with another first entry."""
    return bundles.Site(
        keys.manifest_key, keys.log_key, keys.status_key, keys.root_key, address=keys.address,
        leaves=[first, b"two", b"three"],
    )  # fmt: skip


def test_offline_a_download_of_another_size_is_said_not_to_be_compared(site, tmp_path):
    run("log", "check")
    folder = bundles.write(tmp_path / "here", site.keys)
    logged = run("verify", folder, "--offline")["checks"]["logged"]
    assert "was not compared" in logged["sentence"]
    logged = run("verify", folder)["checks"]["logged"]
    assert "agrees with" in logged["sentence"]
    assert pins.pinned(site.typed) is not None
