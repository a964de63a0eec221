"""What an honest issuer signs holds, whatever its shape: no false alarm."""

from datetime import timedelta

from commonhold import canonical, index, manifest, odrl, purposes, signing, sigstore, verify
from commonhold.report import State
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sdk import bundles
from tests.sdk.verified import LATER

GIVABLE = sorted(purposes.BY_SLUG)
EXAMPLES = 120


@st.composite
def consents(draw):
    """One person's consent, whatever it gives and until when."""
    given_ones = draw(st.sets(st.sampled_from(GIVABLE), min_size=1))
    excluded = draw(st.sets(st.sampled_from(GIVABLE))) - given_ones
    days = draw(st.none() | st.integers(2, 5000))
    today = bundles.NOW.date()
    return {
        "purposes": sorted(given_ones),
        "excludes": sorted(excluded),
        "given": (today - timedelta(days=draw(st.integers(0, 3000)))).isoformat(),
        "expires": None if days is None else (today + timedelta(days=days)).isoformat(),
        "jurisdiction": draw(st.sampled_from(["EU", "KE", "NZ-AUK"])),
        "subjectRole": draw(st.sampled_from(["presenter", "caller", "Gäste"])),
    }


@st.composite
def terms(draw, people):
    """A license within what everybody gave; None where they have nothing in common."""
    common = set.intersection(*(set(one["purposes"]) for one in people))
    if not common:
        return None
    days = draw(st.none() | st.integers(0, 3650))
    return {
        "granted": sorted(draw(st.sets(st.sampled_from(sorted(common)), min_size=1))),
        "days": draw(st.none() | st.integers(1, 36_500)),
        "duties": odrl.Duties(attribution=draw(st.booleans()), delete_on_withdrawal_days=days),
        "free": draw(st.booleans()),
    }


@st.composite
def releases(draw):
    """Who is heard, in which files, under which license, sealed how long before it was bought."""
    people = draw(st.lists(consents(), min_size=1, max_size=5))
    files = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["audio/r0001/", "audio/r0002/", "text/"]),
                st.binary(max_size=64),
                st.sets(st.integers(0, len(people) - 1), min_size=1),
            ),
            max_size=6,
        )
    )
    sealed_ago = timedelta(minutes=draw(st.integers(0, 60 * 24)))
    accepted = timedelta(seconds=draw(st.integers(0, 300)))
    return people, files, draw(terms(people)), sealed_ago, accepted


def rows(files, people):
    everybody = tuple(range(len(people)))
    found = {"README.md": (b"# Card\n", everybody), "metadata.jsonl": (b"", everybody)}
    for number, (folder, data, numbers) in enumerate(files):
        name = f"{folder}{number:04d}" + (".jsonl" if folder == "text/" else ".flac")
        found[name] = (data, tuple(sorted(numbers)))
    made = [
        index.IndexRow(
            path=path,
            size=len(data),
            sha256=canonical.sha256_hex(data),
            media_type="application/octet-stream",
            source="src-0",
            consents=numbers,
            activities=("a1",) if path != "README.md" else (),
        )
        for path, (data, numbers) in found.items()
    ]
    return made, {path: data for path, (data, _numbers) in found.items()}


def statement_of(drawn, made):
    people, _files, license_terms, sealed_ago, accepted = drawn
    issued = bundles.NOW - sealed_ago
    records = [bundles.record(number, number, **one) for number, one in enumerate(people)]
    for one in records:
        one["given"] = min(one["given"], issued.date().isoformat())
    release = bundles.release(made, b"{}", records, issued=issued)
    facts = {
        "release": release,
        "log_origin": bundles.ORIGIN,
        "log_policy": f"{bundles.SITE}/.well-known/commonhold/trusted_root.json",
        "subjects": {row.path: row.sha256 for row in made},
    }
    if license_terms is None:
        return manifest.build_statement(**facts)
    granted, days = license_terms["granted"], license_terms["days"]
    block = bundles.license_block(b"Text.\n", granted, days, license_terms["duties"])
    price = {"amount": "0.00" if license_terms["free"] else "12.50", "currency": "KES"}
    grant = bundles.grant(
        block,
        purposes_granted=granted,
        duties=license_terms["duties"],
        valid_from=bundles.NOW,
        valid_until=None if days is None else bundles.NOW + timedelta(days=days),
        accepted_at=max(issued, bundles.NOW - accepted),
        price=price,
        revenue_shares=[] if license_terms["free"] else [("radio-example", 10_000)],
    )
    return manifest.build_statement(license_block=block, grant=grant, **facts)


def written(folder, site, drawn):
    """Write the release as a site would, and return its papers' folder."""
    made, contents = rows(drawn[1], drawn[0])
    envelope = signing.sign_payload(manifest.encode(statement_of(drawn, made)), site.manifest_key)
    proof = site.prove(envelope)
    verifier, key = site.trust().log_vkey, site.manifest_key.public
    contents |= {
        "croissant.json": b"{}",
        "files.jsonl": b"".join(index.lines(made)),
        "manifest.dsse.json": envelope.to_bytes(),
        "manifest.tlog-proof": proof.to_bytes(),
        "manifest.sigstore.json": sigstore.build_bundle(envelope, proof, key, verifier),
        "consent-status.jwt": bundles.lines(site.consent_status([0] * 8)),
        "trusted_root.json": site.trusted_root(),
    }
    if drawn[2] is not None:
        contents["LICENSE.txt"] = b"Text.\n"
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@given(drawn=releases())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_good_release_raises_no_alarm(drawn, tmp_path_factory):
    site = bundles.Site()
    folder = written(tmp_path_factory.mktemp("good"), site, drawn)
    offline = verify.verify(folder, trust=site.trust(), now=LATER)
    expected = dict.fromkeys(("signature", "logged", "files", "consent"), State.OK)
    states = {name: check.state for name, check in offline.vector.items()}
    assert states == expected | {"license": State.UNKNOWN}, offline.as_dict()
    fresh = {
        bundles.CONSENT_URI: site.consent_status([0] * 8, issued=LATER).encode(),
        bundles.GRANT_URI: site.grant_status([0] * 4, issued=LATER).encode(),
    }
    papers = verify.Documents.of(
        {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    )
    online = verify.verify_documents(papers, trust=site.trust(), now=LATER, fetch=fresh.get)
    assert online.consent.state is State.OK, online.as_dict()
    if drawn[2] is not None:
        assert online.license.state is State.OK, online.as_dict()
