"""The fake site that the client is tested against answers in the shapes of the real API.

Both are asked the same, one after another; statuses, and which members of which kind an answer
has, must agree. What stands in them need not.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests import factories, sealed, trade
from tests.marketplace.api import callers
from tests.sdk import bundles, fake_site

pytestmark = pytest.mark.django_db
DATASET = "datasets/radio-example/kurzwelle"
TAPE = callers.wav()
TABLE = (
    b"speaker_name,jurisdiction,given_on,purposes,file,notice_language,evidence\n"
    b"Ada,DE,2026-01-01,research,tape.wav,de,ada.pdf\n"
)
Answer = tuple[int, Any]


class Fake:
    """Asks the fake site."""

    def __init__(self, site: fake_site.FakeSite) -> None:
        self.site = site
        self.key = {"Authorization": f"Bearer {fake_site.KEY}"}

    def ask(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        url, headers = f"{self.site.url}/api/v1/{path}", self.key | headers_of(options)
        answer = httpx.request(method, url, json=body, headers=headers)
        return answer.status_code, answer.json()

    def send(self, path: str, table: bytes) -> Answer:
        files = [("csv", ("c.csv", table)), ("evidence", ("ada.pdf", b"signed"))]
        data = {"notice": "We publish it."}
        url = f"{self.site.url}/api/v1/{path}"
        answer = httpx.post(url, files=files, data=data, headers=self.key)
        return answer.status_code, answer.json()

    def put(self, url: str, data: bytes) -> int:
        return httpx.put(url, content=data, headers=checksum(data)).status_code

    def anonymously(self, path: str) -> Answer:
        answer = httpx.get(f"{self.site.url}{path}")
        return answer.status_code, answer.json()

    def finish_processing(self) -> None:
        """Let the newest version be in review."""
        self.site.datasets["radio-example/kurzwelle"] = (2, "review")


class Real:
    """Asks the API: a station's editor, and for what is bought a lab's buyer."""

    def __init__(self) -> None:
        self.station = factories.organization("Radio Example")
        self.dataset = sealed.dataset(self.station, slug="kurzwelle")
        trade.offer(sealed.version(self.dataset))
        self.editor = callers.client_of(self.station)
        self.buyer = callers.client_of(factories.organization("Speech Lab"))

    def ask(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        by = self.buyer if path.startswith(("orders", "grants")) else self.editor
        call = getattr(by, method.lower())
        answer = call(f"/api/v1/{path}", body, headers=headers_of(options))
        callers.settle()
        return answer.status_code, answer.json()

    def send(self, path: str, table: bytes) -> Answer:
        body = {
            "csv": SimpleUploadedFile("c.csv", table),
            "evidence": [SimpleUploadedFile("ada.pdf", b"signed")],
            "notice": "We publish it.",
        }
        answer = self.editor.post(f"/api/v1/{path}", body, format="multipart")
        return answer.status_code, answer.json()

    def put(self, url: str, data: bytes) -> int:
        return callers.send(url, data).status_code

    def anonymously(self, path: str) -> Answer:
        answer = callers.client().get(path)
        return answer.status_code, answer.json()

    def finish_processing(self) -> None:
        """Let the newest version be in review, as the workers would."""
        version = self.dataset.versions.get(number=2)
        for run in version.files.get(recording__name="tape.wav").recording.runs.all():
            sealed.write_intake(run.recording)
        version.state = version.State.REVIEW
        version.save(update_fields=["state"])


def headers_of(options: dict[str, Any]) -> dict[str, str]:
    """Headers from keyword arguments."""
    return {name.replace("_", "-"): value for name, value in options.items()}


def checksum(data: bytes) -> dict[str, str]:
    """What a part is sent with."""
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"x-amz-checksum-sha256": digest}


def walk(site: Fake | Real) -> Iterator[tuple[str, Answer]]:
    """Ask what the client asks, in its order; yield what each question is for, and the answer."""
    yield "who calls", site.ask("GET", "me")
    new = {"slug": "neu", "title": "Neu", "language": "de", "task": "speech-recognition"}
    yield "a dataset made", site.ask("POST", "datasets", new | {"description": ""})
    yield "the catalogue", site.ask("GET", "datasets?page=1")
    yield "a dataset", site.ask("GET", DATASET)
    yield "a dataset that is not there", site.ask("GET", "datasets/radio-example/none")
    yield from uploading(site)
    yield from buying(site)


def uploading(site: Fake | Real) -> Iterator[tuple[str, Answer]]:
    """From the next version to its review."""
    yield "the next version", (opened := site.ask("POST", f"{DATASET}/versions"))
    yield "the next version again", site.ask("POST", f"{DATASET}/versions")
    version = f"{DATASET}/versions/{opened[1]['number']}"
    announced = {"dataset": "radio-example/kurzwelle", "path": "tape.wav", "size": len(TAPE)}
    digest = {"sha256": hashlib.sha256(TAPE).hexdigest()}
    yield "an upload", (begun := site.ask("POST", "uploads", announced | digest))
    upload = f"uploads/{begun[1]['id']}"
    yield "an upload under way", site.ask("GET", upload)
    assert [site.put(part["url"], TAPE) for part in begun[1]["parts"]] == [200]
    yield "a file received", site.ask("POST", f"{upload}/complete", digest)
    yield "an upload that is over", site.ask("GET", upload)
    yield "a file that is there", site.ask("POST", "uploads", announced | digest)
    yield "an empty file", site.ask("POST", "uploads", announced | {"path": "x.wav", "size": 0})
    other = announced | {"path": "other.wav"}
    yield "another upload", (begun := site.ask("POST", "uploads", other))
    assert [site.put(part["url"], TAPE) for part in begun[1]["parts"]] == [200]
    damaged = f"uploads/{begun[1]['id']}/complete"
    yield "a file damaged on the way", site.ask("POST", damaged, {"sha256": "0" * 64})
    yield (
        "an upload that is not there",
        site.ask("GET", f"uploads/{'0' * 8}-0000-4000-8000-{'0' * 12}"),
    )
    yield "consents", site.send(f"{DATASET}/consent/import", TABLE)
    yield "consents again", site.send(f"{DATASET}/consent/import", TABLE)
    unknown = TABLE.replace(b"tape.wav", b"unknown.wav")
    yield "consents that can't stand", site.send(f"{DATASET}/consent/import", unknown)
    yield "a draft", site.ask("GET", version)
    yield "the pipeline", site.ask("POST", f"{version}/process")
    site.finish_processing()
    yield "a version in review", site.ask("GET", version)


def buying(site: Fake | Real) -> Iterator[tuple[str, Answer]]:
    """From the offers to the files."""
    yield "offers", (offers := site.ask("GET", f"{DATASET}/offers"))
    offer = offers[1]["results"][0]["id"]
    yield "a quote", (quote := site.ask("GET", f"offers/{offer}/quote"))
    wish = {"offer": offer, "accept_terms_sha256": quote[1]["terms_sha256"]}
    yield "an order", (bought := site.ask("POST", "orders", wish, Idempotency_Key="once"))
    yield "the order again", site.ask("POST", "orders", wish, Idempotency_Key="once")
    changed = wish | {"accept_terms_sha256": "0" * 64}
    yield "other terms", site.ask("POST", "orders", changed, Idempotency_Key="twice")
    yield "licenses", site.ask("GET", "grants?page=1")
    yield "a release", site.ask("GET", f"grants/{bought[1]['grant']}/release")
    yield "without a key", site.anonymously("/api/v1/me")
    yield "status lists", site.anonymously("/status/")


OPEN_MEMBERS = frozenset({"quality", "copies"})
"""Members that hold what was measured, by whatever name."""


def shape(value: Any) -> Any:
    """Return which members of which kind a JSON value has."""
    if isinstance(value, dict):
        return {
            name: "any" if name in OPEN_MEMBERS else shape(inner) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "null" if value is None else type(value).__name__


def differences(fake: Any, real: Any, at: str = "") -> Iterator[str]:
    """Yield where two shapes differ; what is null or an empty list in one may be anything."""
    if "null" in (fake, real) or "any" in (fake, real):
        return
    if isinstance(fake, dict) and isinstance(real, dict):
        for name in sorted(fake.keys() | real.keys()):
            if name not in fake or name not in real:
                yield f"{at}.{name}: only in the {'real' if name in real else 'fake'} answer"
            else:
                yield from differences(fake[name], real[name], f"{at}.{name}")
    elif isinstance(fake, list) and isinstance(real, list):
        for inner in fake:
            for other in real[:1]:
                yield from differences(inner, other, f"{at}[]")
    elif fake != real:
        yield f"{at}: {json.dumps(fake)} in the fake answer, {json.dumps(real)} in the real one"


def problem_members(answer: Answer) -> Answer:
    """Of a refusal, compare what every refusal has, and the rows: details differ by the case."""
    status, body = answer
    if status < 400:
        return answer
    common = ("type", "title", "status", "detail", "code", "rows")
    return status, {name: body[name] for name in common if name in body}


def test_the_fake_site_answers_in_the_shapes_of_the_real_one(tmp_path):
    with fake_site.running() as running:
        running.add("radio-example/kurzwelle", "sealed")
        running.release = bundles.write(tmp_path / "released", running.keys)
        running.status_lists = [{"uri": "https://x.example/status/consent/0", "path": "/x"}]
        asked_fake = [(what, problem_members(answer)) for what, answer in walk(Fake(running))]
    asked_real = [(what, problem_members(answer)) for what, answer in walk(Real())]
    assert [what for what, _ in asked_fake] == [what for what, _ in asked_real]
    wrong = [
        f"{what}{difference}"
        for (what, fake), (_, real) in zip(asked_fake, asked_real, strict=True)
        for difference in differences(
            shape(fake[1]) | {"status of the answer": str(fake[0])},
            shape(real[1]) | {"status of the answer": str(real[0])},
        )
    ]
    assert wrong == []


def test_the_fake_site_refuses_for_the_same_reasons(tmp_path):
    with fake_site.running() as running:
        running.add("radio-example/kurzwelle", "sealed")
        running.release = bundles.write(tmp_path / "released", running.keys)
        fake = {what: answer[1]["code"] for what, answer in walk(Fake(running)) if answer[0] >= 400}
    real = {what: answer[1]["code"] for what, answer in walk(Real()) if answer[0] >= 400}
    assert fake == real


def test_a_shape_that_drifted_is_noticed():
    fake = {"a": 1, "b": [{"c": "x"}], "d": None}
    for real, where in (
        ({"a": 1, "b": [{"c": "x"}]}, ".d"),
        ({"a": "1", "b": [{"c": "x"}], "d": 1}, ".a"),
        ({"a": 1, "b": [{"c": "x", "e": 1}], "d": 1}, ".b[].e"),
        ({"a": 1, "b": {}, "d": 1}, ".b"),
    ):
        assert [one.split(":")[0] for one in differences(shape(fake), shape(real))] == [where]
    assert not list(differences(shape(fake), shape({"a": 2, "b": [], "d": {"any": 1}})))
