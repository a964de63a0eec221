"""The client's address: nobody chooses the one that limits count by."""

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from marketplace.http.clients import address_of

PEER = "198.51.100.7"


def seen(forwarded: str | None, peer: str = PEER) -> str:
    """The address of a request with this X-Forwarded-For."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return address_of(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9", "203.0.113.9, 10.0.0.1", "x, ", ""])
def test_without_a_proxy_nothing_that_is_sent_along_is_believed(settings, forwarded):
    settings.TRUSTED_PROXIES = 0
    assert seen(forwarded) == PEER


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 2.2.2.2,203.0.113.9", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", PEER),
        (1, "unknown", PEER),
        (1, None, PEER),
    ],
)
def test_behind_proxies_what_ours_saw_counts(settings, proxies, forwarded, expected):
    settings.TRUSTED_PROXIES = proxies
    assert seen(forwarded) == expected


@given(forged=st.lists(st.ip_addresses().map(str) | st.text("0123456789.,: x", max_size=20)))
def test_no_forged_header_changes_the_address_behind_a_proxy(forged):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.TRUSTED_PROXIES", 1)
        assert seen(", ".join([*forged, "203.0.113.9"])) == "203.0.113.9"


def test_the_addresses_of_one_ipv6_network_are_one(settings):
    settings.TRUSTED_PROXIES = 0
    ours = {seen(None, f"2001:db8:1:2::{end:x}") for end in (1, 2, 0xFFFF)}
    assert len(ours) == 1
    assert seen(None, "2001:db8:1:3::1") not in ours
    assert seen(None, "::ffff:198.51.100.7") == PEER
