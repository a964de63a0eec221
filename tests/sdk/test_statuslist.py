from datetime import timedelta

import pytest
from commonhold import base64s, canonical, signing, statuslist
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from tests.sdk.bundles import NOW

KEY = signing.make_key("ES256")
URI = "https://commonhold.example/status/consent/1"


def build(statuses, **changes):
    facts = {"data": statuslist.pack(statuses), "uri": URI, "signer": KEY, "issued": NOW}
    return statuslist.build_status_list(**{**facts, **changes})


@given(statuses=st.lists(st.integers(0, 3), max_size=60))
@settings(max_examples=30)
def test_every_status_is_read_back(statuses):
    found = statuslist.check_status_list(build(statuses), [KEY.public], URI)
    assert [found.status(index) for index in range(len(statuses))] == statuses


def test_the_token_is_what_the_draft_says():
    token = jws.deserialize_compact(build([0, 1]), ECKey.import_key(KEY.public.pem))
    assert token.headers()["typ"] == "statuslist+jwt"
    assert token.headers()["alg"] == "ES256"


def test_a_list_packs_the_first_entry_into_the_lowest_bits():
    assert statuslist.pack([1, 2, 0, 3, 2]) == bytes([0b11001001, 0b10])


@pytest.mark.parametrize("hours", [1, 2, 24])
def test_a_list_is_fresh_for_an_hour_however_long_it_says(hours):
    token = build([0], lifetime=timedelta(hours=hours))
    found = statuslist.check_status_list(token, [KEY.public])
    assert found.is_fresh(NOW + timedelta(minutes=59, seconds=59))
    assert not found.is_fresh(NOW + timedelta(hours=1))


def test_a_list_is_stale_earlier_where_it_says_so():
    token = build([0], lifetime=timedelta(minutes=10))
    found = statuslist.check_status_list(token, [KEY.public])
    assert not found.is_fresh(NOW + timedelta(minutes=10))


def test_nothing_is_known_past_the_end_of_a_list():
    found = statuslist.check_status_list(build([0, 0, 0, 0]), [KEY.public])
    with pytest.raises(statuslist.StatusListError, match="no entry 4"):
        found.status(4)


def test_a_list_about_something_else_or_by_somebody_else_is_refused():
    with pytest.raises(statuslist.StatusListError, match="not about"):
        statuslist.check_status_list(build([0]), [KEY.public], URI + "2")
    with pytest.raises(statuslist.StatusListError, match="nobody here vouches"):
        statuslist.check_status_list(build([0]), [signing.make_key("ES256").public])


def test_another_kind_of_token_by_the_same_key_is_refused():
    header = {"alg": "ES256", "kid": KEY.keyid, "typ": "JWT"}
    token = jws.serialize_compact(header, b"{}", ECKey.import_key(KEY.pem), algorithms=["ES256"])
    with pytest.raises(statuslist.StatusListError, match="not a status list"):
        statuslist.check_status_list(token, [KEY.public])


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.", "\u00e4", "e30"])
def test_a_string_that_is_no_token_is_refused(token):
    with pytest.raises(statuslist.StatusListError):
        statuslist.check_status_list(token, [KEY.public])


def test_one_flipped_bit_anywhere_is_noticed():
    token = build([0, 1, 2, 0, 1])
    for place in range(len(token)):
        flipped = token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :]
        with pytest.raises(statuslist.StatusListError):
            statuslist.check_status_list(flipped, [KEY.public], URI)


# ---- several lists, and what was narrowed ----------------------------------------------------

OTHER = "https://commonhold.example/status/consent/2"


def test_what_was_narrowed_is_read_back():
    token = build([3, 0, 3], narrowed={2: ["research", "commercial"], 0: {"evaluation"}})
    found = statuslist.check_status_list(token, [KEY.public])
    assert found.narrowed == {0: ("evaluation",), 2: ("commercial", "research")}
    assert statuslist.check_status_list(build([0]), [KEY.public]).narrowed == {}


@pytest.mark.parametrize(
    "claim", [[], {"x": []}, {"01": []}, {"-1": []}, {"1": "research"}, {"1": [7]}, {"1": None}]
)
def test_what_was_narrowed_in_another_form_is_refused(claim):
    header, payload, _ = build([3]).split(".")
    claims = canonical.decode(base64s.decode_url(payload)) | {"narrowed": claim}
    token = jws.serialize_compact(
        canonical.decode(base64s.decode_url(header)),
        canonical.encode(claims),
        ECKey.import_key(KEY.pem),
        algorithms=["ES256"],
    )
    with pytest.raises(statuslist.StatusListError, match="narrowed"):
        statuslist.check_status_list(token, [KEY.public])


def test_a_signer_that_gives_only_signatures_is_enough():
    """A key service shows no private half."""

    class Service:
        public, keyid, algorithm = KEY.public, KEY.keyid, KEY.algorithm

        def sign(self, data):
            return KEY.sign(data)

    found = statuslist.check_status_list(build([1], signer=Service()), [KEY.public], URI)
    assert (found.status(0), found.keyid) == (1, KEY.keyid)


def test_each_line_is_a_list():
    lines = f"{build([1])}\n{build([0, 2], uri=OTHER)}\n".encode()
    found = statuslist.check_status_lists(lines, [KEY.public])
    assert {uri: one.status(0) for uri, one in found.items()} == {URI: 1, OTHER: 0}


@pytest.mark.parametrize(
    "form",
    [
        "{one}\n{two}",
        "{one}\n{one}\n",
        "{one}\n\n{two}\n",
        "{one}\r\n{two}\r\n",
        "{one}\v{two}\n",
        "{one} {two}\n",
        "",
        "\n",
    ],
)
def test_lines_that_are_cut_doubled_or_joined_are_refused(form):
    lines = form.format(one=build([0]), two=build([0], uri=OTHER)).encode()
    with pytest.raises(statuslist.StatusListError):
        statuslist.check_status_lists(lines, [KEY.public])


@given(
    writes=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=80),
)
def test_settling_never_weakens_a_place_and_touches_no_other(writes):
    data, model = bytearray(statuslist.pack([0] * 41)), {}
    for position, status in writes:
        before = model.get(position, 0)
        stronger = statuslist.STRENGTH[status] > statuslist.STRENGTH[before]
        assert statuslist.settle(data, position, status) is stronger
        if stronger:
            model[position] = status
        assert not (before and not statuslist.read(data, position))
    assert bytes(data) == statuslist.pack(model.get(at, 0) for at in range(41))
