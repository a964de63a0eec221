"""Which names mean this machine and no other."""

import pytest

from marketplace.host.safety import is_loopback


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "radio.localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]"],
)
def test_these_names_are_this_machines(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "example.org",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "127.example.org",
        "notlocalhost",
        "0.0.0.0",  # noqa: S104 - a name to refuse
        "192.168.1.4",
        "::",
        "[fe80::1]",
        "2130706433",
    ],
)
def test_no_other_name_is_taken_for_this_machine(host):
    assert not is_loopback(host)
