"""What is others' and what does not exist are told apart by nothing, also not by their cost."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import Upload
from tests import factories, sealed, trade
from tests.marketplace.api.callers import begin, client, client_of, wav
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db


def asked(by, path: str) -> tuple[int, int, bytes]:
    """The status, how many queries were made, and the answer."""
    by.get("/api/v1/me")  # so that the key was seen within the minute
    with CaptureQueriesContext(connection) as captured:
        answer = by.get(path)
    body = answer.content.replace(path.encode(), b"")
    return answer.status_code, len(captured), body


def private_and_nothing() -> list[tuple[str, str]]:
    """Addresses of things that only their members know, each with one of nothing."""
    version = sealed.version()
    dataset = version.dataset
    draft = sealed.dataset()
    upload = begin(client_of(draft.organization), draft, "show.wav", wav()).json()["id"]
    assert Upload.objects.filter(pk=upload).exists()
    grant = trade.grant()
    segment = version.files.get().recording.intake.segments.first()
    place = f"/api/v1/datasets/{dataset.organization.slug}"
    return [
        (f"{place}/{dataset.slug}", f"{place}/nothing"),
        (f"{place}/{dataset.slug}", "/api/v1/datasets/nobody/nothing"),
        (f"{place}/{dataset.slug}/versions/1", f"{place}/{dataset.slug}/versions/9"),
        (f"{place}/{dataset.slug}/consent", f"{place}/nothing/consent"),
        (f"/api/v1/uploads/{upload}", f"/api/v1/uploads/{uuid4()}"),
        (f"/api/v1/segments/{segment.pk}/audio", "/api/v1/segments/999999/audio"),
        (f"/api/v1/grants/{grant.pk}", f"/api/v1/grants/{uuid4()}"),
        (f"/api/v1/grants/{grant.pk}/release", f"/api/v1/grants/{uuid4()}/release"),
        (f"/api/v1/orders/{grant.order.pk}", f"/api/v1/orders/{uuid4()}"),
    ]


def test_a_private_thing_and_nothing_cost_the_same():
    pairs = private_and_nothing()
    for by in (client_of(factories.organization()), client()):
        for private, nothing in pairs:
            there, not_there = asked(by, private), asked(by, nothing)
            assert there == not_there, private
            assert there[0] in {401, 404}


def test_a_private_dataset_and_nothing_cost_the_same_in_the_studio():
    dataset = sealed.dataset()
    stranger = browser_of(factories.owner_of(factories.organization()))
    counts = []
    for slug in (dataset.slug, "nothing"):
        with CaptureQueriesContext(connection) as captured:
            answer = stranger.get(f"/studio/{dataset.organization.slug}/{slug}/files/")
        counts.append((answer.status_code, len(captured)))
    assert counts[0] == counts[1]
    assert counts[0][0] == 404
