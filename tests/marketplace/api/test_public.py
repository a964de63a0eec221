"""What anybody may read: the log, the status lists, the keys, the verifier, the health checks."""

import json

import pytest
from commonhold import merkle, notes, statuslist, tlog
from commonhold.trust import read_trusted_root
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from rest_framework.test import APIClient

from ingestion import consent, transparency
from ingestion.models import ConsentRecord, LogEntry
from licensing import access, grants
from tests import factories, sealed
from tests.marketplace.api.callers import buy, client, problem, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def station():
    return factories.organization("Radio Valley")


@pytest.fixture
def grant(station):
    version = sealed.version(sealed.dataset(station, slug="morning"))
    offer = publish(version, factories.owner_of(station))
    return buy(offer, factories.organization("Speech Lab")).grant


def trust():
    """The keys as anybody reads them."""
    answer = client().get("/.well-known/commonhold/trusted_root.json")
    assert answer["Content-Type"] == "application/json"
    return read_trusted_root(answer.content)


# ---- the log ---------------------------------------------------------------------------------


def test_an_empty_log_says_that_it_is_empty():
    problem(client().get("/log/checkpoint"), 404, "log-empty")


def test_a_mirror_can_rebuild_the_root_from_the_tiles(grant):
    answer = client().get("/log/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    checkpoint = notes.open_checkpoint(answer.content.decode(), trust().log_vkey)
    assert checkpoint.size == 2
    tile = client().get(f"/log/tile/0/000.p/{checkpoint.size}").content
    hashes = [tile[start : start + 32] for start in range(0, len(tile), 32)]
    node = merkle.memory_nodes(hashes)
    assert merkle.tree_root(checkpoint.size, node) == checkpoint.root


def test_a_bundle_holds_the_entries_whose_hashes_the_tile_holds(grant):
    tile = client().get("/log/tile/0/000.p/2").content
    bundle = client().get("/log/tile/entries/000.p/2").content
    position, hashes = 0, b""
    while position < len(bundle):
        length = int.from_bytes(bundle[position : position + 2], "big")
        body = bundle[position + 2 : position + 2 + length]
        assert body == client().get(f"/log/entries/{len(hashes) // 32}").content
        hashes += merkle.leaf_hash(body)
        position += 2 + length
    assert hashes == tile


def test_a_proof_of_ours_holds_for_an_entry_of_ours(grant):
    body = client().get(f"/log/entries/{grant.log_entry_id}")
    assert body["Content-Type"] == "application/json"
    proof = transparency.prove(entry=LogEntry.objects.get(pk=grant.log_entry_id))
    read = tlog.parse_proof(proof.to_bytes())
    assert read.verify(body.content, trust().log_vkey).size == 2


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/000.p/3",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/0/x001/000.p/1",
        "tile/entries/000",
        "tile/0/x000/000.p/1",
        "tile/0/000.p/256",
        "entries/2",
    ],
)
def test_what_the_log_does_not_have_yet_is_a_problem(grant, path):
    answer = client().get(f"/log/{path}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert "/log/checkpoint" in answer.json()["detail"] or "tile" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    ["tile/0/0", "tile/00/000", "tile/64/000", "tile/0/000.p/0", "tile/0/000.p/02", "tile/-1/000"],
)
def test_an_address_that_is_spelled_otherwise_is_none_of_the_logs(grant, path):
    assert client().get(f"/log/{path}").status_code == 404


def test_mirrors_may_keep_tiles_for_good_and_checkpoints_not_at_all(grant):
    assert "immutable" in client().get("/log/tile/0/000.p/2")["Cache-Control"]
    assert client().get("/log/checkpoint")["Cache-Control"] == "public, max-age=1"


@pytest.mark.parametrize(
    "path",
    ["/log/checkpoint", "/status/consent/0", "/.well-known/commonhold/trusted_root.json"],
)
def test_pages_of_any_origin_may_read_what_is_public_and_nobody_may_write_it(grant, path):
    assert client().get(path)["Access-Control-Allow-Origin"] == "*"
    assert client().post(path).status_code == 405


# ---- status lists ----------------------------------------------------------------------------


def read_list(path: str):
    """A status list, verified."""
    answer = client().get(path)
    assert answer["Content-Type"] == "application/statuslist+jwt"
    assert answer["Cache-Control"] == "public, max-age=60"
    keys = [trusted.key for trusted in trust().status_keys]
    return statuslist.check_status_list(answer.content.decode(), keys, f"http://testserver{path}")


