import base64
import json
import shutil
import subprocess
from datetime import timedelta

import pytest
from commonhold import fetching, pins, signing, times, trust, verify
from commonhold.manifest import PROOFS
from commonhold.report import State
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sdk import bundles
from tests.sdk.roots import Roots
from tests.sdk.verified import HOLDS, LATER, STATES, checked, papers, states


def test_an_untouched_release_holds_in_every_respect(bundle, site):
    root = trust.read_trusted_root(site.trusted_root())
    report = checked(bundle, trust=root)
    assert states(report) == HOLDS
    assert report.passed
    assert report.trust.state is State.OK
    assert report.about["licensee"] == "Example Speech GmbH"
    assert json.loads(json.dumps(report.as_dict()))["passed"] is True


def test_pinned_keys_are_used_and_another_sites_bundle_is_refused(bundle, tmp_path):
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
    assert states(report) == HOLDS | {"files": "failed"}
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


@pytest.mark.parametrize("damage", [None, b"", b"{}\n"])
def test_of_a_large_release_no_genuine_file_is_called_a_stranger_for_want_of_the_index(
    site, tmp_path, monkeypatch, damage
):
    """Beyond a thousand files only the index names them."""
    monkeypatch.setattr(bundles, "NAMES", {f"text/t{n:04d}.jsonl": b"" for n in range(1001)})
    folder = bundles.write(tmp_path / "release", site)
    assert checked(folder).passed
    (folder / "files.jsonl").unlink()
    if damage is not None:
        (folder / "files.jsonl").write_bytes(damage)
    (fault,) = checked(folder).files.details["faults"]
    assert fault["path"] == "files.jsonl"


def test_a_folder_of_a_thousand_levels_is_looked_through(bundle):
    levels = [bundle / ("d/" * level) for level in range(1, 1101)]
    for level in levels:
        level.mkdir()
    stranger = levels[-1] / "x"
    stranger.write_bytes(b"extra")
    try:
        assert "x” is not part of the release" in checked(bundle).files.sentence
    finally:  # What clears tests' folders away goes down by recursion.
        stranger.unlink()
        for level in reversed(levels):
            level.rmdir()


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


def test_a_trusted_root_of_the_same_site_is_at_home_in_a_download_whatever_its_version(
    bundle, site
):
    roots = Roots(site)
    roots.rotate()
    roots.add()
    for lying, known in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 3), (3, 2)):
        (bundle / "trusted_root.json").write_bytes(roots.versions[lying])
        report = checked(bundle, trust=trust.read_trusted_root(roots.versions[known]))
        assert states(report) == HOLDS, (lying, known)
    report = checked(bundle, trust=trust.read_trusted_root(roots.versions[1]))
    assert "Version 2 of the trusted root is not at hand" in report.files.sentence


def test_a_manifest_alone_is_checked_without_its_files(bundle, tmp_path):
    for name in ("manifest.dsse.json", "manifest.sigstore.json"):
        report = checked(bundle / name)
        assert states(report) == HOLDS | {"files": "unknown"}
    lone = shutil.copy(bundle / "manifest.sigstore.json", tmp_path / "received.json")
    report = checked(lone, trust=bundle / "trusted_root.json")
    assert states(report) == {
        "signature": "ok",
        "logged": "ok",
        "files": "unknown",
        "license": "unknown",
        "consent": "unknown",
    }
    lone = shutil.copy(bundle / "manifest.dsse.json", tmp_path / "received.json")
    report = checked(lone, trust=bundle / "trusted_root.json")
    assert states(report)["logged"] == "unknown"
    report = checked(lone)
    assert states(report)["signature"] == "ok"
    for pin in (pins.config_dir() / "pins").iterdir():
        pin.unlink()
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


def test_a_license_does_not_hold_past_its_end(bundle):
    late = checked(bundle, now=bundles.NOW + timedelta(days=365))
    assert "ended on" in late.license.sentence
    assert not late.passed


