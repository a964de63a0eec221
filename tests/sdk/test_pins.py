"""Pins belong to the address that a person typed, whatever a site calls itself."""

import json
from datetime import timedelta

import pytest
from commonhold import addresses, pins, trust
from commonhold.vouching import Source
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk import bundles
from tests.sdk.roots import Roots
from tests.sdk.verified import never, pin

TYPED = "https://typed.example"
NAMES = ["log2.example", "127.0.0.1", "localhost", "127.evil.example", "localhost.example"]


@pytest.fixture
def roots():
    return Roots(bundles.Site())


def kept(address=TYPED):
    found = pins.pinned(address)
    assert found is not None
    return found


def test_the_first_meeting_is_called_that_and_the_second_is_not(site):
    first = pin(site, TYPED)
    assert (first.source, first.address) == (Source.FIRST_USE, TYPED)
    assert first.since == bundles.NOW
    second = pins.pin(TYPED, site.trusted_root(), never)
    assert second.source is Source.PINNED
    assert second.since == bundles.NOW


@pytest.mark.parametrize("name", [bundles.ORIGIN, *NAMES])
def test_a_site_can_not_slip_from_its_pin_by_calling_its_log_otherwise(site, name):
    pin(site, TYPED)
    other = bundles.Site(origin=name, address="http://127.0.0.1:1")
    with pytest.raises(pins.PinnedKeysChangedError, match="Ask its operator"):
        pin(other, TYPED)
    renamed = bundles.Site(origin=name, root_key=site.root_key)
    if name != bundles.ORIGIN:
        with pytest.raises(pins.PinnedKeysChangedError, match="is of the log"):
            pin(renamed, TYPED, version=2)
    assert kept().trust == site.trust()


def test_two_addresses_have_two_pins_though_their_logs_have_one_name(site):
    pin(site, TYPED)
    other = bundles.Site()
    pin(other, "https://other.example")
    assert kept().trust == site.trust()
    assert kept("https://other.example").trust == other.trust()


def test_only_a_loopback_ip_that_was_typed_may_show_other_keys():
    for address in ("http://127.0.0.1:8000", "http://[::1]:8000", "http://127.9.9.9"):
        pin(bundles.Site(), address)
        found = pin(bundles.Site(), address)
        assert found.source is Source.THIS_MACHINE
        assert kept(address).trust == found.trust
    for address in ("http://localhost:8000", "http://127.0.0.1.example", "http://127.evil.example"):
        pin(bundles.Site(origin="127.0.0.1"), address)
        with pytest.raises(pins.PinnedKeysChangedError):
            pin(bundles.Site(origin="127.0.0.1"), address)


def test_a_site_may_replace_every_key_that_its_root_key_vouches_for(site):
    pin(site, TYPED)
    rotated = bundles.Site(root_key=site.root_key)
    pin(rotated, TYPED, version=2)
    assert kept().trust.manifest_keys[0].key.keyid == rotated.manifest_key.keyid


def test_a_site_that_goes_back_is_refused_and_the_newer_keys_stay(roots):
    roots.add()
    pins.pin(TYPED, roots.newest, never)
    with pytest.raises(trust.TrustGoesBackError):
        pins.pin(TYPED, roots.versions[1], roots.fetch)
    assert kept().trust.version == 2


def test_a_site_that_serves_keys_that_ran_out_is_refused(site):
    data = site.trusted_root()
    ends = site.trust().expires
    pins.pin(TYPED, data, never, now=ends - timedelta(seconds=1))
    with pytest.raises(trust.TrustExpiredError, match="ran out"):
        pins.pin(TYPED, data, never, now=ends)


def test_keys_that_were_given_must_lead_to_those_of_the_site(site):
    found = pins.pin(TYPED, site.trusted_root(), never, given=site.trust())
    assert found.source is Source.GIVEN
    with pytest.raises(trust.NotVouchedError):
        pins.pin(TYPED, site.trusted_root(), never, given=bundles.Site().trust())


def test_keys_that_were_given_do_not_lead_back_behind_those_that_were_seen(roots):
    known = trust.read_trusted_root(roots.newest)
    roots.add()
    roots.add()
    pins.pin(TYPED, roots.newest, never)
    with pytest.raises(trust.TrustGoesBackError, match=r"version 2 .* seen version 3"):
        pins.pin(TYPED, roots.versions[2], roots.fetch, given=known)
    assert kept().trust.version == 3
    pins.pin(TYPED, roots.newest, roots.fetch, given=known)


def test_keys_that_were_given_count_for_a_site_that_was_set_up_anew(roots):
    roots.add()
    pins.pin(TYPED, roots.newest, never)
    anew, named = bundles.Site(), {"instance": "urn:uuid:5f0c1f7e-3b1d-4d59-8f0c-7a3a4c1e0b52"}
    found = pins.pin(TYPED, anew.trusted_root(**named), never, given=anew.trust(**named))
    assert found.source is Source.GIVEN
    assert kept().trust == anew.trust(**named)


def test_a_pin_that_an_earlier_client_kept_by_the_logs_name_still_holds():
    met = bundles.Site()
    old = pins.config_dir() / "trust" / f"{'ab' * 16}.json"
    pins.write_private(old, met.trusted_root())
    with pytest.raises(pins.PinnedKeysChangedError):
        pin(bundles.Site(), bundles.SITE)
    assert old.exists()
    assert pin(met).source is Source.PINNED
    assert not old.exists()
    assert pin(met).source is Source.PINNED


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"address":1}', b"[1]", b"\xff"])
def test_a_damaged_pin_is_not_taken_for_none(site, damage):
    pin(site, TYPED)
    next(
        path for path in (pins.config_dir() / "pins").iterdir() if TYPED in path.read_text()
    ).write_bytes(damage)
    with pytest.raises(pins.PinDamagedError, match="can't be read any more"):
        pin(bundles.Site(), TYPED)


def test_a_pin_is_readable_for_its_owner_alone(site):
    pin(site, TYPED)
    for path in (pins.config_dir() / "pins").iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert json.loads(path.read_text())["address"] in {TYPED, bundles.SITE}


# ---- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["https://typed.example/", "HTTPS://Typed.Example", "https://typed.example:443//", TYPED],
)
def test_however_an_address_is_typed_it_has_one_pin(typed):
    assert addresses.site_address(typed) == TYPED


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "typed.example",
        "ftp://typed.example",
        "https://",
        "https://user@typed.example",
        "https://typed.example/?x=1",
        "https://typed.example/#x",
        "https://typed.example:port",
        "https://[::1",
        "https://typed.example\n.evil.example",
        "https://typed .example",
        "https://typed\u202e.example",
        "https://typed.example/" + "x" * 10_000,
    ],
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(addresses.AddressError, match="not the address of a site"):
        addresses.site_address(typed)


@given(st.text(max_size=40) | st.text(max_size=20).map(lambda text: f"https://{text}"))
def test_an_address_in_its_one_form_stays_as_it_is(typed):
    try:
        once = addresses.site_address(typed)
    except addresses.AddressError:
        return
    assert addresses.site_address(once) == once


@pytest.mark.parametrize(
    ("url", "below"),
    [
        ("https://typed.example/status/1", True),
        ("https://typed.example", False),
        ("https://typed.example.evil.example/status/1", False),
        ("https://typed.example:8443/status/1", False),
        ("http://typed.example/status/1", False),
        ("https://typed.example@evil.example/status/1", False),
        ("https://typed.example/\r\nHost: x", False),
    ],
)
def test_only_what_lies_below_an_address_is_of_that_site(url, below):
    assert addresses.is_below(url, TYPED, "") is below
