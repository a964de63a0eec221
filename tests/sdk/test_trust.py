"""The trusted root: read strictly, followed from version to version, and never backwards."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from commonhold import canonical, signing, trust
from commonhold.report import State
from commonhold.verify import verify
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk import bundles
from tests.sdk.roots import Roots
from tests.sdk.verified import never

LATER = bundles.NOW + timedelta(hours=1)


@pytest.fixture
def roots():
    return Roots(bundles.Site())


def first(roots):
    return trust.read_trusted_root(roots.versions[1])


# ---- reading ---------------------------------------------------------------------------------


def test_what_is_written_is_read_back(site):
    said = site.trust(
        log_keys=(
            trust.TrustedLog(site.trust().log_vkey, bundles.SINCE),
            trust.TrustedLog(bundles.Site().trust().log_vkey, bundles.SINCE, bundles.NOW, 0),
        ),
    )
    assert trust.read_trusted_root(trust.build_trusted_root(said, [site.root_key])) == said


def edited(data, change):
    document = json.loads(data)
    change(document)
    return canonical.encode(document)


def resigned(site, data, change):
    """A document that was changed and signed again with the site's own root key."""
    document = json.loads(data)
    block = document["commonhold"]
    del block["signatures"]
    change(document)
    signature = site.root_key.sign(trust.SIGNED_PREFIX + canonical.encode(document))
    signed = {"keyid": site.root_key.keyid, "sig": trust.base64s.encode(signature)}
    block.setdefault("signatures", [signed])
    return canonical.encode(document)


def test_one_flipped_bit_anywhere_is_noticed(site):
    data = bytearray(site.trusted_root())
    for place in range(len(data)):
        data[place] ^= 1 << place % 8
        with pytest.raises(trust.TrustError):
            trust.read_trusted_root(bytes(data))
        data[place] ^= 1 << place % 8


@given(data=st.binary(max_size=40) | st.just(b'{"commonhold":{}}') | st.just(b"[]"))
def test_what_is_no_trusted_root_is_refused_in_words(data):
    with pytest.raises(trust.TrustError):
        trust.read_trusted_root(data)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d["tlogs"][0].update(baseUrl="https://other.example/log"), "to Sigstore's"),
        (lambda d: d["tlogs"][0]["publicKey"].update(rawBytes="AAAA"), "to Sigstore's"),
        (lambda d: d["tlogs"].clear(), "to Sigstore's"),
        (lambda d: d.update(more={}), "to Sigstore's"),
        (lambda d: d["commonhold"].update(version=0), "number from 1"),
        (lambda d: d["commonhold"].update(version=True), "number from 1"),
        (lambda d: d["commonhold"].update(expires="soon"), "not a time"),
        (lambda d: d["commonhold"].update(origin="other.example"), "key of another"),
        (lambda d: d["commonhold"].update(manifestKeys=[]), "one key in use of each kind"),
        (
            lambda d: d["commonhold"]["statusKeys"].extend(d["commonhold"]["statusKeys"]),
            "one key",
        ),
        (lambda d: d["commonhold"]["manifestKeys"][0].update(keyid="0" * 64), "not its own"),
        (lambda d: d["commonhold"].update(signatures=[]), "not signed by its own root key"),
        (lambda d: d["commonhold"].update(signatures=[{"keyid": "x", "sig": ""}]), "lacks what"),
        (lambda d: d["commonhold"].update(signatures=[{"keyid": "x"}]), "another shape"),
    ],
)
def test_a_root_that_contradicts_itself_is_refused_though_it_is_signed(site, change, fault):
    with pytest.raises(trust.TrustError, match=fault):
        trust.read_trusted_root(resigned(site, site.trusted_root(), change))


def test_a_root_that_its_own_root_key_did_not_sign_is_refused(site):
    stranger = signing.make_key("Ed25519")
    with pytest.raises(trust.TrustError):
        trust.read_trusted_root(trust.build_trusted_root(site.trust(), [stranger]))
    known = (*site.trust().root_keys, trust.TrustedKey(stranger.public, bundles.SINCE, bundles.NOW))
    said = site.trust(root_keys=known)
    with pytest.raises(trust.TrustError, match="not signed by its own root key"):
        trust.read_trusted_root(trust.build_trusted_root(said, [stranger]))


@pytest.mark.parametrize(
    ("site", "address"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/log"),
        ("https://other.example", "https://127.0.0.1/log"),
        ("https://127.0.0.1.other.example", "https://127.0.0.1/log"),
    ],
)
def test_the_logs_address_has_the_logs_name_for_its_host(site, address):
    assert trust.log_address(site, "127.0.0.1") == address


# ---- following -------------------------------------------------------------------------------


def test_new_keys_under_the_same_root_key_need_nothing_in_between(roots):
    for _ in range(5):
        roots.add()
    assert trust.follow(first(roots), roots.newest, never).version == 6


def test_a_replaced_root_key_is_vouched_for_by_the_one_before(roots):
    roots.rotate()
    assert trust.follow(first(roots), roots.newest, never).root == roots.keys[-1].public


def test_somebody_two_root_keys_behind_follows_version_after_version(roots):
    for _ in range(2):
        roots.add()
        roots.rotate()
        roots.add()
    asked = []
    found = trust.follow(
        first(roots), roots.newest, lambda version: asked.append(version) or roots.fetch(version)
    )
    assert (found.version, found.root) == (7, roots.keys[-1].public)
    assert asked == [2, 3, 4, 5, 6]


def test_a_version_that_goes_back_is_refused(roots):
    roots.add()
    known = trust.read_trusted_root(roots.newest)
    with pytest.raises(trust.TrustGoesBackError, match="seen version 2"):
        trust.follow(known, roots.versions[1], roots.fetch)


def test_a_retired_root_key_vouches_for_nothing_any_more(roots):
    old = roots.keys[0]
    roots.rotate()
    known = trust.read_trusted_root(roots.newest)
    forged = Roots(replace(roots.site, root_key=old))
    for _ in range(3):
        forged.add()
    for version in (3, 4):
        with pytest.raises(trust.NotVouchedError, match="not signed by the root key"):
            trust.follow(known, forged.versions[version], forged.fetch)


def test_a_chain_with_a_stranger_in_it_is_refused(roots):
    known = first(roots)
    stranger = Roots(bundles.Site())
    stranger.add()
    stranger.add()
    with pytest.raises(trust.NotVouchedError):
        trust.follow(known, stranger.newest, stranger.fetch)
    with pytest.raises(trust.NotVouchedError):
        trust.follow(known, stranger.versions[2], stranger.fetch)
    roots.rotate()
    roots.rotate()
    for wrong in (roots.versions[1], roots.versions[3], stranger.versions[2]):
        with pytest.raises(trust.NotVouchedError):
            trust.follow(known, roots.newest, lambda _, wrong=wrong: wrong)


def test_another_logs_root_is_refused_though_the_root_key_signed_it(roots):
    other = replace(roots.site, origin="other.example")
    with pytest.raises(trust.NotVouchedError, match="not of"):
        trust.follow(first(roots), other.trusted_root(version=2), never)


def test_keys_that_ran_out_since_are_a_warning_and_judge_signatures_as_before(bundle, site):
    root = site.trust(expires=bundles.NOW)
    report = verify(bundle, trust=root, now=LATER)
    assert report.trust.state is State.WARNING
    assert "ran out" in report.trust.sentence
    assert report.signature.state is report.logged.state is State.OK
    assert report.passed
    assert verify(bundle, trust=root, now=bundles.NOW - timedelta(1)).trust.state is State.OK
