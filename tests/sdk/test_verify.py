import base64
import json
import shutil
import subprocess
from datetime import timedelta

import pytest
from commonhold import fetching, pins, signing, times, trust, verify
from commonhold.filecheck import PROOFS
from commonhold.report import State
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sdk import bundles

LATER = bundles.NOW + timedelta(hours=1)
STATES = ("signature", "logged", "files", "license", "consent")


def states(report):
    return {name: str(check.state) for name, check in report.vector.items()}


def checked(folder, **options):
    return verify.verify(folder, now=options.pop("now", LATER), **options)


def test_an_untouched_release_holds_in_every_respect(bundle, site):
    root = trust.read_trusted_root(site.trusted_root())
    report = checked(bundle, trust=root)
    assert states(report) == dict.fromkeys(STATES, "ok")
    assert report.passed
    assert report.trust.state is State.OK
    assert report.about["licensee"] == "Example Speech GmbH"
    assert json.loads(json.dumps(report.as_dict()))["passed"] is True


def test_keys_that_came_with_the_download_are_called_that(bundle):
    report = checked(bundle)
    assert report.trust.state is State.WARNING
    assert "came with the download" in report.trust.sentence


def never(version):
    message = f"version {version} is not needed"
    raise AssertionError(message)


def test_pinned_keys_are_used_and_another_sites_bundle_is_refused(bundle, site, tmp_path):
    pins.pin(site.trusted_root(), never)
    assert checked(bundle).trust.details["source"] == "pinned"
    impostor = bundles.write(tmp_path / "impostor", bundles.Site())
    report = checked(impostor)
    assert states(report)["signature"] == "failed"
    assert not report.passed


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_one_flipped_bit_in_any_file_is_noticed(data, bundle, site):
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    original = path.read_bytes()
    bit = data.draw(st.integers(0, len(original) * 8 - 1))
    flipped = bytearray(original)
    flipped[bit // 8] ^= 1 << bit % 8
    given_trust = data.draw(st.sampled_from([None, trust.read_trusted_root(site.trusted_root())]))
    path.write_bytes(flipped)
    try:
        report = checked(bundle, trust=given_trust)
    finally:
        path.write_bytes(original)
    assert not report.passed, f"{path.name}, bit {bit}"


@pytest.mark.parametrize(
    "name",
    ["README.md", "metadata.jsonl", "croissant.json", "LICENSE.txt", "audio/morning/0001.flac"],
)
def test_a_changed_file_is_named(bundle, name):
    data = (bundle / name).read_bytes()
    (bundle / name).write_bytes(b"X" + data[1:])
    report = checked(bundle)
    assert states(report) == {**dict.fromkeys(STATES, "ok"), "files": "failed"}
    assert f"“{name}” was changed" in report.files.sentence


@pytest.mark.parametrize("name", [*PROOFS[1:], "files.jsonl", "LICENSE.txt", "text/notes.jsonl"])
def test_a_missing_file_is_named(bundle, site, name):
    (bundle / name).unlink()
    report = checked(bundle, trust=trust.read_trusted_root(site.trusted_root()))
    assert states(report)["files"] == "failed"
    assert {"path": name, "fault": "is missing"} in report.files.details["faults"]


@pytest.mark.parametrize("name", ["audio/extra.flac", "notes.txt", "text/more/x", ".hidden"])
def test_an_extra_file_is_named(bundle, name):
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_bytes(b"extra")
    report = checked(bundle)
    assert states(report)["files"] == "failed"
    assert f"“{name}” is not part of the release" in report.files.sentence


def test_a_link_in_place_of_a_file_is_refused(bundle):
    target = bundle / "README.md"
    outside = shutil.copy(target, bundle.parent / "outside.md")
    target.unlink()
    target.symlink_to(outside)
    assert "is a link" in checked(bundle).files.sentence


def test_notes_of_hugging_face_tools_do_not_disturb(bundle):
    notes = bundle / ".cache" / "huggingface" / "download" / "x.metadata"
    notes.parent.mkdir(parents=True)
    notes.write_text("etag")
    assert checked(bundle).passed


def test_swapped_papers_of_another_grant_do_not_pass(bundle, site, tmp_path):
    other = bundles.write(tmp_path / "other", site)
    for name in ("manifest.tlog-proof", "manifest.sigstore.json"):
        shutil.copy(bundle / name, tmp_path / name)
        shutil.copy(other / name, bundle / name)
        assert states(checked(bundle))["logged"] == "failed"
        shutil.copy(tmp_path / name, bundle / name)


def test_a_manifest_alone_is_checked_without_its_files(bundle, tmp_path):
    for name in ("manifest.dsse.json", "manifest.sigstore.json"):
        report = checked(bundle / name)
        assert states(report) == {**dict.fromkeys(STATES, "ok"), "files": "unknown"}
    lone = shutil.copy(bundle / "manifest.sigstore.json", tmp_path / "received.json")
    report = checked(lone, trust=bundle / "trusted_root.json")
    assert states(report) == {
        "signature": "ok",
        "logged": "ok",
        "files": "unknown",
        "license": "ok",
        "consent": "unknown",
    }
    lone = shutil.copy(bundle / "manifest.dsse.json", tmp_path / "received.json")
    report = checked(lone, trust=bundle / "trusted_root.json")
    assert states(report)["logged"] == "unknown"
    report = checked(lone)
    assert states(report)["signature"] == "failed"
    assert "--trust" in report.signature.sentence


def test_nothing_a_forged_manifest_says_is_repeated(bundle):
    forger = signing.make_key("ES256")
    envelope = signing.parse_envelope((bundle / "manifest.dsse.json").read_bytes())
    forged = signing.sign_payload(envelope.payload, forger)
    (bundle / "manifest.dsse.json").write_bytes(forged.to_bytes())
    report = checked(bundle)
    assert states(report) == {**dict.fromkeys(STATES, "unknown"), "signature": "failed"}
    assert report.about == {}


def test_a_license_is_in_force_only_within_its_time(bundle):
    early = checked(bundle, now=bundles.NOW - timedelta(seconds=1))
    late = checked(bundle, now=bundles.NOW + timedelta(days=365))
    assert "begins only on" in early.license.sentence
    assert "ended on" in late.license.sentence
    assert not early.passed
    assert not late.passed


def test_a_test_license_says_that_it_is_one(bundle):
    report = checked(bundle)
    assert "TEST" in report.license.sentence
    assert report.about["test"] is True


def test_a_status_list_of_yesterday_is_stale_but_no_failure(bundle):
    report = checked(bundle, now=bundles.NOW + timedelta(hours=25))
    assert report.consent.state is State.WARNING
    assert report.consent.details["standing"] == "stale"
    assert report.passed


@pytest.mark.parametrize(("status", "standing"), [(1, "withdrawn"), (2, "expired")])
def test_a_fallen_consent_fails_and_names_the_person_and_the_files(bundle, site, status, standing):
    statuses = [0] * 8
    statuses[5] = status
    (bundle / "consent-status.jwt").write_bytes(bundles.lines(site.consent_status(statuses)))
    report = checked(bundle)
    assert states(report) == {**dict.fromkeys(STATES, "ok"), "consent": "failed"}
    assert report.consent.details["standing"] == standing
    assert "p-0000" in report.consent.sentence
    assert "p-0001" not in report.consent.sentence
    affected = report.files.details["withdrawn_files"]
    rows = bundles.rows_of(bundles.NAMES)
    assert affected == [row.path for row in rows if 0 in row.consents]


def test_a_status_list_by_the_wrong_key_is_refused(bundle):
    other = bundles.lines(bundles.Site().consent_status([0] * 8))
    (bundle / "consent-status.jwt").write_bytes(other)
    assert states(checked(bundle))["consent"] == "failed"


def papers(bundle):
    return verify.Documents.of({name: (bundle / name).read_bytes() for name in PROOFS})


def test_asking_the_site_brings_a_withdrawal_that_the_snapshot_lacks(bundle, site):
    fresh = {
        bundles.CONSENT_URI: site.consent_status([0, 0, 1, 0, 0, 0, 0, 0], issued=LATER),
        bundles.GRANT_URI: site.grant_status([0, 0, 0, 0]),
    }
    report = verify.verify_documents(
        papers(bundle), now=LATER, fetch=lambda uri: fresh[uri].encode()
    )
    assert report.consent.details["standing"] == "withdrawn"
    assert report.license.details["revocation"] == "none"


def test_asking_the_site_brings_a_revocation(bundle, site):
    fresh = {
        bundles.CONSENT_URI: site.consent_status([0] * 8),
        bundles.GRANT_URI: site.grant_status([0, 1, 0, 0]),
    }
    report = verify.verify_documents(
        papers(bundle), now=LATER, fetch=lambda uri: fresh[uri].encode()
    )
    assert "revoked" in report.license.sentence
    assert not report.passed


def test_an_older_list_from_the_site_does_not_undo_a_withdrawal(bundle, site):
    withdrawn = bundles.lines(site.consent_status([0] * 5 + [1] * 3))
    (bundle / "consent-status.jwt").write_bytes(withdrawn)
    older = site.consent_status([0] * 8, issued=bundles.NOW - timedelta(hours=5))
    report = verify.verify_documents(papers(bundle), now=LATER, fetch=lambda _: older.encode())
    assert report.consent.details["standing"] == "withdrawn"


def test_a_site_that_can_not_be_asked_is_a_warning(bundle):
    def fetch(uri):
        message = f"{uri} could not be asked"
        raise fetching.FetchError(message)

    report = verify.verify_documents(papers(bundle), now=LATER, fetch=fetch)
    assert report.license.state is State.WARNING
    assert report.consent.state is State.WARNING
    assert report.passed


def test_there_is_nothing_to_verify_in_an_empty_folder(tmp_path):
    with pytest.raises(verify.TargetError, match="no manifest"):
        verify.verify(tmp_path)
    with pytest.raises(verify.TargetError, match="nothing at"):
        verify.verify(tmp_path / "absent")


def test_openssl_alone_verifies_the_signature(bundle, site, tmp_path):
    envelope = json.loads((bundle / "manifest.dsse.json").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    (tmp_path / "pae").write_bytes(pae)
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    (tmp_path / "key.pem").write_text(site.manifest_key.public.pem)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "pae"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert "Verified OK" in done.stdout
    (tmp_path / "pae").write_bytes(pae + b" ")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert done.returncode != 0


def test_sha256sum_alone_verifies_the_files(bundle):
    envelope = json.loads((bundle / "manifest.dsse.json").read_bytes())
    subjects = json.loads(base64.b64decode(envelope["payload"]))["subject"]
    lines = "".join(f"{entry['digest']['sha256']}  {entry['name']}\n" for entry in subjects)
    command = ["sha256sum", "-c", "--strict"]
    done = subprocess.run(
        command, cwd=bundle, input=lines, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(subjects)


# ---- consents in several lists, narrowed, and at a site that moved ---------------------------

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
    assert states(checked(folder)) == dict.fromkeys(STATES, "ok")
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
    today = LATER.date()
    for day, standing in ((today + timedelta(1), "fresh"), (today, "expired")):
        records = [bundles.record(0, 5, expires=day.isoformat()), bundles.record(1, 2)]
        folder = bundles.write(tmp_path / standing, site, records=records)
        assert checked(folder).consent.details["standing"] == standing


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
