"""The security log: what happens leaves one line and one row, which tell nobody's particulars."""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.test import Client

from accounts import organizations, security
from accounts.models import AuditEntry, Role
from marketplace.host.lines import Json, Plain
from notary.keys.rotation import ROTATED
from notary.tasks import ROLLED_BACK
from tests import factories, letters
from tests.marketplace.http.doors import (
    DOORS,
    EMAIL,
    NAME,
    PASSWORD,
    World,
    call,
    number_of,
    sign_in,
)
from tests.signing_in import browser_of, code_of, set_up_app

# Lines are written once what they tell of is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Lines(logging.Handler):
    """What the log says, as production writes it."""

    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.written += [Json().format(record), Plain().format(record)]

    def events(self) -> list[dict[str, object]]:
        """The lines of the security log."""
        found = [json.loads(line) for line in self.written[::2]]
        return [one for one in found if one["logger"] == "commonhold.security"]

    def names(self) -> Counter[str]:
        """How often each event was told."""
        return Counter(str(one["message"]) for one in self.events())


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def world(settings, monkeypatch, tmp_path) -> World:
    settings.BLOB_DIR = tmp_path / "blobs"
    owner = factories.user(EMAIL, NAME)
    owner.set_password(PASSWORD)
    owner.save()
    station = factories.organization("Canary Radio", owner=owner)
    return World(owner, station, browser_of(owner), settings, monkeypatch)


LINES_ALONE = {
    "access.missed",
    "bytes.damaged",
    "key.refused",
    "limit.reached",
    "link.refused",
    "request.refused",
    ROTATED,
    ROLLED_BACK,
}
"""What strangers do by the thousand, and what has a row of its own (a blob's, a key's)."""
PRIVATE = ("canary", "amina", "radio.example", "127.0.0.1")


def test_every_event_has_its_door():
    assert set(DOORS) == {*security.EVENTS, ROTATED, ROLLED_BACK}


@pytest.mark.parametrize("event", DOORS)
def test_what_happens_leaves_one_line_and_one_row_and_nobodys_particulars(event, world, lines):
    before = list(AuditEntry.objects.filter(verb=event).values_list("pk", flat=True))
    lines.written.clear()
    DOORS[event](world)
    assert lines.names()[event] == 1, lines.events()
    rows = AuditEntry.objects.filter(verb=event).exclude(pk__in=before).count()
    assert rows == (0 if event in LINES_ALONE else 1)
    told = "".join(lines.written).lower()
    assert not [one for one in PRIVATE if one in told], lines.written
    secrets = re.findall(r"http://testserver/\S*?/([\w-]{20,})", str(letters.mail.outbox))
    assert not [one for one in secrets if one in told]


def test_a_line_says_who_and_where_by_ids_and_in_which_request(world, lines):
    editor = factories.member(world.station)
    lines.written.clear()
    path = f"/account/members/{number_of(world, editor)}/role/"
    answer = world.browser.post(path, {"role": "buyer"}, headers={"X-Request-ID": "mine-1234"})
    (told,) = lines.events()
    assert answer.status_code == 302
    assert told.pop("time")
    assert told.pop("client")
    assert told == {
        "level": "INFO",
        "logger": "commonhold.security",
        "message": "member.role",
        "request": "mine-1234",
        "by": world.owner.pk,
        "user": editor.pk,
        "organization": world.station.pk,
        "role": "buyer",
    }


def test_what_did_not_happen_leaves_no_line(world, lines):
    """A change that the database takes back was none."""
    owner = number_of(world, world.owner)
    lines.written.clear()
    world.browser.post(f"/account/members/{owner}/role/", {"role": "buyer"})
    assert world.station.memberships.get(user=world.owner).role == Role.OWNER
    assert "member.role" not in lines.names()


def test_nobody_fills_the_log_with_refusals(world, lines):
    for number in range(120):
        Client().get(f"/join/{number}")
    told = [one.get("times", 1) for one in lines.events() if one["message"] == "link.refused"]
    assert told == [1, 10, 100]


