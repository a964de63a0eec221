"""Whatever is sent, it is the sender's error and not ours."""

import csv
import io
import json
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.consent.imports import COLUMNS
from tests.marketplace.api.callers import World, client, client_of, problem, world

pytestmark = pytest.mark.django_db
often = settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
strings = st.text(max_size=12) | st.sampled_from(
    ["\x00", "a\u202eb", "é" * 300, "x" * 2000, "../a.wav", "radio-valley/draft", "EUR", "name"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 2**31, 2**63, 10**40])
    | st.floats(allow_nan=False, allow_infinity=False)
    | strings
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3)
)


@pytest.fixture
def w() -> World:
    return world()


def sound(w: World) -> dict[tuple[str, str], dict]:
    """A request that would be taken, at each address that takes one."""
    price = {"amount_minor": 100, "currency": "EUR"}
    new = {"slug": "other", "title": "Other", "language": "sw", "task": "speech-recognition"}
    announced = {"dataset": "radio-valley/draft", "path": "b.wav", "size": 9, "sha256": ""}
    offer = {"profile": "research-only", "price": price, "term_days": 9, "benefit_share_bps": None}
    order = {"offer": w.offer.pk, "accept_terms_sha256": w.offer.terms_sha256}
    stations = "/datasets/radio-valley"
    review, record = f"{stations}/reviewed/versions/1", f"{stations}/reviewed/consent/{w.record.pk}"
    recording = w.segment.recording_id
    return {
        ("POST", "/datasets"): {**new, "description": ""},
        ("PATCH", f"{stations}/draft"): {**new, "description": "x", "card": "y"},
        ("POST", f"{stations}/morning/versions"): {"begin_from": 1, "without": ["p-0002"]},
        ("POST", f"{stations}/morning/versions/1/withdraw"): {"reason": "Asked back."},
        ("POST", "/uploads"): announced,
        ("POST", f"/uploads/{w.upload.pk}/complete"): {"sha256": "0" * 64},
        ("POST", f"{stations}/morning/offers"): offer,
        ("POST", "/orders"): order,
        ("POST", f"/findings/{w.finding.pk}/decision"): {"decision": "confirm"},
        ("POST", f"/segments/{w.segment.pk}/findings"): {
            "first_word": 0,
            "last_word": 0,
            "kind": "name",
        },
        ("POST", f"/segments/{w.segment.pk}/review"): {"text": "call me", "excluded": False},
        ("POST", f"/recordings/{recording}/heard"): {"ranges": [[0, 500], [600, 700]]},
        ("PATCH", f"{review}/recordings/{recording}"): {"language": "sw"},
        ("POST", f"{review}/left-out"): {"speaker": "p-0001"},
        ("POST", f"{review}/undo"): {"decision": 1},
        ("POST", f"{record}/withdraw"): {"purposes": ["research"]},
        ("POST", f"{record}/void"): {"reason": "A mistake."},
    }


MAY_BE_EMPTY = ("/review", "/versions", "/undo", "/consent", "/draft", "/withdraw")
"""How the addresses end that ask for nothing: every member of what they take may be left out."""


def answers(by, method: str, path: str, body: object) -> int:
    """The status of a request, undone; a body that is refused must be refused in words."""
    with transaction.atomic():
        data = json.dumps(body).encode()
        headers = {"Idempotency-Key": "a key"}
        answer = by.generic(method, f"/api/v1{path}", data, "application/json", headers=headers)
        transaction.set_rollback(True)
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
    return answer.status_code


@often
@given(data=st.data())
def test_no_json_is_our_error(w, data):
    for (method, path), good in sound(w).items():
        owner = w.lab if path == "/orders" else w.station
        wrong = data.draw(st.dictionaries(st.sampled_from(sorted(good)), values, min_size=1))
        assert answers(client_of(owner), method, path, good | wrong) < 500


