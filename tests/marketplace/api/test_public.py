"""What anybody may read: the log, the status lists, the keys, the verifier, the health checks."""

import json

import pytest
from commonhold import merkle, notes, statuschange, statuslist, tlog
from commonhold.manifest import PROOFS
from commonhold.signing import envelope_from
from commonhold.trust import read_trusted_root
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from rest_framework.test import APIClient

from ingestion import consent
from ingestion.models import ConsentRecord
from licensing import grants, papers
from notary import keys, log, status
from notary.models import LogEntry
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
    grant = buy(offer, factories.organization("Speech Lab")).grant
    log.integrate()
    grant.statement.entry.refresh_from_db()
    return grant


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
    body = client().get("/log/entries/1")
    assert body["Content-Type"] == "application/json"
    proof = log.prove(entry=LogEntry.objects.get(index=1))
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
    assert answer["Cache-Control"] == "public, max-age=30"
    keys = [trusted.key for trusted in trust().status_keys]
    return statuslist.check_status_list(answer.content.decode(), keys, f"http://localhost{path}")


def test_a_withdrawal_shows_in_the_status_list_once_it_is_published(grant):
    record = ConsentRecord.objects.first()
    consent.withdraw(record=record, by=factories.user())
    assert read_list("/status/consent/0").status(record.status_index) == statuslist.VALID
    status.publish()
    assert read_list("/status/consent/0").status(record.status_index) == statuslist.WITHDRAWN


def test_a_revocation_shows_in_the_status_list_once_it_is_published(grant, station):
    grants.revoke(grant=grant, by=factories.owner_of(station))
    assert read_list("/status/grant/0").status(grant.status_index) == statuslist.VALID
    status.publish()
    assert read_list("/status/grant/0").status(grant.status_index) == statuslist.REVOKED


def test_a_status_list_that_is_not_kept_is_a_problem():
    problem(client().get("/status/consent/7"), 404, "no-such-status-list", "7")


def statements_at(path: str) -> list[dict]:
    """Everything that is said about a list, page after page, verified."""
    found = []
    while path:
        page = client().get(path).json()
        found += page["statements"]
        path = page["next"]
    for one in found:
        envelope = envelope_from(one["envelope"])
        key = envelope.verify([trusted.key for trusted in trust().manifest_keys])
        body = tlog.entry_body(envelope, key)
        assert body == client().get(f"/log/entries/{one['index']}").content
    return found


def test_the_lists_and_what_was_said_about_them_can_be_held_against_the_log(grant, station):
    status.publish()
    grants.revoke(grant=grant, by=factories.owner_of(station))
    status.publish()
    lists = client().get("/status/").json()["lists"]
    assert [one["path"] for one in lists] == ["/status/consent/0", "/status/grant/0"]
    for one in lists:
        said = [
            statuschange.read(envelope_from(each["envelope"]).payload)
            for each in statements_at(f"{one['path']}/changes")
        ]
        assert {state.uri for state in said} == {one["uri"]}
        assert bytes(statuschange.replay(said).data) == read_list(one["path"]).data
        for count in (1, 2, 99):
            newest = statements_at(f"{one['path']}/changes?newest={count}")
            sequences = [each["sequence"] for each in newest]
            assert sequences == list(range(1, len(said) + 1))[-count:]


def test_what_was_said_about_a_list_comes_in_pages(grant, station, monkeypatch):
    monkeypatch.setattr("marketplace.api.status.PAGE", 2)
    for record in ConsentRecord.objects.all():
        status.publish()
        consent.withdraw(record=record, by=factories.user())
    status.publish()
    found = statements_at("/status/consent/0/changes")
    assert [one["sequence"] for one in found] == [1, 2, 3]
    after = client().get("/status/consent/0/changes?after=1").json()
    assert [one["sequence"] for one in after["statements"]] == [2, 3]
    assert after["next"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/status/consent/99999999999999999999",
        "/status/nothing/0",
        "/status/nothing/0/changes",
        "/status/consent/99999999999999999999/changes",
    ],
)
def test_no_other_list_is_known(grant, path):
    problem(client().get(path), 404, "no-such-status-list")


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=99999999999999", "newest=", ""])
def test_any_question_about_a_list_is_answered(grant, query):
    status.publish()
    answer = client().get(f"/status/consent/0/changes?{query}")
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"