def test_a_clock_that_is_a_little_slow_is_no_forgery(bundle):
    """What is signed may be dated up to five minutes ahead of the verifier's clock."""
    slow = checked(bundle, now=bundles.NOW - timedelta(minutes=5))
    assert states(slow) == HOLDS
    wrong = checked(bundle, now=bundles.NOW - timedelta(minutes=5, seconds=1))
    assert states(wrong)["signature"] == "failed"
    assert "is yet to come" in wrong.signature.sentence


def test_a_test_license_says_that_it_is_one(bundle):
    report = checked(bundle)
    assert "TEST" in report.license.sentence
    assert report.about["test"] is True


@pytest.mark.parametrize(
    ("age", "standing", "words"),
    [
        (timedelta(0), "fresh", "0 minutes ago"),
        (timedelta(minutes=1), "fresh", "one minute ago"),
        (timedelta(minutes=59, seconds=59), "fresh", "59 minutes ago"),
        (timedelta(hours=1), "stale", "60 minutes ago: that is too long ago"),
        (timedelta(hours=25), "stale", "25 hours ago: that is too long ago"),
        (timedelta(days=60), "stale", "60 days ago: that is too long ago"),
    ],
)
def test_a_status_list_says_its_age_and_is_stale_after_an_hour_but_no_failure(
    bundle, age, standing, words
):
    report = checked(bundle, now=bundles.NOW + age)
    assert report.consent.state is (State.OK if standing == "fresh" else State.WARNING)
    assert report.consent.details["standing"] == standing
    assert report.consent.details["age_seconds"] == age.total_seconds()
    assert words in report.consent.sentence
    assert report.passed


def test_what_was_not_asked_is_not_called_fine(bundle):
    """Offline nobody knows whether the license was revoked."""
    report = checked(bundle)
    assert report.license.state is State.UNKNOWN
    assert report.license.details["revocation"] == "not-asked"
    assert "was not asked" in report.license.sentence


def test_an_old_list_from_the_site_does_not_pass_for_the_present_state(bundle, site):
    """As whoever replays a list of before a revocation would have it."""
    for seconds, state, revocation in ((3599, State.OK, "none"), (3600, State.WARNING, "stale")):
        issued = LATER - timedelta(seconds=seconds)
        fresh = {
            bundles.CONSENT_URI: site.consent_status([0] * 8, issued=LATER),
            bundles.GRANT_URI: site.grant_status([0] * 4, issued=issued),
        }
        report = verify.verify_documents(
            papers(bundle), now=LATER, fetch=lambda uri, fresh=fresh: fresh[uri].encode()
        )
        assert report.license.state is state
        assert report.license.details["revocation"] == revocation
        assert report.license.details["as_of"] == times.write(issued)


@pytest.mark.parametrize(
    ("delta", "why"),
    [
        ({"issued": LATER + timedelta(minutes=6)}, "which is yet to come"),
        ({"lifetime": timedelta(hours=25)}, "More than 24 is too long"),
    ],
)
def test_a_list_of_licenses_is_held_to_the_rules_of_any_list(bundle, site, delta, why):
    fresh = {
        bundles.CONSENT_URI: site.consent_status([0] * 8),
        bundles.GRANT_URI: site.grant_status([0] * 4, **delta),
    }
    report = verify.verify_documents(
        papers(bundle), now=LATER, fetch=lambda uri: fresh[uri].encode()
    )
    assert report.license.state is State.WARNING
    assert report.license.details["revocation"] == "unknown"
    assert why in report.license.sentence


@pytest.mark.parametrize(("status", "standing"), [(1, "withdrawn"), (2, "expired")])
def test_a_fallen_consent_fails_and_names_the_person_and_the_files(bundle, site, status, standing):
    statuses = [0] * 8
    statuses[5] = status
    (bundle / "consent-status.jwt").write_bytes(bundles.lines(site.consent_status(statuses)))
    report = checked(bundle)
    assert states(report) == HOLDS | {"consent": "failed"}
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


def test_asking_the_site_brings_a_withdrawal_that_the_snapshot_lacks(bundle, site):
    fresh = {
        bundles.CONSENT_URI: site.consent_status([0, 0, 1, 0, 0, 0, 0, 0], issued=LATER),
        bundles.GRANT_URI: site.grant_status([0, 0, 0, 0], issued=LATER),
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
