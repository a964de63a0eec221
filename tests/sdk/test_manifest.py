import json
from datetime import timedelta

import pytest
from commonhold import canonical, consistency, errors, manifest, purposes, times, trust
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk import bundles

FILES = bundles.NAMES
TEXT = b"You may train models.\n"


def statement():
    return bundles.statement(FILES, TEXT, b"{}")


def rebuilt(**changes):
    block = bundles.license_block(TEXT)
    rows = bundles.rows_of(FILES)
    facts = {
        "release": bundles.release(rows, b"{}"),
        "log_origin": bundles.ORIGIN,
        "log_policy": bundles.SITE,
        "subjects": {row.path: row.sha256 for row in rows},
        "license_block": block,
        "grant": bundles.grant(block),
    }
    return manifest.build_statement(**{**facts, **changes})


def test_a_licensed_release_survives_being_written_and_read():
    written = statement()
    assert manifest.read(manifest.encode(written)) == written


def test_a_release_attestation_carries_no_grant_and_no_license_text():
    attestation = rebuilt(license_block=None, grant=None)
    names = [subject["name"] for subject in attestation["subject"]]
    assert names == ["files.jsonl", "croissant.json", *sorted(FILES)]
    assert not attestation["predicate"].keys() & {"grant", "license"}


def test_every_grant_is_tied_to_the_one_release():
    one, other = rebuilt(), rebuilt(license_block=None, grant=None)
    assert one["predicate"]["releaseDigest"] == other["predicate"]["releaseDigest"]
    digest = canonical.digest(one["predicate"]["release"])
    assert one["predicate"]["releaseDigest"] == {"sha256": digest}


def test_a_release_of_more_than_a_thousand_files_lists_only_its_papers():
    rows = bundles.rows_of({f"audio/a/{number:04d}.flac": b"" for number in range(1001)})
    large = bundles.release(rows, b"{}")
    assert len(rebuilt(release=large, subjects={})["subject"]) == 3
    with pytest.raises(consistency.ManifestError, match="does not list the files that it should"):
        rebuilt(release=large, subjects={row.path: row.sha256 for row in rows})


def _set(path, value):
    def change(document):
        *parents, last = path
        for parent in parents:
            document = document[parent]
        document[last] = value

    return change


RELEASE = ("predicate", "release")
GRANT = ("predicate", "grant")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_set((*RELEASE, "title"), "Another"), "releaseDigest"),
        (_set((*GRANT, "license"), bundles.LICENSE_ID[:-3] + "2.0"), "one license"),
        (_set((*GRANT, "validUntil"), "2020-01-01T00:00:00Z"), "ends before"),
        (_set((*GRANT, "validFrom"), "2026-11-20T23:00:00+01:00"), "validFrom"),
        (_set((*GRANT, "validFrom"), "2026-02-30T00:00:00Z"), "not a time"),
        (_set((*GRANT, "revenueShares"), [{"payee": "x", "bps": 9999}]), "10,000"),
        (_set((*GRANT, "revenueShares"), []), "10,000"),
        (_set((*GRANT, "acceptance", "termsDigest", "sha256"), "0" * 64), "text accepted"),
        (_set((*GRANT, "price", "amount"), 490), "price.amount"),
        (_set((*GRANT, "price", "amount"), "490,00"), "price.amount"),
        (_set((*GRANT, "nonce"), "00"), "nonce"),
        (_set((*GRANT, "extra"), 1), "extra"),
        (_set(("subject", 0, "digest", "sha256"), "0" * 64), "files.jsonl"),
        (_set(("subject", 2, "digest", "sha256"), "0" * 64), "LICENSE.txt"),
        (_set(("subject", 3, "name"), "files.jsonl"), "twice"),
        (_set(("predicateType",), "https://example.org/other"), "predicateType"),
        (_set(("predicate", "release", "files", "count"), 2.5), "count"),
        (lambda document: document["predicate"].pop("license"), "license"),
        (lambda document: document["subject"].pop(), "list the files"),
    ],
)
def test_a_statement_that_contradicts_itself_is_refused_with_its_reason(change, fault):
    document = json.loads(manifest.encode(statement()))
    change(document)
    with pytest.raises(errors.CommonholdError, match=fault):
        manifest.check(document)


@given(shares=st.lists(st.integers(0, 10000), max_size=5))
def test_revenue_shares_always_add_up(shares):
    block = bundles.license_block(TEXT)
    grant = bundles.grant(block, revenue_shares=[("payee", share) for share in shares])
    if sum(shares) == 10000:
        rebuilt(license_block=block, grant=grant)
    else:
        with pytest.raises(consistency.ManifestError, match="10,000"):
            rebuilt(license_block=block, grant=grant)


def test_a_license_for_nothing_needs_no_shares():
    block = bundles.license_block(TEXT, term_days=None)
    free = {"amount": "0.00", "currency": "EUR"}
    grant = bundles.grant(block, revenue_shares=[], price=free, valid_until=None)
    rebuilt(license_block=block, grant=grant)


