"""Who may do what: every address of the API, asked by everybody."""

from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import resolve
from rest_framework.test import APIClient

from accounts.models import Membership, Role, Scope
from ingestion.archive import uploads
from ingestion.models import Segment
from marketplace.api import urls
from marketplace.api.resource import Resource
from marketplace.http import problems
from tests import factories
from tests.marketplace.api.callers import World, client, client_of, draft_of, world
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db

STATION = frozenset({"buyer", "editor", "owner"})
CONTRIBUTORS = frozenset({"editor", "owner"})
OUTSIDE = frozenset({"stranger", "trainer", "operator"})
MEMBERS = frozenset({"stranger", "trainer"}) | STATION
SIGNED_IN = STATION | OUTSIDE
EVERYBODY = SIGNED_IN | {"anonymous"}
BUYER = frozenset({"buyer"})
TOLD = OUTSIDE | BUYER
"""Who is told, of what anybody may see, that they may not do this with it."""
SHEET = (
    b"speaker_name,jurisdiction,given_on,purposes,file,notice_language\n"
    b"Amina,KE,2026-01-01,research,show.wav,sw\n"
)
NEW = {"slug": "other", "title": "Other", "language": "sw", "task": "speech-recognition"}
WORDS = {"first_word": 0, "last_word": 0, "kind": "name"}
OFFER = {"profile": "research-only", "price": {"amount_minor": 100, "currency": "EUR"}}


@dataclass(frozen=True)
class Endpoint:
    """An address and who gets through; `forbidden` are told that it is there but not theirs.

    Everybody else is answered as if it were not there. What gets through may still be too early
    (`status`), but it was let in.
    """

    method: str
    path: str
    allowed: frozenset[str]
    forbidden: frozenset[str] = frozenset()
    body: object = None
    format: str | None = None
    status: int | None = None
    elsewhere: frozenset[str] = frozenset()
    """Who gets 409 for a reason of their own."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that the view wants for the method."""
        view = getattr(resolve(f"/api/v1{self.path}").func, "view_class", None)
        if not issubclass(view or object, Resource):
            return ()
        return tuple(view.scopes.get(self.method.upper(), (Scope.READ,)))

    def ask(self, by: APIClient):
        """Call it, and undo whatever it did."""
        with transaction.atomic():
            call = getattr(by, self.method)
            response = call(f"/api/v1{self.path}", self.body, format=self.format)
            transaction.set_rollback(True)
        if response.streaming:
            b"".join(response.streaming_content)
        return response

    def verdict(self, role: str) -> set[int]:
        """The statuses that are right for a role."""
        if role in self.allowed:
            return {self.status} if self.status else {200, 201, 202, 204}
        if role in self.elsewhere:
            return {409}
        if role in self.forbidden:
            return {403}
        return {401} if role == "anonymous" and self.scopes else {404}


def endpoints(w: World) -> list[Endpoint]:
    """Every address of the API but those that are their own permission."""
    return [
        *of_the_caller(w),
        *of_datasets(),
        *of_versions(),
        *of_consent(w),
        *of_review(w),
        *of_uploads(w),
        *of_trade(w),
    ]


def of_the_caller(w: World) -> list[Endpoint]:
    order = {"offer": w.offer.pk, "accept_terms_sha256": w.offer.terms_sha256, "another": True}
    nobody = frozenset({"operator"})
    return [
        Endpoint("get", "/me", MEMBERS, nobody),
        Endpoint("get", "/quotas", MEMBERS, nobody),
        Endpoint("get", "/orders", MEMBERS, nobody),
        Endpoint(
            "post",
            "/orders",
            frozenset({"stranger", "trainer"}),
            frozenset({"editor", "operator"}),
            order,
            elsewhere=frozenset({"owner", "buyer"}),
        ),
        Endpoint("get", f"/orders/{w.order_id}", frozenset({"trainer"})),
        Endpoint("get", "/grants", MEMBERS, nobody),
        Endpoint("get", f"/grants/{w.grant.pk}", frozenset({"trainer"})),
        Endpoint("get", f"/grants/{w.grant.pk}/release", frozenset({"trainer"})),
    ]


