import json

import pytest
from commonhold import base64s, canonical
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
whole = st.integers(-canonical.MAX_INT, canonical.MAX_INT)
values = st.recursive(
    st.none() | st.booleans() | whole | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_was_written_reads_back_the_same(value):
    assert canonical.decode_exact(canonical.encode(value)) == value


@given(st.dictionaries(st.text("abcdefgh", max_size=4), whole | texts, max_size=5))
def test_canonical_json_is_sorted_and_compact(value):
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical.encode(value) == plain.encode()


@given(values.filter(lambda value: isinstance(value, dict) and value))
def test_another_spelling_of_the_same_json_is_refused(value):
    with pytest.raises(canonical.CanonicalError):
        canonical.decode_exact(json.dumps(value, indent=1).encode())


@pytest.mark.parametrize(
    "value", [1.0, {"a": 0.5}, [2**53], -(2**53), {1: "a"}, "\ud800", {"a": b"raw"}, {"a": {1, 2}}]
)
def test_a_value_that_two_programs_could_write_in_two_ways_is_refused(value):
    with pytest.raises(canonical.CanonicalError):
        canonical.encode(value)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"a":1.5}', '{"a":1e3}', "[NaN]", "[Infinity]", "", "{", "[" * 99999]
)
def test_json_that_two_readers_could_read_in_two_ways_is_refused(text):
    with pytest.raises(canonical.CanonicalError):
        canonical.decode(text.encode())


def test_the_refusal_names_the_place():
    with pytest.raises(canonical.CanonicalError, match=r"value\.price\[0\] holds a fraction"):
        canonical.encode({"price": [4.9]})


@given(data=st.binary(max_size=3000))
def test_a_file_is_digested_as_its_bytes_are(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("digest") / "file"
    path.write_bytes(data)
    assert canonical.digest_file(path) == (canonical.sha256_hex(data), len(data))


@given(st.binary(max_size=40), st.data())
def test_base64_has_one_spelling(data, draw):
    text = base64s.encode(data)
    assert base64s.decode(text) == data
    assert base64s.decode_url(base64s.encode_url(data)) == data
    place = draw.draw(st.integers(0, len(text)))
    with pytest.raises(base64s.Base64Error):
        base64s.decode(text[:place] + "\n" + text[place:])


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==QQ==", "Q\u00e4==", "-_-_"])
def test_a_lenient_spelling_of_base64_is_refused(text):
    with pytest.raises(base64s.Base64Error):
        base64s.decode(text)
