"""The library: what an organization holds, what it may take, and what proves it."""

import io
import zipfile

import pytest
from commonhold.report import State
from commonhold.trust import read_trusted_root
from commonhold.verify import Documents, verify_documents
from django.test import Client

from accounts.models import Role, User
from licensing import grants
from licensing.models import AccessRecord, Grant
from notary import keys
from tests import factories, sealed, trade

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def owner(grant: Grant) -> Client:
    return signed_in(factories.owner_of(grant.licensee))


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_library_points_to_the_catalogue():
    person = factories.owner_of(factories.organization())
    assert "No licenses yet" in text(signed_in(person), "/library/")
    assert "You belong to no organization" in text(signed_in(factories.user()), "/library/")


def test_the_library_lists_only_what_the_organization_holds():
    ours = trade.grant(trade.offer(sealed.version(sealed.dataset(title="Ours"))))
    theirs = trade.grant(trade.offer(sealed.version(sealed.dataset(title="Theirs"))))
    page = text(owner(ours), "/library/")
    assert ours.version.dataset.title in page
    assert theirs.version.dataset.title not in page


@pytest.mark.parametrize("page", ["", "/certificate", "/papers.zip", "/files/metadata.jsonl"])
def test_somebody_elses_license_is_not_there(page: str):
    grant = trade.grant()
    for person in (factories.user(), factories.owner_of(grant.version.dataset.organization)):
        assert signed_in(person).get(f"/library/{grant.pk}{page}").status_code == 404
    assert Client().get(f"/library/{grant.pk}{page}").status_code == 302


def test_a_license_shows_command_terms_and_every_file():
    grant = trade.grant()
    page = text(owner(grant), f"/library/{grant.pk}")
    for words in (
        f"commonhold download {grant.version} --to",
        "audio/r0001/0001.flac",
        "manifest.sigstore.json",
        "You may not",
        grant.offer.terms_sha256,
        "TEST",
    ):
        assert words in page


def test_a_download_link_leads_to_the_bytes_and_is_written_down():
    grant = trade.grant()
    answer = owner(grant).get(f"/library/{grant.pk}/files/audio/r0001/0001.flac")
    assert answer.status_code == 302
    data = Client().get(answer["Location"])
    assert b"".join(data.streaming_content)[:4] == b"fLaC"
    person = factories.owner_of(grant.licensee)
    assert AccessRecord.objects.get(grant_id=grant.pk).by == person.email
    assert owner(grant).get(f"/library/{grant.pk}/files/nothing.flac").status_code == 404
    assert owner(grant).get(f"/library/{grant.pk}/files/morning.wav").status_code == 404


def test_an_editor_of_the_licensee_sees_the_license_but_takes_nothing():
    grant = trade.grant()
    editor = signed_in(factories.member(grant.licensee, Role.EDITOR))
    page = text(editor, f"/library/{grant.pk}")
    assert "you may see what there is" in page
    assert "commonhold download" not in page
    assert editor.get(f"/library/{grant.pk}/files/metadata.jsonl").status_code == 404


def test_the_papers_of_a_license_verify_together():
    grant = trade.grant()
    answer = owner(grant).get(f"/library/{grant.pk}/papers.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        papers = {name: archive.read(name) for name in archive.namelist()}
    report = verify_documents(
        Documents.of(papers), trust=read_trusted_root(keys.trusted_root()), fetch=None
    )
    found = {name: check.state for name, check in report.vector.items()}
    # The papers alone, and nobody asked: neither files nor revocation are known.
    assert (found.pop("files"), found.pop("license")) == (State.UNKNOWN, State.UNKNOWN)
    assert set(found.values()) == {State.OK}
    assert papers["LICENSE.txt"].decode() == grant.offer.terms_text


def test_a_withdrawal_closes_the_download_and_says_what_to_do():
    grant = trade.grant()
    trade.withdraw(grant.version)
    client = owner(grant)
    page = text(client, f"/library/{grant.pk}")
    assert "has withdrawn" in page
    assert "within 30 days" in page
    assert "What to do now" in page
    assert "/files/metadata.jsonl" not in page
    closed = client.get(f"/library/{grant.pk}/files/metadata.jsonl")
    assert closed["Location"] == f"/library/{grant.pk}"
    assert client.get(f"/library/{grant.pk}/papers.zip").status_code == 200
    assert "Consent withdrawn" in text(client, "/library/")


def test_a_revoked_license_says_so():
    grant = trade.grant()
    grants.revoke(grant=grant, by=factories.owner_of(grant.version.dataset.organization))
    assert "This license was revoked" in text(owner(grant), f"/library/{grant.pk}")


def test_the_certificate_names_both_sides_and_says_test():
    grant = trade.grant()
    page = text(owner(grant), f"/library/{grant.pk}/certificate")
    for words in (
        grant.licensee_name,
        grant.version.dataset.organization.name,
        str(grant.pk),
        grant.version.merkle_root,
        "This is a TEST license",
        "prevails",
    ):
        assert words in page


def test_the_receipt_adds_up_and_says_test():
    grant = trade.grant()
    client = owner(grant)
    page = text(client, f"/library/receipts/{grant.order.pk}")
    for words in ("€40", "€2", "€42", "5 %", "This is a TEST receipt"):
        assert words in page
    assert str(grant.order.pk) in text(client, "/library/receipts/")
    stranger = signed_in(factories.user())
    assert stranger.get(f"/library/receipts/{grant.order.pk}").status_code == 404
