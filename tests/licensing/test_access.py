"""Using a license: in force, on a consent that holds, of a version that stands."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion import consent, releases
from ingestion.models import ConsentRecord, Version
from licensing import access, grants, papers
from licensing.access import AccessState, ConsentNotInForce, GrantNotInForce, VersionWithdrawn
from licensing.models import AccessRecord, Grant
from tests import clock, factories, rights, sealed
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))
OPEN = AccessState("in-force", "given", "sealed")


@pytest.fixture
def version() -> Version:
    return sealed.version(said=SAID)


def of(version: Version, profile: str = "research-only", **choices) -> Grant:
    return rights.grant(rights.offer(version, profile=profile, **choices))


def fresh(grant: Grant) -> Grant:
    return Grant.objects.select_related("offer", "version").get(pk=grant.pk)


def state(grant: Grant) -> AccessState:
    return access.state(grant=fresh(grant))


def test_what_is_in_force_may_be_taken(version):
    grant = of(version)
    assert state(grant) == OPEN
    assert state(grant).is_open
    access.require(grant=fresh(grant))


def test_a_withdrawal_stops_the_next_download_and_says_why(version):
    grant = of(version)
    consent.withdraw(record=ConsentRecord.objects.first(), by=editor(version))
    assert state(grant) == AccessState("in-force", "withdrawn", "sealed")
    with pytest.raises(ConsentNotInForce, match=r"withdrew consent.*withdrawal clause") as refusal:
        access.require(grant=fresh(grant))
    assert refusal.value.details["state"] == "withdrawn"


@pytest.mark.parametrize("way", ["void", "erase"])
def test_a_consent_that_is_gone_stops_it_too(version, way):
    grant = rights.grant(rights.offer(version))
    record = ConsentRecord.objects.first()
    if way == "erase":
        consent.erase(record=record, by=editor(version))
    else:
        with pytest.raises(consent.ConsentReliedOn):
            consent.void(record=record, reason="A mistake.", by=editor(version))
    assert state(grant).consent == ("withdrawn" if way == "erase" else "given")


def test_a_purpose_that_was_taken_back_stops_only_the_licenses_that_allow_it(version):
    wide, narrow = of(version, "commercial-training"), of(version)
    record = ConsentRecord.objects.first()
    consent.withdraw_purposes(record=record, purposes=["commercial"], by=editor(version))
    assert state(wide).consent == "withdrawn"
    assert state(narrow) == OPEN


def test_a_consent_that_ran_out_stops_it_on_the_day_and_not_before(monkeypatch):
    day = clock.in_days(30)
    grant = of(sealed.version(said=SAID, expires_on=day))
    clock.on(day - timedelta(days=1), monkeypatch)
    assert state(grant) == OPEN
    clock.on(day, monkeypatch)
    assert state(grant).consent == "expired"
    with pytest.raises(ConsentNotInForce, match="has run out"):
        access.require(grant=fresh(grant))
    consent.note_expired()
    assert state(grant).consent == "expired"


def test_a_license_ends_at_its_moment_and_not_before(version, monkeypatch):
    grant = of(version, term_days=30)
    clock.set_to(grant.valid_until - timedelta(seconds=1), monkeypatch)
    assert state(grant) == OPEN
    clock.set_to(grant.valid_until, monkeypatch)
    assert state(grant).license == "expired"
    with pytest.raises(GrantNotInForce, match=str(grant.valid_until.date())) as refusal:
        access.require(grant=fresh(grant))
    assert refusal.value.details["state"] == "expired"


def test_a_license_does_not_begin_before_its_moment(version):
    grant = of(version)
    early = grant.valid_from - timedelta(seconds=1)
    assert access.state(grant=grant, at=early).license == "not-yet"
    assert access.state(grant=grant, at=grant.valid_from).license == "in-force"


def test_a_revoked_license_opens_nothing(version):
    grant = of(version)
    grants.revoke(grant=grant, by=grant.issued_to)
    assert state(grant).license == "revoked"
    with pytest.raises(GrantNotInForce, match="was revoked"):
        access.require(grant=fresh(grant))


def test_a_version_that_its_publisher_withdrew_is_not_handed_out(version):
    grant = of(version)
    releases.withdraw(version=version, reason="A mistake.", by=editor(version))
    assert state(grant) == AccessState("in-force", "given", "withdrawn")
    with pytest.raises(VersionWithdrawn, match="The publisher withdrew"):
        access.require(grant=fresh(grant))


def test_many_licenses_are_asked_about_at_once(version):
    other = sealed.version(said=SAID)
    mine = [of(version), of(version, "CC-BY-4.0"), of(other)]
    consent.withdraw(record=other.release_consents.first().record, by=editor(other))
    held = [fresh(grant) for grant in mine]
    with CaptureQueriesContext(connection) as queries:
        found = access.states(grants=held)
    assert len(queries) == 1
    assert [found[grant.pk].consent for grant in mine] == ["given", "given", "withdrawn"]


def test_the_download_is_the_release_and_its_papers(version):
    grant = fresh(of(version))
    files = {file.path: file for file in access.release(grant=grant)}
    published = set(version.release_files.values_list("path", flat=True))
    assert set(files) == published | set(papers.MEDIA_TYPES)
    assert {path for path, file in files.items() if file.is_paper} == set(papers.MEDIA_TYPES)
    clip = version.release_files.get(path="audio/r0001/0001.flac")
    assert files[clip.path].sha256 == clip.blob_id
    (found,) = access.published(grant=grant, path=clip.path)
    assert found == files[clip.path]
    assert list(access.published(grant=grant, path="audio/r0009/0001.flac")) == []


def test_handing_out_is_written_down_with_copies_that_outlive_their_rows(version):
    grant = of(version)
    access.note_access(grant=grant, by="amina@lab.example with the key «cluster»")
    record = AccessRecord.objects.get()
    assert (record.grant_id, record.dataset, record.version, record.licensee) == (
        grant.pk,
        str(version.dataset),
        1,
        grant.licensee.slug,
    )


def test_only_the_licensee_sees_and_uses_a_license(version):
    grant = of(version)
    holder, stranger = grant.issued_to, factories.user()
    editor_of_theirs = factories.member(grant.licensee)
    for person, sees, uses in (
        (holder, True, True),
        (editor_of_theirs, True, False),
        (stranger, False, False),
        (editor(version), False, False),
    ):
        assert person.has_perm("licensing.view_grant", grant) == sees
        assert person.has_perm("licensing.use_grant", grant) == uses
