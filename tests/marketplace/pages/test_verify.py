"""Verifying in public: five answers, for anybody, and nothing kept."""

import io
from pathlib import Path

import pytest
from commonhold.report import State
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ingestion.models import Blob
from licensing.models import Grant
from notary import status
from tests import trade
from tests.sdk import bundles
from tests.sdk.forgeries.lab import Lab, row_edit

pytestmark = pytest.mark.django_db
PAPERS = (
    "manifest.dsse.json",
    "manifest.sigstore.json",
    "manifest.tlog-proof",
    "consent-status.jwt",
    "trusted_root.json",
)


def papers_of(grant: Grant, *names: str) -> dict[str, bytes]:
    made = trade.papers_of(grant)
    return {name: made[name] for name in names or PAPERS}


def send(papers: dict[str, bytes]):
    files = [SimpleUploadedFile(name, data) for name, data in papers.items()]
    return Client(enforce_csrf_checks=True).post("/verify", {"files": files})


def words(answer) -> dict[str, str]:
    return {row["name"]: row["word"] for row in answer.context["rows"]}


def test_the_form_says_what_a_signature_proves_and_what_not():
    page = Client().get("/verify").content.decode()
    assert "What a signature proves" in page
    assert "that a consent form was honest" in page


def test_a_license_verifies_as_five_answers():
    answer = send(papers_of(trade.grant()))
    assert answer.status_code == 200
    assert words(answer) == {
        "Signature": "Genuine",
        "Log": "In the public log",
        "Files": "Not checked",
        "License": "In force",
        "Consent": "Stands",
    }
    assert "as it publishes them" in answer.content.decode()


def test_one_manifest_alone_is_enough_for_signature_and_log():
    papers = papers_of(trade.grant(), "manifest.sigstore.json")
    answer = send({"renamed (1).json": papers["manifest.sigstore.json"]})
    found = words(answer)
    assert (found["Signature"], found["Log"]) == ("Genuine", "In the public log")


def test_a_flipped_bit_is_not_genuine_and_nothing_else_is_claimed():
    papers = papers_of(trade.grant(), "manifest.dsse.json")
    broken = papers["manifest.dsse.json"].replace(b'"payload":"e', b'"payload":"f', 1)
    found = words(send({"manifest.dsse.json": broken}))
    assert found.pop("Signature") == "Not genuine"
    assert set(found.values()) == {"Not checked"}


def test_files_that_come_along_are_compared_by_digest():
    grant = trade.grant()
    papers = papers_of(grant, "manifest.sigstore.json", "files.jsonl", "croissant.json")
    assert words(send(papers))["Files"] == "Partly checked"
    changed = send(papers | {"croissant.json": papers["croissant.json"] + b" "})
    assert words(changed)["Files"] == "Changed"
    assert "croissant.json» is not what was signed" in changed.content.decode()


def test_a_withdrawal_shows_once_the_lists_are_published():
    grant = trade.grant()
    papers = papers_of(grant)
    trade.withdraw(grant.version)
    status.publish()
    answer = send(papers)
    assert words(answer)["Consent"] == "Does not stand"


def test_another_sites_manifest_proves_nothing_by_the_keys_beside_it(tmp_path: Path):
    folder = bundles.write(tmp_path, bundles.Site())
    papers = {name: (folder / name).read_bytes() for name in PAPERS}
    answer = send(papers)
    found = words(answer)
    assert found.pop("Signature") == "Unknown keys"
    assert set(found.values()) == {"Not checked"}
    page = answer.content.decode()
    assert "they came with what you sent" in page
    assert "Example Speech GmbH" not in page
    del papers["trusted_root.json"]
    assert words(send(papers))["Signature"] == "Not genuine"


@pytest.mark.parametrize(
    "papers",
    [
        {"cat.jpg": b"\xff\xd8\xff"},
        {"empty.json": b"{}"},
        {"manifest.tlog-proof": b"nonsense"},
    ],
)
def test_without_a_manifest_it_says_which_one_is_wanted(papers: dict[str, bytes]):
    answer = send(papers)
    assert answer.status_code == 422
    assert "manifest" in answer.content.decode()


def test_nonsense_for_a_manifest_is_answered():
    found = words(send({"manifest.dsse.json": b"\x00" * 100}))
    assert found["Signature"] == "Not genuine"
    assert send({}).status_code == 422


def test_too_much_is_refused_before_it_is_read():
    body = io.BytesIO(b"x")
    answer = Client().post(
        "/verify",
        data=body.read(),
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(6 * 1024 * 1024),
        headers={"Accept": "text/html"},
    )
    assert answer.status_code == 413
    assert "5,242,880 bytes" in answer.content.decode()


def test_nothing_is_kept():
    grant = trade.grant()
    papers = papers_of(grant)
    before = Blob.objects.count()
    send(papers | {"my own file.txt": b"private"})
    assert Blob.objects.count() == before


def test_an_index_with_a_clip_on_nobodys_consent_fails_the_files(tmp_path):
    """As an issuer could sign it: every digest is right."""
    site = bundles.Site()
    lab = Lab(bundles.write(tmp_path / "release", site), site)
    row_edit("audio/morning/0001.flac", c=[])(lab)
    answer = send({name: lab.read(name) for name in (*PAPERS, "files.jsonl")})
    found = answer.context["report"].files
    assert (found.state, found.details["code"]) == (State.FAILED, "invalid-index")
    assert "“audio/morning/0001.flac” rests on nobody's consent" in found.sentence