def of_datasets() -> list[Endpoint]:
    morning, draft = "/datasets/radio-valley/morning", "/datasets/radio-valley/draft"
    may_create = frozenset({"stranger", "trainer"}) | CONTRIBUTORS
    title = {"title": "Other", "card": "More about it."}
    return [
        Endpoint("get", "/datasets", EVERYBODY),
        Endpoint("post", "/datasets", may_create, frozenset({"buyer", "operator"}), NEW),
        Endpoint("get", morning, EVERYBODY),
        Endpoint("get", draft, STATION),
        Endpoint("patch", morning, CONTRIBUTORS, TOLD, title),
        Endpoint("patch", draft, CONTRIBUTORS, BUYER, title),
        Endpoint("delete", morning, CONTRIBUTORS, TOLD, status=409),
        Endpoint("delete", draft, CONTRIBUTORS, BUYER),
        Endpoint("get", f"{morning}/history", CONTRIBUTORS, TOLD),
        Endpoint("get", f"{draft}/history", CONTRIBUTORS, BUYER),
        Endpoint("get", "/schema/", EVERYBODY),
        Endpoint("get", "/docs/", EVERYBODY),
    ]


def of_versions() -> list[Endpoint]:
    morning, draft = "/datasets/radio-valley/morning", "/datasets/radio-valley/draft"
    reviewed = "/datasets/radio-valley/reviewed/versions/1"
    why = {"reason": "The archive asked for it back."}
    return [
        Endpoint("post", f"{morning}/versions", CONTRIBUTORS, TOLD),
        Endpoint("post", f"{draft}/versions", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{morning}/versions/1", EVERYBODY),
        Endpoint("get", f"{draft}/versions/1", STATION),
        Endpoint("delete", f"{morning}/versions/1", CONTRIBUTORS, TOLD, status=409),
        Endpoint("delete", f"{draft}/versions/1", CONTRIBUTORS, BUYER),
        Endpoint("post", f"{draft}/versions/1/process", CONTRIBUTORS, BUYER, status=409),
        Endpoint("post", f"{reviewed}/finish-review", CONTRIBUTORS, BUYER, status=409),
        Endpoint("get", f"{reviewed}/outlook", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{morning}/versions/1/outlook", CONTRIBUTORS, TOLD, status=409),
        Endpoint("post", f"{morning}/versions/1/withdraw", CONTRIBUTORS, TOLD, why),
        Endpoint("post", f"{draft}/versions/1/withdraw", CONTRIBUTORS, BUYER, why, status=409),
    ]


def of_consent(w: World) -> list[Endpoint]:
    morning, draft = "/datasets/radio-valley/morning", "/datasets/radio-valley/draft"
    reviewed = "/datasets/radio-valley/reviewed"
    record, speaker = f"{reviewed}/consent/{w.record.pk}", f"{reviewed}/speakers/p-0001"
    sheet = {"csv": SimpleUploadedFile("c.csv", SHEET), "notice": "What we will do with it."}
    absent = f"{morning}/consent/{w.record.pk}"
    return [
        Endpoint("get", f"{morning}/consent", CONTRIBUTORS, TOLD),
        Endpoint("get", f"{draft}/consent", CONTRIBUTORS, BUYER),
        Endpoint(
            "post", f"{reviewed}/consent/import", CONTRIBUTORS, BUYER, sheet, format="multipart"
        ),
        Endpoint("get", "/consent-template.csv", EVERYBODY),
        Endpoint("get", record, CONTRIBUTORS, BUYER),
        Endpoint("get", absent, CONTRIBUTORS, TOLD, status=404),
        Endpoint("post", f"{record}/withdraw", CONTRIBUTORS, BUYER, {}),
        Endpoint("post", f"{record}/void", CONTRIBUTORS, BUYER, {"reason": "A typing error."}),
        Endpoint("post", f"{speaker}/withdraw", CONTRIBUTORS, BUYER),
        Endpoint("post", f"{morning}/speakers/p-0001/withdraw", CONTRIBUTORS, TOLD),
    ]


def of_review(w: World) -> list[Endpoint]:
    morning = "/datasets/radio-valley/morning/versions/1"
    reviewed = "/datasets/radio-valley/reviewed/versions/1"
    finding, segment = f"/findings/{w.finding.pk}", f"/segments/{w.segment.pk}"
    place = f"{reviewed}/recordings/{w.segment.recording_id}"
    played = {"ranges": [[0, 500]]}
    confirm, amina = {"decision": "confirm"}, {"speaker": "p-0001"}
    return [
        Endpoint("get", f"{reviewed}/findings", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{reviewed}/segments", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{morning}/findings", CONTRIBUTORS, TOLD),
        Endpoint("get", f"{morning}/segments", CONTRIBUTORS, TOLD),
        Endpoint("post", f"{finding}/decision", CONTRIBUTORS, BUYER, confirm),
        Endpoint("post", f"{segment}/findings", CONTRIBUTORS, BUYER, WORDS),
        Endpoint("post", f"{segment}/review", CONTRIBUTORS, BUYER, {}),
        Endpoint("get", f"{segment}/audio", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{reviewed}/left-out", CONTRIBUTORS, BUYER),
        Endpoint("post", f"{reviewed}/left-out", CONTRIBUTORS, BUYER, amina, status=409),
        Endpoint("post", f"{morning}/left-out", CONTRIBUTORS, TOLD, amina, status=409),
        Endpoint("delete", f"{reviewed}/left-out/p-0001", CONTRIBUTORS, BUYER),
        Endpoint("post", f"{reviewed}/leave-out-uncovered", CONTRIBUTORS, BUYER),
        Endpoint("post", f"{reviewed}/leave-out-unwritten", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{reviewed}/decisions", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{morning}/decisions", CONTRIBUTORS, TOLD),
        Endpoint("post", f"{reviewed}/undo", CONTRIBUTORS, BUYER, status=409),
        Endpoint("patch", place, CONTRIBUTORS, BUYER, {"language": "sw"}, status=409),
        Endpoint("delete", place, CONTRIBUTORS, BUYER),
        Endpoint(
            "post", f"/recordings/{w.segment.recording_id}/heard", CONTRIBUTORS, BUYER, played
        ),
    ]


def of_uploads(w: World) -> list[Endpoint]:
    announced = {"dataset": "radio-valley/draft", "path": "b.wav", "size": 9}
    whole = {"sha256": "0" * 64}
    upload = f"/uploads/{w.upload.pk}"
    return [
        Endpoint("post", "/uploads", CONTRIBUTORS, BUYER, announced),
        Endpoint("get", upload, CONTRIBUTORS, BUYER),
        Endpoint("post", f"{upload}/complete", CONTRIBUTORS, BUYER, whole, status=409),
        Endpoint("delete", upload, CONTRIBUTORS, BUYER),
    ]


def of_trade(w: World) -> list[Endpoint]:
    morning, draft = "/datasets/radio-valley/morning", "/datasets/radio-valley/draft"
    offer = f"/offers/{w.offer.pk}"
    paper = {"manifest": SimpleUploadedFile("manifest.dsse.json", b"{}")}
    return [
        Endpoint("get", "/licenses", EVERYBODY),
        Endpoint("get", "/licenses/CC0-1.0", EVERYBODY),
        Endpoint("get", f"{morning}/offers", EVERYBODY),
        Endpoint("post", f"{morning}/offers", CONTRIBUTORS, TOLD, OFFER),
        Endpoint("get", f"{draft}/offers", STATION),
        Endpoint("get", offer, EVERYBODY),
        Endpoint("delete", offer, CONTRIBUTORS, TOLD),
        Endpoint("get", f"{offer}/quote", EVERYBODY),
        Endpoint("post", "/verify", EVERYBODY, body=paper, format="multipart"),
    ]


def caller(w: World, role: str) -> APIClient:
    """Somebody of a role, with a key that has every scope."""
    people = {"owner": w.owner, "editor": w.editor, "buyer": w.buyer}
    match role:
        case "anonymous":
            return client()
        case "stranger":
            return client_of(factories.organization("Other Radio"))
        case "trainer":
            return client_of(w.lab)
        case "operator":
            made = APIClient()
            made.force_login(factories.user())
            return made
        case _:
            return client_of(w.station, people[role])


def repeatable(by: APIClient) -> APIClient:
    """Send an Idempotency-Key with everything; only orders read it."""
    by.defaults["HTTP_IDEMPOTENCY_KEY"] = "a key for the table of rights"
    return by


def wrong(found: list[Endpoint], by: APIClient, role: str) -> list[str]:
    """What answered otherwise than it should."""
    answers = [(one, one.ask(by)) for one in found]
    return [
        f"{role} {one.method} {one.path}: {answer.status_code} {getattr(answer, 'content', b'')!r}"
        for one, answer in answers
        if answer.status_code not in one.verdict(role)
    ]


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_everybody_gets_just_what_is_theirs(role):
    w = world()
    assert wrong(endpoints(w), repeatable(caller(w, role)), role) == []


def test_running_the_site_opens_nothing_that_is_not_public():
    w = world()
    operator = factories.user()
    operator.is_superuser = operator.is_staff = True
    operator.save()
    by = APIClient()
    by.force_login(operator)
    assert wrong(endpoints(w), repeatable(by), "operator") == []


def test_a_session_of_a_member_gets_what_their_keys_get():
    w = world()
    by = APIClient()
    browser_of(w.editor, by)
    assert wrong(endpoints(w), repeatable(by), "editor") == []


def test_a_key_for_another_organization_of_ones_own_opens_nothing_here():
    w = world()
    other = factories.organization("Second Radio", owner=w.owner)
    by = repeatable(client_of(other, w.owner))
    assert wrong(endpoints(w), by, "stranger") == []


def test_a_key_without_the_scope_is_told_which_one_it_lacks():
    w = world()
    for one in endpoints(w):
        others = tuple(set(Scope.values) - set(one.scopes))
        if not one.scopes or not others:
            continue
        owner = w.lab if "grants" in one.path or "orders" in one.path else w.station
        answer = one.ask(repeatable(client_of(owner, scopes=others)))
        assert answer.status_code == 403, one
        assert answer.json()["code"] == "scope-missing", one
        assert one.scopes[0] in answer.json()["detail"]


def test_a_key_without_read_sees_only_what_is_public():
    w = world()
    by = client_of(w.station, scopes=("buy",))
    assert by.get("/api/v1/datasets/radio-valley/morning").status_code == 200
    assert by.get("/api/v1/datasets/radio-valley/draft").status_code == 404


def test_what_is_not_yours_answers_just_like_what_is_not_there():
    w = world()
    stranger = caller(w, "stranger")
    hidden = [one for one in endpoints(w) if one.verdict("stranger") == {404}]
    answers = {one.ask(stranger).content for one in hidden}
    absent = stranger.get("/api/v1/datasets/radio-valley/no-such-dataset")
    assert len(hidden) > 10
    assert answers == {absent.content}
    assert absent.json()["detail"] == problems.NOT_FOUND


def test_what_is_inside_a_published_dataset_is_not_there_for_strangers():
    w = world()
    draft = draft_of(w.published)
    begun = uploads.begin(version=draft, path="new.wav", size=1000, by=w.owner)
    segment = Segment.objects.of(w.release).first()
    second = "/datasets/radio-valley/morning/versions/2"
    found = [
        Endpoint("get", f"/uploads/{begun.pk}", CONTRIBUTORS, BUYER),
        Endpoint("get", f"/segments/{segment.pk}/audio", CONTRIBUTORS, BUYER),
        Endpoint("get", f"{second}/outlook", CONTRIBUTORS, BUYER),
        Endpoint("get", second, STATION),
    ]
    callers = {role: caller(w, role) for role in ("stranger", "anonymous", "buyer", "editor")}
    for role, by in callers.items():
        assert wrong(found, by, role) == []
    heard = f"/api/v1/recordings/{segment.recording_id}/heard"
    assert callers["stranger"].post(heard, {"ranges": [[0, 1]]}).status_code == 404
    assert not segment.recording.hearings.exists()


def test_a_member_who_left_loses_everything_at_once():
    w = world()
    by = repeatable(client_of(w.station, w.editor))
    Membership.objects.filter(user=w.editor).delete()
    found = [one for one in endpoints(w) if one.verdict("stranger") == {404}]
    assert wrong(found, by, "stranger") == []


def test_a_buyer_made_editor_may_contribute():
    w = world()
    by = client_of(w.station, w.buyer)
    Membership.objects.filter(user=w.buyer).update(role=Role.EDITOR)
    assert by.get(f"/api/v1/uploads/{w.upload.pk}").status_code == 200


def test_every_address_of_the_api_stands_in_the_table():
    w = world()
    named = {pattern.name for pattern in urls.native if pattern.name}
    tried = {resolve(f"/api/v1{one.path}").url_name for one in endpoints(w)}
    their_own_permission = {"part", "grant-file"}
    assert named - tried == their_own_permission