@pytest.mark.parametrize("body", [None, [], "x", 1, True, {"a": []}])
def test_a_body_that_is_no_object_is_refused(w, body):
    for method, path in sound(w):
        status = answers(client_of(w.station), method, path, body)
        assert 400 <= status < 500 or path.endswith(MAY_BE_EMPTY)


numbers = st.integers() | st.sampled_from([0, 2**31, 2**63, 10**40])


@often
@given(number=numbers, name=strings)
def test_no_address_is_our_error(w, number, name):
    station = "/api/v1/datasets/radio-valley"
    addresses = [
        f"{station}/morning/versions/{number}",
        f"{station}/morning/versions/{number}/outlook",
        f"{station}/reviewed/versions/{number}/decisions",
        f"{station}/reviewed/versions/1/recordings/{number}",
        f"{station}/{quote(name, safe='')}",
        f"{station}/reviewed/consent/{quote(name, safe='')}",
        f"{station}/reviewed/versions/1/left-out/{quote(name, safe='')}",
        f"/api/v1/segments/{number}/audio",
        f"/api/v1/offers/{number}",
        f"/status/consent/{number}",
        f"/status/{quote(name, safe='')}/0/changes",
        f"/.well-known/commonhold/trusted_root/{number}.json",
    ]
    by = client_of(w.station)
    for address in addresses:
        for method in ("get", "patch", "delete"):
            with transaction.atomic():
                assert getattr(by, method)(address).status_code < 500, address
                transaction.set_rollback(True)


def test_a_body_that_is_nested_deep_or_large_is_refused(w):
    by = client_of(w.station)
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    answer = by.generic("POST", "/api/v1/datasets", deep, "application/json")
    problem(answer, 400, "parse-error", "deep")
    large = b'{"slug":"' + b"x" * 2_000_000 + b'"}'
    answer = by.generic("POST", "/api/v1/datasets", large, "application/json")
    problem(answer, 413, "request-too-large")


cells = st.sampled_from(
    ["Amina", "KE", "sw", "2026-03-03", "research", "show.wav", "0:00:00", "0:00:01", "no", ""]
)


@often
@given(rows=st.lists(st.tuples(*[strings | cells for _ in COLUMNS]), max_size=4), notice=strings)
def test_no_table_of_consents_is_our_error(w, rows, notice):
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *rows])
    table = out.getvalue().encode("utf-8", "surrogatepass")
    body = {
        "csv": SimpleUploadedFile("c.csv", table),
        "notice": notice.encode("utf-8", "replace").decode(),
    }
    with transaction.atomic():
        url = "/api/v1/datasets/radio-valley/reviewed/consent/import"
        answer = client_of(w.station).post(url, body, format="multipart")
        transaction.set_rollback(True)
    assert answer.status_code in {201, 422}


ROW = {
    "speaker_name": "Amina",
    "jurisdiction": "KE",
    "notice_language": "sw",
    "given_on": "2026-03-03",
    "purposes": "research",
    "file": "show.wav",
}


@often
@given(change=st.dictionaries(st.sampled_from(COLUMNS), strings, min_size=1, max_size=2))
def test_a_row_that_is_nearly_right_is_never_our_error(w, change):
    row = ROW | change
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, [row.get(name, "") for name in COLUMNS]])
    table = out.getvalue().encode("utf-8", "surrogatepass")
    body = {"csv": SimpleUploadedFile("c.csv", table), "notice": "What we do."}
    with transaction.atomic():
        url = "/api/v1/datasets/radio-valley/reviewed/consent/import"
        answer = client_of(w.station).post(url, body, format="multipart")
        transaction.set_rollback(True)
    assert answer.status_code in {201, 422}, answer.json()


@often
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["q", "language", "task", "allows", "price", "page", "page_size", "format"]
        ),
        strings,
    )
)
def test_no_search_is_our_error(w, query):
    assert client().get("/api/v1/datasets", query).status_code < 500
