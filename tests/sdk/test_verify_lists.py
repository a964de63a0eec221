"""Consents in several lists, narrowed ones, and sites that moved or renewed their keys."""

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from commonhold import fetching, times, trust, verify
from commonhold.report import State

from tests.sdk import bundles
from tests.sdk.verified import HOLDS, LATER, checked, papers, states

OTHER_URI = f"{bundles.SITE}/status/consent/18"
GRANTED = ["speech-recognition", "commercial"]


def in_two_lists(folder, site, first=None, second=None, **more):
    """A release whose two consents are in two lists."""
    place = {"uri": OTHER_URI, "idx": 2}
    records = [bundles.record(0, 5), bundles.record(1, 2, statusList=place)]
    bundles.write(folder, site, records=records)
    tokens = (
        site.consent_status(first or [0] * 8, **more),
        site.status_list(second or [0] * 8, OTHER_URI, **more),
    )
    (folder / "consent-status.jwt").write_bytes(bundles.lines(*tokens))
    return folder, tokens


def test_consents_in_several_lists_are_all_looked_up(site, tmp_path):
    folder, _ = in_two_lists(tmp_path / "fine", site)
    assert states(checked(folder)) == HOLDS
    folder, _ = in_two_lists(tmp_path / "one", site, first=[0, 0, 1, 0, 0, 0, 0, 0])
    assert checked(folder).consent.state is State.OK
    folder, _ = in_two_lists(tmp_path / "other", site, second=[0, 0, 1, 0, 0, 0, 0, 0])
    report = checked(folder)
    assert report.consent.state is State.FAILED
    assert "p-0001" in report.consent.sentence
    assert "p-0000" not in report.consent.sentence


def test_a_list_taken_out_of_the_snapshot_is_noticed(site, tmp_path):
    folder, tokens = in_two_lists(tmp_path / "release", site)
    for kept, lost in ((0, OTHER_URI), (1, bundles.CONSENT_URI)):
        (folder / "consent-status.jwt").write_bytes(bundles.lines(tokens[kept]))
        report = checked(folder)
        assert report.consent.state is State.FAILED
        assert f"{lost} is not at hand" in report.consent.sentence
    fresh = dict(zip((bundles.CONSENT_URI, OTHER_URI), tokens, strict=True))
    (folder / "consent-status.jwt").write_bytes(bundles.lines(tokens[0]))
    fresh[bundles.GRANT_URI] = site.grant_status([0] * 4)
    report = verify.verify_documents(
        papers(folder), now=LATER, fetch=lambda uri: fresh[uri].encode()
    )
    assert report.consent.state is State.OK


def test_a_list_that_the_manifest_does_not_name_is_refused(bundle, site):
    strange = bundles.lines(site.consent_status([0] * 8), site.status_list([0] * 8, OTHER_URI))
    (bundle / "consent-status.jwt").write_bytes(strange)
    report = checked(bundle)
    assert report.consent.state is State.FAILED
    assert "does not name" in report.consent.sentence


def test_the_oldest_of_several_lists_says_as_of_when(site, tmp_path):
    folder, tokens = in_two_lists(tmp_path / "release", site)
    old = site.status_list([0] * 8, OTHER_URI, issued=bundles.NOW - timedelta(hours=30))
    (folder / "consent-status.jwt").write_bytes(bundles.lines(tokens[0], old))
    report = checked(folder)
    assert report.consent.details["standing"] == "stale"
    assert report.consent.details["as_of"] == times.write(bundles.NOW - timedelta(hours=30))


@pytest.mark.parametrize(
    ("withdrawn", "reason"),
    [
        (["evaluation"], None),
        (["evaluation", "voice-cloning"], None),
        (["commercial"], "withdrawn for commercial"),
        (["evaluation", *GRANTED], "withdrawn for commercial, speech-recognition"),
        ([], "withdrawn"),
    ],
)
def test_a_narrowed_consent_falls_for_the_purposes_that_are_granted(
    bundle, site, withdrawn, reason
):
    narrowed = {5: withdrawn} if withdrawn else None
    token = site.consent_status([0, 0, 0, 0, 0, 3, 0, 0], narrowed=narrowed)
    (bundle / "consent-status.jwt").write_bytes(bundles.lines(token))
    report = checked(bundle)
    if reason is None:
        assert report.consent.state is State.OK
        return
    assert report.consent.state is State.FAILED
    assert report.consent.details["standing"] == "withdrawn"
    (fallen,) = report.consent.details["fallen"]
    assert (fallen["pseudonym"], fallen["reason"]) == ("p-0000", reason)
    assert f"Consent was {reason} by p-0000" in report.consent.sentence
    assert report.files.details["withdrawn_files"]


def test_a_consent_holds_until_the_day_it_expires_and_not_on_it(site, tmp_path):
    expires = LATER.date() + timedelta(2)
    records = [bundles.record(0, 5, expires=expires.isoformat()), bundles.record(1, 2)]
    folder = bundles.write(tmp_path / "release", site, records=records)
    begins = datetime.combine(expires, time(), UTC)
    for moment, standing in ((begins - timedelta(seconds=1), "stale"), (begins, "expired")):
        for hours in (-11, 0, 14):
            now = moment.astimezone(timezone(timedelta(hours=hours)))
            assert checked(folder, now=now).consent.details["standing"] == standing


