"""Grants: a signed statement from an open offer, its papers, and its end."""

import json
from datetime import timedelta

import pytest
from commonhold import index, statuslist
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry
from ingestion import consent, releases
from ingestion.models import ConsentRecord, ReleaseFile, Version
from licensing import grants, offers, papers
from licensing.grants import GrantRevoked
from licensing.models import Grant, GrantPaper, News
from licensing.offers import OfferBeyondConsent, OfferClosed
from notary import statements, status
from notary.models import LogEntry, StatusList
from tests import factories, rights, sealed
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))


@pytest.fixture
def version() -> Version:
    return sealed.version(said=SAID)


def statement_of(grant: Grant) -> dict:
    return json.loads(statements.envelope_of(statement=grant.statement).payload)


def listed(grant: Grant) -> int:
    """What the status list says of a grant once it is published."""
    status.publish()
    place = status.place_of(name=grants.STATUS_LIST, index=grant.status_index)
    return statuslist.read(bytes(StatusList.objects.get(uri=place.uri).statuses), place.position)


def test_the_statement_says_what_was_granted_to_whom_and_until_when(version):
    buyer = factories.organization("Lab of Languages")
    grant = rights.grant(rights.offer(version, term_days=30), buyer)
    signed = statement_of(grant)["predicate"]
    told = signed["grant"]
    assert told["id"] == f"urn:uuid:{grant.pk}"
    assert told["licensee"]["name"] == "Lab of Languages"
    assert told["scope"]["purposes"] == grant.offer.purposes
    assert "commercial" in told["scope"]["denies"]
    assert told["acceptance"]["termsDigest"]["sha256"] == grant.offer.terms_sha256
    assert grant.valid_until == grant.valid_from + timedelta(days=30)
    assert signed["release"] == releases.seal_of(version=version).release


def test_the_statement_carries_the_files_of_the_release_and_reads_none_of_them(version):
    offer = rights.offer(version)
    with CaptureQueriesContext(connection) as queries:
        grant = rights.grant(offer)
    subjects = {one["name"]: one["digest"]["sha256"] for one in statement_of(grant)["subject"]}
    files = dict(version.release_files.values_list("path", "blob_id"))
    assert files.items() <= subjects.items()
    asked = " ".join(query["sql"] for query in queries)
    assert ReleaseFile._meta.db_table not in asked


def test_a_license_of_a_large_release_costs_as_many_queries_as_one_of_a_small(version):
    costs = []
    for said in (SAID, SAID * 10):
        offer = rights.offer(sealed.version(said=said))
        buyer = factories.organization()
        rights.grant(offer, buyer)
        with CaptureQueriesContext(connection) as queries:
            rights.grant(offer, buyer)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_two_licenses_of_one_offer_have_nothing_in_common_but_the_terms(version):
    offer = rights.offer(version)
    first, second = rights.grant(offer), rights.grant(offer)
    one, other = (statement_of(grant)["predicate"]["grant"] for grant in (first, second))
    assert one["nonce"] != other["nonce"]
    assert first.status_index != second.status_index
    assert one["price"]["paymentRef"] != other["price"]["paymentRef"]
    assert "nothing was paid" not in str(one)


def test_a_license_is_logged_told_and_written_down(version):
    before = LogEntry.objects.count()
    grant = rights.grant(rights.offer(version))
    assert LogEntry.objects.count() == before + 1
    news = News.objects.latest("pk")
    assert (news.kind, news.version_id, news.grant_id) == ("granted", version.pk, grant.pk)
    entry = AuditEntry.objects.get(verb="grant.issued")
    assert entry.actor == grant.issued_to.email
    assert entry in audit.history(of=version.dataset)
    assert entry in audit.history(of=grant.licensee)
    assert Version.objects.get(pk=version.pk).relied_on_at is not None


def test_a_test_license_says_so(version):
    grant = rights.grant(rights.offer(version), is_test=True)
    assert grant.is_test
    assert statement_of(grant)["predicate"]["grant"]["price"]["test"] is True


def test_an_offer_that_is_over_licenses_nothing(version):
    closed, left = rights.offer(version), rights.offer(version, profile="CC-BY-4.0")
    offers.close(offer=closed, by=editor(version))
    with pytest.raises(OfferClosed):
        rights.grant(closed)
    releases.withdraw(version=version, reason="A mistake.", by=editor(version))
    with pytest.raises(OfferClosed):
        rights.grant(left)
    assert not Grant.objects.exists()
    assert not News.objects.filter(kind="granted").exists()
    assert Version.objects.get(pk=version.pk).relied_on_at is None