# ---- keys ------------------------------------------------------------------------------------


def test_every_version_of_the_trusted_root_stays_where_it_was(grant):
    path = "/.well-known/commonhold/trusted_root"
    first = client().get(f"{path}.json")
    assert "immutable" not in first["Cache-Control"]
    keys.rotate(purpose="root", by="Ada")
    assert trust().version == 2
    assert client().get(f"{path}/1.json").content == first.content
    assert client().get(f"{path}/2.json").content == client().get(f"{path}.json").content
    assert "immutable" in client().get(f"{path}/1.json")["Cache-Control"]
    for absent in ("0", "3", "9" * 30):
        problem(client().get(f"{path}/{absent}.json"), 404, "no-such-trusted-root")


# ---- the verifier ----------------------------------------------------------------------------


def papers_of(grant) -> dict[str, bytes]:
    """The papers of a license, by name."""
    return {paper.name: paper.content for paper in papers.of(grant=grant)}


def verify(**files_of_it: bytes):
    """Send papers to the verifier."""
    files = {name: SimpleUploadedFile(name, data) for name, data in files_of_it.items()}
    answer = APIClient().post("/api/v1/verify", files, format="multipart")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def states(found: dict) -> dict[str, str]:
    """The vector, short."""
    return {name: check["state"] for name, check in found["checks"].items()}


def test_a_manifest_alone_is_verified_as_far_as_it_goes(grant):
    held = papers_of(grant)
    found = verify(manifest=held["manifest.dsse.json"])
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
    held = papers_of(grant)
    found = verify(
        manifest=held["manifest.sigstore.json"], consent_status=held["consent-status.jwt"]
    )
    assert states(found)["logged"] == "ok"
    found = verify(
        manifest=held["manifest.dsse.json"],
        sigstore=held["manifest.sigstore.json"],
        proof=held["manifest.tlog-proof"],
    )
    assert states(found)["logged"] == "ok"
    assert found["passed"] is True


def test_a_manifest_with_one_bit_flipped_fails(grant):
    paper = json.loads(papers_of(grant)["manifest.dsse.json"])
    payload = paper["payload"]
    paper["payload"] = payload[:100] + ("A" if payload[100] != "A" else "B") + payload[101:]
    found = verify(manifest=json.dumps(paper).encode())
    assert states(found)["signature"] == "failed"
    assert found["passed"] is False


def test_the_verifier_knows_of_withdrawals_and_revocations_now(grant, station):
    held = papers_of(grant)
    consent.withdraw(record=ConsentRecord.objects.first(), by=factories.user())
    grants.revoke(grant=grant, by=factories.owner_of(station))
    status.publish()
    found = verify(manifest=held["manifest.dsse.json"], consent_status=held["consent-status.jwt"])
    assert (states(found)["license"], states(found)["consent"]) == ("failed", "failed")
    assert "p-000" in found["checks"]["consent"]["sentence"]


@pytest.mark.parametrize("data", [b"{}", b"not json", b"\xff\xfe", b"[]", b"{" * 5000])
def test_what_is_no_manifest_fails_the_verification_in_words(data):
    found = verify(manifest=data)
    assert states(found)["signature"] == "failed"
    assert found["checks"]["signature"]["sentence"]


def test_the_papers_of_a_license_are_small_enough_to_be_verified(grant):
    files = {
        name: SimpleUploadedFile(name, data)
        for name, data in papers_of(grant).items()
        if name in PROOFS
    }
    answer = APIClient().post("/api/v1/verify", files, format="multipart")
    assert states(answer.json())["logged"] == "ok"


def test_what_is_far_too_large_for_a_paper_is_refused():
    mebibyte = b" " * 1024 * 1024
    large = {"manifest": SimpleUploadedFile("manifest.dsse.json", mebibyte + b" ")}
    answer = APIClient().post("/api/v1/verify", large, format="multipart")
    problem(answer, 413, "document-too-large", "manifest.dsse.json")
    many = {f"paper{number}": SimpleUploadedFile("x.json", mebibyte) for number in range(6)}
    answer = APIClient().post("/api/v1/verify", many, format="multipart")
    problem(answer, 413, "request-too-large")


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