def test_a_status_list_is_asked_where_the_site_is_now(bundle, site):
    moved = "https://new.example"
    fresh = {
        f"{moved}/status/consent/17": site.consent_status([0, 0, 1, 0, 0, 0, 0, 0], issued=LATER),
        f"{moved}/status/grant/3": site.grant_status([0, 1, 0, 0], issued=LATER),
    }
    asked = []

    def fetch(uri):
        asked.append(uri)
        if uri not in fresh:
            message = f"{uri} could not be asked"
            raise fetching.FetchError(message)
        return fresh[uri].encode()

    trusted = site.trust(site=moved)
    report = verify.verify_documents(papers(bundle), trust=trusted, now=LATER, fetch=fetch)
    assert report.consent.details["standing"] == "withdrawn"
    assert "revoked" in report.license.sentence
    assert asked[:2] == [bundles.CONSENT_URI, f"{moved}/status/consent/17"]
    fresh[f"{moved}/status/consent/17"] = site.consent_status([0] * 8, issued=LATER)
    fresh[f"{moved}/status/grant/3"] = site.grant_status([0] * 4, issued=LATER)
    report = verify.verify_documents(papers(bundle), trust=trusted, now=LATER, fetch=fetch)
    assert report.consent.state is report.license.state is State.OK
    for check in (report.consent, report.license):
        assert f"asked at {moved}/status/" in check.sentence
        assert f"{bundles.SITE}/status/" in check.sentence


def test_why_a_list_was_asked_elsewhere_is_said_as_it_was(bundle, site):
    """Its own address may answer with a list of somebody else's, or be none to ask at all."""
    moved = "https://new.example"
    theirs = bundles.Site().consent_status([0] * 8, issued=LATER)
    fresh = {
        bundles.CONSENT_URI: theirs,
        f"{moved}/status/consent/17": site.consent_status([0] * 8, issued=LATER),
        f"{moved}/status/grant/3": site.grant_status([0] * 4, issued=LATER),
    }

    def fetch(uri):
        if uri in fresh:
            return fresh[uri].encode()
        return fetching.fetch_below([moved], uri)

    trusted = site.trust(site=moved)
    report = verify.verify_documents(papers(bundle), trust=trusted, now=LATER, fetch=fetch)
    assert report.consent.state is report.license.state is State.OK
    assert "by a key that nobody here vouches for" in report.consent.sentence
    assert "it was not asked" in report.license.sentence


@pytest.mark.parametrize("answers", [True, False])
def test_an_old_list_says_what_came_of_asking_for_a_newer_one(bundle, site, answers):
    """Who asked is not told to ask."""
    moved, now = "https://new.example", bundles.NOW + timedelta(hours=2)
    fresh = {f"{moved}/status/consent/17": site.consent_status([0] * 8).encode()}

    def fetch(uri):
        if answers and uri in fresh:
            return fresh[uri]
        message = f"{uri} could not be asked: no route"
        raise fetching.FetchError(message)

    trusted = site.trust(site=moved)
    assert checked(bundle, now=now).consent.sentence.endswith("too long ago. Verify online.")
    report = verify.verify_documents(papers(bundle), trust=trusted, now=now, fetch=fetch)
    assert report.consent.state is State.WARNING
    assert report.consent.details["standing"] == "stale"
    assert "Verify online" not in report.consent.sentence
    assert "could not be asked: no route" in report.consent.sentence
    assert (f"It was asked at {moved}" in report.consent.sentence) is answers
    assert ("has nothing newer to show" in report.consent.sentence) is answers


def test_what_another_site_answers_at_an_old_address_is_not_believed(bundle, site):
    """Whoever has the old name now serves a list of their own, or one of another number."""
    trusted = site.trust(site="https://new.example")
    wrong = bundles.Site().consent_status([0] * 8, issued=LATER)
    other = site.status_list([0] * 8, OTHER_URI, issued=LATER)
    for answer in (wrong, other, "not a token"):
        report = verify.verify_documents(
            papers(bundle), trust=trusted, now=LATER, fetch=lambda _, answer=answer: answer.encode()
        )
        assert report.consent.state is State.WARNING
        assert report.consent.details["as_of"] == times.write(bundles.NOW)


def test_newer_keys_are_followed_when_the_site_may_be_asked(bundle, site):
    """The status key was replaced: the keys at hand don't know the list that the site serves."""
    successor = bundles.Site(
        manifest_key=site.manifest_key, log_key=site.log_key, root_key=site.root_key
    )
    retired = trust.TrustedKey(site.status_key.public, bundles.SINCE, LATER)
    newest = successor.trust(version=2, status_keys=(*successor.trust().status_keys, retired))
    fresh = {
        bundles.CONSENT_URI: successor.consent_status([0] * 8, issued=LATER),
        bundles.GRANT_URI: successor.grant_status([0] * 4, issued=LATER),
    }
    facts = {"trust": site.trust(), "now": LATER, "fetch": lambda uri: fresh[uri].encode()}
    alone = verify.verify_documents(papers(bundle), **facts)
    assert alone.license.state is State.WARNING
    report = verify.verify_documents(papers(bundle), renew=lambda _: newest, **facts)
    assert report.license.state is report.consent.state is State.OK
    assert report.trust.details["version"] == 2


def test_keys_that_do_not_lead_on_are_left_where_they_are(bundle, site):
    def back(_):
        message = "The site shows version 1"
        raise trust.TrustGoesBackError(message)

    report = verify.verify_documents(papers(bundle), trust=site.trust(), now=LATER, renew=back)
    assert report.trust.state is State.WARNING
    assert "version 1" in report.trust.sentence
    assert report.signature.state is State.OK


def test_only_the_key_that_signed_a_list_counts_for_its_date(bundle, site):
    """Another key that was in use at that moment does not help."""
    retired = trust.TrustedKey(site.status_key.public, bundles.SINCE, bundles.NOW)
    other = trust.TrustedKey(bundles.Site().status_key.public, bundles.SINCE)
    trusted = site.trust(status_keys=(other, retired))
    report = checked(bundle, trust=trusted)
    assert report.consent.state is State.FAILED
    assert "not in use" in report.consent.sentence