def test_a_grant_for_what_a_speaker_excluded_is_refused_by_pseudonym():
    block = bundles.license_block(TEXT)
    grant = bundles.grant(block, purposes_granted=["voice-cloning"])
    with pytest.raises(consistency.ManifestError, match="voice-cloning, which p-0000 excluded"):
        rebuilt(license_block=block, grant=grant)


def test_an_unknown_purpose_is_refused_with_the_list():
    with pytest.raises(purposes.UnknownPurposeError, match="speech-recognition"):
        bundles.grant(bundles.license_block(TEXT), purposes_granted=["mind-reading"])


def test_only_three_purposes_are_denied_unless_named():
    assert {"voice-cloning", "speaker-identification", "biometric-surveillance"} == (
        purposes.DENIED_BY_DEFAULT
    )
    iri = "https://w3id.org/commonhold/purposes/research"
    assert purposes.get("research").iri == iri


def test_a_commitment_can_only_be_opened_with_its_salt():
    record = {"name": "Ada", "given": "2026-07-15"}
    assert manifest.commitment(b"a" * 16, record) == manifest.commitment(b"a" * 16, record)
    assert manifest.commitment(b"a" * 16, record) != manifest.commitment(b"b" * 16, record)


def test_an_error_becomes_a_problem_document():
    problem = errors.CommonholdError("It broke.", path="a.wav").as_problem()
    assert problem == {
        "type": "https://w3id.org/commonhold/problems/error",
        "title": "Error",
        "status": 400,
        "detail": "It broke.",
        "code": "error",
        "path": "a.wav",
    }


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(times.InvalidTimeError, match="no time zone"):
        times.write(bundles.NOW.replace(tzinfo=None))
    assert times.read(times.write(bundles.NOW)) == bundles.NOW


def test_a_trusted_root_keeps_its_keys_and_their_validity(site):
    found = trust.read_trusted_root(site.trusted_root())
    assert found.origin == bundles.ORIGIN
    (key,) = found.manifest_keys
    assert key.key.keyid == site.manifest_key.keyid
    assert key.covers(bundles.NOW)
    assert not key.covers(bundles.NOW - timedelta(days=31))
    assert site.trusted_root() == site.trusted_root()


# ---- the form --------------------------------------------------------------------------------


def properties(schema, where="$"):
    """Every property that a schema describes, and where it stands."""
    if isinstance(schema, dict):
        for name, described in schema.get("properties", {}).items():
            yield f"{where}.{name}", described
        for key, part in schema.items():
            yield from properties(part, f"{where}.{key}")
    elif isinstance(schema, list):
        for part in schema:
            yield from properties(part, where)


def test_every_property_says_what_it_means():
    found = dict(properties(manifest.schema()))
    assert len(found) > 120
    assert [where for where, described in found.items() if not described.get("description")] == []


def test_what_identifies_a_release_holds_no_address():
    release = statement()["predicate"]["release"]
    for key in ("id", "dataset", "instance"):
        assert release[key].startswith("urn:uuid:")
    assert release["name"] == "radio-example/kurzwelle-radio-de"
    assert release["review"] == {"heardMs": 4000, "unheardMs": 2000}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataset", "https://commonhold.example/d/x"),
        ("instance", "https://commonhold.example"),
        ("name", "no-slash"),
        ("name", "three/parts/here"),
        ("review", {"heardMs": 1}),
        ("review", {"heardMs": -1, "unheardMs": 0}),
        ("review", {"heardMs": 1.5, "unheardMs": 0}),
    ],
)
def test_a_release_of_another_form_is_refused(key, value):
    changed = statement()
    changed["predicate"]["release"][key] = value
    with pytest.raises(consistency.ManifestError, match=key):
        manifest.check(changed)


def test_each_consent_has_a_place_of_its_own_in_a_list_of_its_own():
    same = {"uri": bundles.CONSENT_URI, "idx": 5}
    other = {"uri": bundles.SITE + "/status/consent/18", "idx": 5}
    rows = bundles.rows_of(FILES)
    for place, fits in ((same, False), (other, True)):
        records = [bundles.record(0, 5), bundles.record(1, 2, statusList=place)]
        release = bundles.release(rows, b"{}", records)
        if fits:
            rebuilt(release=release)
            continue
        with pytest.raises(consistency.ManifestError, match="one place in a status list"):
            rebuilt(release=release)


def test_a_license_repeats_the_files_that_the_attestation_names():
    attestation = rebuilt(license_block=None, grant=None)
    files = manifest.file_subjects(attestation)
    assert files == {row.path: row.sha256 for row in bundles.rows_of(FILES)}
    licensed = rebuilt(subjects=files)
    assert manifest.file_subjects(licensed) == files
    with pytest.raises(consistency.ManifestError, match="does not list the files"):
        rebuilt(subjects={})