def test_what_a_speaker_took_back_is_not_licensed_before_anybody_has_read_the_news(version):
    wide, narrow = rights.offer(version, profile="CC-BY-4.0"), rights.offer(version)
    record = ConsentRecord.objects.first()
    consent.withdraw_purposes(record=record, purposes=["commercial"], by=editor(version))
    with pytest.raises(OfferBeyondConsent, match="took it back"):
        rights.grant(wide)
    assert rights.grant(narrow).state == Grant.State.IN_FORCE
    consent.withdraw(record=record, by=editor(version))
    with pytest.raises(OfferBeyondConsent, match="withdrew consent"):
        rights.grant(narrow)


def test_a_license_is_revoked_once_and_for_good(version):
    grant = rights.grant(rights.offer(version))
    by = grant.issued_to
    assert listed(grant) == statuslist.VALID
    revoked = grants.revoke(grant=grant, by=by, reason="Not what we wanted.")
    assert (revoked.state, listed(grant)) == (Grant.State.REVOKED, statuslist.REVOKED)
    assert News.objects.filter(kind="revoked", grant_id=grant.pk).count() == 1
    entry = AuditEntry.objects.get(verb="grant.revoked")
    assert (entry.actor, entry.copies["reason"]) == (by.email, "Not what we wanted.")
    with pytest.raises(GrantRevoked, match="nothing was changed"):
        grants.revoke(grant=grant, by=by)
    assert Grant.objects.get().revoked_at == revoked.revoked_at
    assert AuditEntry.objects.filter(verb="grant.revoked").count() == 1


def test_the_database_refuses_to_change_what_was_granted(version):
    grant = rights.grant(rights.offer(version))
    for change in ({"licensee_name": "Another"}, {"valid_until": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.filter(pk=grant.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        grant.delete()
    grants.revoke(grant=grant, by=grant.issued_to)
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.update(state="in-force", revoked_at=None)


def test_looking_at_the_papers_twice_leaves_nothing_new(version):
    grant = rights.grant(rights.offer(version))
    first = papers.of(grant=grant)
    kept = set(GrantPaper.objects.values_list("name", "sha256"))
    blobs = set(sealed.Blob.objects.values_list("pk", flat=True))
    assert papers.of(grant=grant) == first
    assert set(GrantPaper.objects.values_list("name", "sha256")) == kept
    assert set(sealed.Blob.objects.values_list("pk", flat=True)) == blobs
    assert {paper.name for paper in first} == set(papers.MEDIA_TYPES)


def test_a_paper_of_before_is_found_by_its_digest_after_it_changed(version):
    grant = rights.grant(rights.offer(version))
    before = {paper.name: paper for paper in papers.of(grant=grant)}
    consent.withdraw(record=ConsentRecord.objects.first(), by=editor(version))
    status.publish()
    after = {paper.name: paper for paper in papers.of(grant=grant)}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"consent-status.jwt"}
    for paper in (*before.values(), *after.values()):
        assert papers.find(grant=grant, name=paper.name, sha256=paper.sha256) == paper
    assert papers.find(grant=grant, name="LICENSE.txt", sha256="0" * 64) is None
    assert papers.find(grant=grant, name="../LICENSE.txt", sha256=paper.sha256) is None


def test_papers_of_one_license_are_not_found_under_another(version):
    offer = rights.offer(version)
    mine, theirs = rights.grant(offer), rights.grant(offer)
    for paper in papers.of(grant=mine):
        if paper.name.startswith("manifest"):
            assert papers.find(grant=theirs, name=paper.name, sha256=paper.sha256) is None


def test_old_papers_go_and_are_made_anew(version):
    grant = rights.grant(rights.offer(version))
    papers.of(grant=grant)
    assert papers.tidy() == 0
    GrantPaper.objects.update(made_at=timezone.now() - papers.KEPT - timedelta(seconds=1))
    assert papers.tidy() == len(papers.MEDIA_TYPES) - len(papers.LASTING)
    assert {paper.name for paper in papers.of(grant=grant)} == set(papers.MEDIA_TYPES)


def test_the_index_among_the_papers_is_the_one_that_was_sealed(version):
    grant = rights.grant(rights.offer(version))
    paper = next(one for one in papers.of(grant=grant) if one.name == "files.jsonl")
    rows = [row.path for row in index.parse(paper.content.splitlines(keepends=True))]
    assert rows == list(version.release_files.values_list("path", flat=True))
    assert paper.content == releases.index_bytes(version=version)