def test_refusals_of_one_client_do_not_hide_those_of_another(world, lines):
    for address in ("198.51.100.1", "203.0.113.7", "203.0.113.7"):
        Client(REMOTE_ADDR=address).get("/join/x")
    told = [one["client"] for one in lines.events() if one["message"] == "link.refused"]
    assert len(told) == len(set(told)) == 2


def test_a_client_is_called_otherwise_tomorrow(world, monkeypatch):
    today = security.pseudonym("198.51.100.1")
    assert today == security.pseudonym("198.51.100.1")
    assert "198" not in today
    tomorrow = security.timezone.now() + security.timezone.timedelta(days=1)
    monkeypatch.setattr(security.timezone, "now", lambda: tomorrow)
    assert security.pseudonym("198.51.100.1") != today


def test_a_failed_sign_in_tells_nobody_whether_there_is_such_an_account(world, lines):
    told = []
    for email in (EMAIL, "nobody@radio.example"):
        lines.written.clear()
        Client().post("/accounts/login/", {"login": email, "password": "no"})
        (line,) = lines.events()
        told.append(line.keys())
    rows = AuditEntry.objects.filter(verb="session.refused")
    assert told[0] == told[1]
    assert {(one.actor, one.actor_id, tuple(one.about)) for one in rows} == {
        ("a visitor", None, ())
    }


def test_a_wrong_code_after_the_right_password_is_told_of_its_person(world, lines):
    secret = set_up_app(world.browser)
    thief = sign_in(world)
    lines.written.clear()
    thief.post("/accounts/2fa/authenticate/", {"code": "000000"})
    (told,) = lines.events()
    assert (told["message"], told["by"], told["method"]) == (
        "session.refused",
        world.owner.pk,
        "code",
    )
    thief.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert lines.names()["session.began"] == 1


def test_a_session_that_is_ended_from_elsewhere_is_told_once(world, lines):
    there, here = sign_in(world), sign_in(world)
    assert there.get("/account/").status_code == 200
    lines.written.clear()
    here.post("/accounts/sessions/")
    assert {one["why"] for one in lines.events()} == {"from elsewhere"}
    assert there.get("/account/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/invitations/canary",
        "/accounts/confirm-email/canary/",
        "/accounts/password/reset/key/1-canary/",
    ],
)
def test_a_link_of_a_letter_that_is_not_whole_is_told(path, world, lines):
    Client().get(path)
    assert lines.names() == {"link.refused": 1}
    assert "canary" not in "".join(lines.written)


def test_a_host_that_is_not_ours_is_told_without_its_name(world, lines):
    answer = Client().get("/", headers={"Host": "canary.example\r\nforged"})
    assert answer.status_code == 400
    assert lines.names() == {"request.refused": 1}
    assert "canary" not in "".join(lines.written)


def test_what_is_too_large_is_told(world, lines):
    Client().post("/api/v1/verify", CONTENT_LENGTH=str(10**9), content_type="text/plain")
    (told,) = lines.events()
    assert (told["message"], told["code"]) == ("limit.reached", "request-too-large")


def test_a_quota_is_told_with_its_organization(world, lines):
    world.monkeypatch.setitem(world.settings.QUOTAS, "drafts", 0)
    _key, secret = organizations.issue_key(
        organization=world.station, user=world.owner, name="Canary", scopes=["contribute"]
    )
    lines.written.clear()
    sent = {"title": "Canary", "slug": "canary", "language": "en", "task": "speech-recognition"}
    answer = call(secret, "/api/v1/datasets", "post", data=sent, content_type="application/json")
    assert answer.json()["code"] == "quota-exceeded", answer.content
    (told,) = lines.events()
    facts = (told["message"], told["organization"], told["kind"])
    assert facts == ("limit.reached", world.station.pk, "drafts")
