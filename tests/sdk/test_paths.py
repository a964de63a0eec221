import unicodedata

import pytest
from commonhold import paths
from hypothesis import assume, given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "is empty"),
        ("/etc/passwd", "starts with"),
        ("../secret.wav", "points elsewhere"),
        ("audio/../../x.wav", "points elsewhere"),
        ("./x.wav", "points elsewhere"),
        ("audio//x.wav", "empty part"),
        ("audio/", "empty part"),
        ("audio\\x.wav", "can't store"),
        ("C:/x.wav", "can't store"),
        ("what?.wav", "can't store"),
        ("a\nb.wav", "U+000A"),
        ("a\x00b", "U+0000"),
        ("photo\u202egnp.exe", "U+202E"),
        ("zero\u200bwidth.wav", "U+200B"),
        ("half\ud800.wav", "U+D800"),
        ("audio./x.wav", "ends in a dot or a space"),
        ("x.wav ", "ends in a dot or a space"),
        ("aux", "Windows keeps"),
        ("audio/CON.wav", "Windows keeps"),
        ("com1 .txt", "Windows keeps"),
        ("lpt\u00b9.log", "Windows keeps"),
        ("Gru\u0308n.wav", "NFC"),
        ("a" * 256, "255 bytes"),
        ("\u00e4" * 128, "255 bytes"),
        ("/".join(["a" * 200] * 6), "1,024 bytes"),
    ],
)
def test_a_path_that_is_unsafe_somewhere_is_refused_with_its_reason(path, fault):
    with pytest.raises(paths.InvalidPathError, match=fault.replace("+", r"\+")):
        paths.check_path(path)


@pytest.mark.parametrize(
    "path", ["README.md", "audio/Gr\u00fc\u00dfe/0001.flac", "a b.wav", ".hidden", "console.wav"]
)
def test_an_ordinary_path_is_taken(path):
    assert paths.check_path(path) == path


def test_a_refusal_never_repeats_an_invisible_character():
    with pytest.raises(paths.InvalidPathError) as caught:
        paths.check_path("photo\u202egnp.exe")
    assert "\u202e" not in caught.value.message
    assert "\u202e" not in str(caught.value.as_problem())


@given(st.text(max_size=40))
def test_a_path_that_was_taken_stays_inside_and_is_visible(path):
    try:
        paths.check_path(path)
    except paths.InvalidPathError:
        return
    parts = path.split("/")
    assert ".." not in parts
    assert "" not in parts
    assert unicodedata.normalize("NFC", path) == path
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in path)
    assert paths.normalize_path(path) == path


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_twins_share_one_key(path):
    key = paths.path_key(path)
    assert paths.path_key(unicodedata.normalize("NFD", path)) == key
    assert paths.path_key(unicodedata.normalize("NFC", path)) == key
    assert paths.path_key(key) == key


@given(st.text("abcxyz\u00e9\u00f8\u0434/.", max_size=20))
def test_case_twins_share_one_key(path):
    assert paths.path_key(path.upper()) == paths.path_key(path)


@given(st.text("abc/", max_size=8), st.text("abc/", max_size=8))
def test_different_names_have_different_keys(one, other):
    assume(one != other)
    assert paths.path_key(one) != paths.path_key(other)
