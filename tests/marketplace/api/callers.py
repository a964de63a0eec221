"""Who calls the API in these tests, and a world for them to call about."""

import base64
import hashlib
import io
import wave
from dataclasses import dataclass
from uuid import uuid4

from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts import organizations
from accounts.models import Organization, Role, Scope, User
from ingestion import consent
from ingestion.archive import uploads, versions
from ingestion.models import (
    ConsentRecord,
    Dataset,
    Finding,
    Recording,
    Segment,
    Upload,
    Version,
)
from licensing import following
from licensing.models import Grant, Offer
from marketplace import listings, orders, pricing
from notary import log, status
from tests import factories, sealed

EVERYTHING = tuple(Scope.values)


def key(
    organization: Organization, user: User | None = None, scopes: tuple[str, ...] = EVERYTHING
) -> str:
    """The secret of a new key."""
    user = user or factories.owner_of(organization)
    return organizations.issue_key(
        organization=organization, user=user, name="test key", scopes=scopes
    )[1]


def client(secret: str = "") -> APIClient:
    """A client that sends a key, or nothing."""
    made = APIClient()
    if secret:
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return made


def client_of(
    organization: Organization, user: User | None = None, scopes: tuple[str, ...] = EVERYTHING
) -> APIClient:
    """A client with a new key."""
    return client(key(organization, user, scopes))


def wav(milliseconds: int = 1000, *, rate: int = 8000, channels: int = 1) -> bytes:
    """A silent WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * channels * rate * milliseconds // 1000))
    return out.getvalue()


def sha256(data: bytes) -> str:
    """A digest as the API writes it."""
    return hashlib.sha256(data).hexdigest()


def checksum(data: bytes) -> str:
    """A digest as a part's header carries it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def send(url: str, data: bytes, **headers: str) -> Response:
    """PUT a part as any HTTP client would: no key, only the address."""
    found = {"x-amz-checksum-sha256": checksum(data)} | headers
    return APIClient().generic("PUT", url, data, "application/octet-stream", headers=found)


def begin(by: APIClient, dataset: Dataset, path: str, data: bytes, **changes: object) -> Response:
    """Announce a file."""
    body = {"dataset": str(dataset), "path": path, "size": len(data)} | changes
    return by.post("/api/v1/uploads", body)


def upload(by: APIClient, dataset: Dataset, path: str, data: bytes) -> Response:
    """Announce, send and complete a file; the answer to the completion."""
    begun = begin(by, dataset, path, data)
    assert begun.status_code == 201, begun.json()
    for part in begun.json()["parts"]:
        start = part["offset"]
        assert send(part["url"], data[start : start + part["size"]]).status_code == 200
    return by.post(f"/api/v1/uploads/{begun.json()['id']}/complete", {"sha256": sha256(data)})


def source(version: Version, path: str = "show.wav", data: bytes | None = None) -> Recording:
    """An original in a draft, through the upload service."""
    data = wav() if data is None else data
    by = version.created_by
    begun = uploads.begin(version=version, path=path, size=len(data), by=by)
    uploads.receive_part(upload=begun, number=1, chunks=[data], checksum=checksum(data))
    done = uploads.complete(upload=begun, by=begun.created_by)
    assert done.recording is not None, done.error
    return done.recording


def draft_of(dataset: Dataset) -> Version:
    """The version that is open."""
    return versions.open_draft(dataset=dataset, by=dataset.created_by)


def under_review(dataset: Dataset) -> tuple[Version, Segment, Finding]:
    """A version in review: one segment that nobody has read, with one open finding."""
    version = draft_of(dataset)
    recording = source(version)
    run = sealed.write_intake(recording)
    text = "call five five five"
    segment = Segment.objects.create(
        recording=recording,
        run=run,
        position=0,
        start_ms=0,
        end_ms=1000,
        text=text,
        words=list(sealed.timed_words(text, 0, 1000)),
        needs_review=True,
    )
    finding = Finding.objects.create(
        segment=segment,
        kind="phone",
        start_char=5,
        end_char=19,
        start_ms=250,
        end_ms=1000,
        detector="rules",
        confidence=900,
    )
    Version.objects.filter(pk=version.pk).update(state=Version.State.REVIEW)
    version.refresh_from_db()
    return version, segment, finding


def agree(
    recording: Recording, name: str = "Amina", purposes: tuple[str, ...] = sealed.OPEN
) -> ConsentRecord:
    """Consent for a whole recording."""
    dataset = recording.dataset
    return consent.record(
        speaker=sealed.speaker(dataset, name),
        notice=consent.Notice("What we do.", "sw"),
        terms=consent.Terms(purposes, sealed.date(2026, 1, 1), "KE"),
        stretches=[consent.Stretch(recording)],
        by=dataset.created_by,
    )


@dataclass
class World:
    """A station with a published dataset and two unpublished ones, and a lab that licensed."""

    station: Organization
    lab: Organization
    owner: User
    editor: User
    buyer: User
    trainer: User
    published: Dataset
    release: Version
    offer: Offer
    draft: Dataset
    upload: Upload
    reviewed: Dataset
    segment: Segment
    finding: Finding
    record: ConsentRecord
    grant: Grant
    order_id: str


def world(*, amount_minor: int = 4000) -> World:
    """Make the world."""
    station, lab = factories.organization("Radio Valley"), factories.organization("Speech Lab")
    owner, trainer = factories.owner_of(station), factories.owner_of(lab)
    published = sealed.dataset(station, slug="morning")
    release = sealed.version(published)
    offer = publish(release, owner, amount_minor=amount_minor)
    draft = sealed.dataset(station, slug="draft")
    version = draft_of(draft)
    reviewed = sealed.dataset(station, slug="reviewed")
    _, segment, finding = under_review(reviewed)
    record = agree(segment.recording)
    order = buy(offer, lab)
    settle()
    return World(
        station=station,
        lab=lab,
        owner=owner,
        editor=factories.member(station, Role.EDITOR),
        buyer=factories.member(station, Role.BUYER),
        trainer=trainer,
        published=published,
        release=release,
        offer=offer,
        draft=draft,
        upload=uploads.begin(version=version, path="new.wav", size=1000, by=owner),
        reviewed=reviewed,
        segment=segment,
        finding=finding,
        record=record,
        grant=order.grant,
        order_id=str(order.pk),
    )


def publish(
    release: Version, by: User, profile: str = "commercial-training", amount_minor: int = 4000
) -> Offer:
    """An offer with its price, listed."""
    return pricing.publish_offer(
        version=release, profile=profile, amount_minor=amount_minor, currency="EUR", by=by
    )


def buy(offer: Offer, buyer: Organization):
    """A license bought."""
    return orders.place(
        offer=offer,
        buyer=buyer,
        by=factories.owner_of(buyer),
        accept_terms_sha256=offer.terms_sha256,
        idempotency_key=str(uuid4()),
    )[0]


def follow() -> None:
    """Do what the workers do with news: close offers and make listings anew."""
    following.follow()
    listings.follow()


def settle() -> None:
    """Do what the beat does every few seconds: publish status lists, integrate the log."""
    status.publish()
    log.integrate()


def problem(response: Response, status: int, code: str, *words: str) -> dict:
    """The problem document of a response, which must be one and name these things."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    found = response.json()
    assert (found["status"], found["code"]) == (status, code), found
    assert found["type"] == f"https://w3id.org/commonhold/problems/{code}"
    for word in words:
        assert word in found["detail"], found
    return found