def test_a_withdrawal_shows_in_the_status_list_at_once(grant):
    record = ConsentRecord.objects.first()
    assert read_list("/status/consent/0").status(record.status_index) == statuslist.VALID
    consent.withdraw(record=record, by="Amina")
    assert read_list("/status/consent/0").status(record.status_index) == statuslist.WITHDRAWN


def test_a_revocation_shows_in_the_status_list_at_once(grant, station):
    assert read_list("/status/grant/0").status(grant.status_index) == statuslist.VALID
    grants.revoke(grant=grant, by=factories.owner_of(station))
    assert read_list("/status/grant/0").status(grant.status_index) == statuslist.REVOKED


def test_a_status_list_that_is_not_kept_is_a_problem():
    problem(client().get("/status/consent/7"), 404, "no-such-status-list", "7")


# ---- the verifier ----------------------------------------------------------------------------


def verify(**papers: bytes):
    """Send papers to the verifier."""
    files = {name: SimpleUploadedFile(name, data) for name, data in papers.items()}
    answer = APIClient().post("/api/v1/verify", files, format="multipart")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def states(found: dict) -> dict[str, str]:
    """The vector, short."""
    return {name: check["state"] for name, check in found["checks"].items()}


def test_a_manifest_alone_is_verified_as_far_as_it_goes(grant):
    papers = access.generated(grant=grant)
    found = verify(manifest=papers["manifest.dsse.json"])
    assert states(found) == {
        "signature": "ok",
        "logged": "unknown",
        "files": "unknown",
        "license": "ok",
        "consent": "ok",
    }
    assert found["about"]["licensee"] == "Speech Lab"
    assert found["about"]["test"] is True


def test_a_bundle_and_its_proof_are_verified_whole(grant):
    papers = access.generated(grant=grant)
    found = verify(
        manifest=papers["manifest.sigstore.json"], consent_status=papers["consent-status.jwt"]
    )
    assert states(found)["logged"] == "ok"
    found = verify(
        manifest=papers["manifest.dsse.json"],
        sigstore=papers["manifest.sigstore.json"],
        proof=papers["manifest.tlog-proof"],
    )
    assert states(found)["logged"] == "ok"
    assert found["passed"] is True


def test_a_manifest_with_one_bit_flipped_fails(grant):
    paper = json.loads(access.generated(grant=grant)["manifest.dsse.json"])
    payload = paper["payload"]
    paper["payload"] = payload[:100] + ("A" if payload[100] != "A" else "B") + payload[101:]
    found = verify(manifest=json.dumps(paper).encode())
    assert states(found)["signature"] == "failed"
    assert found["passed"] is False


def test_the_verifier_knows_of_withdrawals_and_revocations_now(grant, station):
    papers = access.generated(grant=grant)
    consent.withdraw(record=ConsentRecord.objects.first(), by="Amina")
    grants.revoke(grant=grant, by=factories.owner_of(station))
    found = verify(
        manifest=papers["manifest.dsse.json"], consent_status=papers["consent-status.jwt"]
    )
    assert (states(found)["license"], states(found)["consent"]) == ("failed", "failed")
    assert "p-000" in found["checks"]["consent"]["sentence"]


@pytest.mark.parametrize("data", [b"{}", b"not json", b"\xff\xfe", b"[]", b"{" * 5000])
def test_what_is_no_manifest_fails_the_verification_in_words(data):
    found = verify(manifest=data)
    assert states(found)["signature"] == "failed"
    assert found["checks"]["signature"]["sentence"]


def test_nothing_to_verify_is_a_problem():
    answer = APIClient().post("/api/v1/verify", {}, format="multipart")
    problem(answer, 422, "nothing-to-verify", "manifest.dsse.json")


# ---- health ----------------------------------------------------------------------------------


def test_the_process_says_that_it_lives(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client().get("/healthz").json() == {"status": "ok"}


def test_readiness_asks_database_broker_and_storage():
    answer = client().get("/readyz")
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "broker": "ok", "storage": "ok"},
    }
    assert "no-store" in answer["Cache-Control"]


def test_a_store_that_takes_nothing_is_not_ready(settings, tmp_path):
    (tmp_path / "blobs").write_text("a file where a folder should be")
    settings.BLOB_DIR = tmp_path / "blobs"
    answer = client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "broker": "ok", "storage": "failed"}
    assert "tmp" not in answer.content.decode()


def test_a_database_that_is_away_is_not_ready(monkeypatch):
    def refuse(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "failed"
