import pytest
from commonhold import index, paths
from hypothesis import given
from hypothesis import strategies as st

names = st.text("abcdefgh/.\u00e4\u00df\u4e2d", min_size=1, max_size=12)


def row(path: str, **changes: object) -> index.IndexRow:
    facts: dict[str, object] = {
        "path": path,
        "size": 3,
        "sha256": "ab" * 32,
        "media_type": "audio/flac",
        "source": "src-0",
    }
    return index.IndexRow(**{**facts, **changes})  # type: ignore[arg-type]


def is_usable(path: str) -> bool:
    try:
        paths.check_path(path)
    except paths.InvalidPathError:
        return False
    return True


@given(st.sets(names.filter(is_usable), max_size=20))
def test_rows_come_back_sorted_by_their_bytes_and_complete(found):
    rows = [row(path, consents=(1,), segments=((0, 5, 1),)) for path in found]
    lines = list(index.lines(rows))
    read = list(index.parse(lines))
    assert [entry.path.encode() for entry in read] == sorted(path.encode() for path in found)
    assert set(read) == set(rows)


@pytest.mark.parametrize(("one", "other"), [("a.wav", "A.wav"), ("stra\u00dfe", "STRASSE")])
def test_two_names_that_are_one_file_somewhere_are_refused(one, other):
    with pytest.raises(index.InvalidIndexError, match="one file on some systems"):
        list(index.lines([row(one), row(other)]))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda lines: lines[::-1], "out of order"),
        (lambda lines: [lines[0], *lines], "already"),
        (lambda lines: [lines[0], lines[1][:-1]], "cut short"),
        (lambda lines: [lines[0].replace(b'"n":3', b'"n": 3')], "canonical"),
        (lambda lines: [lines[0].replace(b'"n":3', b'"n":-3')], "size"),
        (lambda lines: [lines[0].replace(b'"n":3', b'"n":true')], "size"),
        (lambda lines: [lines[0].replace(b'"n":3', b'"n":3,"n":4')], "twice"),
        (lambda lines: [lines[0].replace(b"abab", b"ABAB", 1)], "digest"),
        (lambda lines: [lines[0].replace(b'"c":[]', b'"c":["x"]')], "consent numbers"),
        (lambda lines: [lines[0].replace(b',"src":"src-0"', b"")], "must have the keys"),
        (lambda _: [b"\n"], "can't be read"),
    ],
)
def test_a_damaged_index_is_refused_with_its_reason(damage, fault):
    lines = list(index.lines([row("a.wav"), row("b.wav")]))
    with pytest.raises(index.InvalidIndexError, match=fault):
        index.summarize(damage(lines))


def test_an_index_can_not_lead_outside_the_folder():
    line = row("a.wav").line().replace(b'"a.wav"', b'"../a.wav"')
    with pytest.raises(paths.InvalidPathError):
        index.summarize([line + b"\n"])
