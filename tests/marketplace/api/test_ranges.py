"""Bytes in part: RFC 9110 §13 and §14, against a plain model of what was asked."""

import io
from dataclasses import replace
from itertools import pairwise

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from marketplace.http.ranges import Content, respond

DATA = bytes(range(100))
DIGEST = "ab" * 32
ETAG = f'"{DIGEST}"'
requests = RequestFactory()


def end(response) -> None:
    """Close what the response holds, as its close() does, less Django's end of the request."""
    for close in response._resource_closers:
        close()


def ask(method: str = "GET", data: bytes = DATA, **headers: str):
    """Ask for the bytes; the response, its body, and whether the file was closed."""
    file = io.BytesIO(data)
    content = Content(file, len(data), DIGEST, "audio/flac", "clip.flac")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = respond(requests.generic(method, "/clip", headers=named), content)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    end(response)
    assert file.closed
    return response, body


def test_the_whole_comes_with_length_validator_and_no_right_to_run():
    response, body = ask()
    assert (response.status_code, body) == (200, DATA)
    assert response["Content-Length"] == "100"
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == ETAG
    assert response["Content-Type"] == "audio/flac"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Disposition"] == 'attachment; filename="clip.flac"'


@given(first=st.integers(0, 130), last=st.integers(0, 130))
def test_a_range_gives_just_those_bytes(first, last):
    response, body = ask(Range=f"bytes={first}-{last}")
    if last < first:
        assert (response.status_code, body) == (200, DATA)
    elif first >= 100:
        assert (response.status_code, body) == (416, b"")
        assert response["Content-Range"] == "bytes */100"
    else:
        assert (response.status_code, body) == (206, DATA[first : last + 1])
        assert response["Content-Range"] == f"bytes {first}-{min(last, 99)}/100"
        assert response["Content-Length"] == str(len(body))


@given(first=st.integers(0, 99))
def test_an_open_range_goes_to_the_end(first):
    response, body = ask(Range=f"bytes={first}-")
    assert (response.status_code, body) == (206, DATA[first:])


@given(count=st.integers(1, 300))
def test_a_suffix_gives_the_last_bytes(count):
    response, body = ask(Range=f"bytes=-{count}")
    assert (response.status_code, body) == (206, DATA[-count:])


@given(cuts=st.lists(st.integers(1, 99), unique=True, max_size=6))
def test_ranges_that_meet_make_the_whole(cuts):
    edges = [0, *sorted(cuts), 100]
    parts = [ask(Range=f"bytes={a}-{b - 1}")[1] for a, b in pairwise(edges)]
    assert b"".join(parts) == DATA


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9999999999-"])
def test_a_range_past_the_end_is_told_how_long_the_bytes_are(header):
    response, body = ask(Range=header)
    assert (response.status_code, body) == (416, b"")
    assert response["Content-Range"] == "bytes */100"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "lines=1-2",
        "bytes=5-2",
        "bytes=1-2,4-5",
        "bytes=--1",
        f"bytes={'9' * 40}-",
    ],
)
def test_a_range_that_is_none_is_passed_over(header):
    assert ask(Range=header)[0].status_code == 200


def test_a_range_holds_only_for_the_bytes_it_was_asked_of():
    assert ask(Range="bytes=0-9", If_Range=ETAG)[0].status_code == 206
    assert ask(Range="bytes=0-9", If_Range='"other"')[1] == DATA
    assert ask(Range="bytes=0-9", If_Range=f"W/{ETAG}")[1] == DATA
    assert ask(Range="bytes=0-9", If_Range="Wed, 21 Oct 2026 07:28:00 GMT")[1] == DATA


def test_head_tells_all_but_the_bytes():
    response, body = ask("HEAD")
    assert (response.status_code, body) == (200, b"")
    assert response["Content-Length"] == "100"


def test_head_passes_over_a_range():
    assert ask("HEAD", Range="bytes=0-9")[0].status_code == 200


@pytest.mark.parametrize("header", [ETAG, f"W/{ETAG}", "*", f'"x", {ETAG}'])
def test_bytes_that_are_known_are_not_sent_again(header):
    response, body = ask(If_None_Match=header)
    assert (response.status_code, body) == (304, b"")
    assert response["ETag"] == ETAG


def test_other_bytes_than_expected_are_not_sent():
    assert ask(If_Match='"other"')[0].status_code == 412
    assert ask(If_Match=ETAG)[0].status_code == 200
    assert ask(If_Match="*")[0].status_code == 200


def test_an_empty_file_is_whole_and_has_no_ranges():
    response, body = ask(data=b"")
    assert (response.status_code, body, response["Content-Length"]) == (200, b"", "0")
    assert ask(data=b"", Range="bytes=0-")[0].status_code == 416


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("grüße.flac", "attachment; filename*=utf-8''gr%C3%BC%C3%9Fe.flac"),
        ('a"b.flac', 'attachment; filename="a\\"b.flac"'),
        ("a\r\nX: y.flac", "attachment; filename*=utf-8''a%0D%0AX%3A%20y.flac"),
    ],
)
def test_a_name_is_written_so_that_it_stays_a_name(name, disposition):
    content = Content(io.BytesIO(DATA), 100, DIGEST, "audio/flac", name)
    for inline in (False, True):
        response = respond(requests.head("/clip"), replace(content, inline=inline))
        expected = disposition.replace("attachment", "inline") if inline else disposition
        assert response["Content-Disposition"] == expected


def test_what_is_not_read_to_the_end_is_closed_all_the_same():
    file = io.BytesIO(DATA * 10_000)
    content = Content(file, 1_000_000, DIGEST, "audio/flac", "clip.flac")
    request = requests.get("/clip", headers={"Range": "bytes=5-"})
    response = respond(request, content)
    assert next(iter(response.streaming_content))[:3] == b"\x05\x06\x07"
    end(response)
    assert file.closed
