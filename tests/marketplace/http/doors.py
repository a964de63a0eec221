"""Doors by which each event of the security log comes, with people who leave canaries."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts import organizations
from accounts.models import Organization, User
from ingestion.pipeline import budgets, children, jobs
from notary import log, statements
from notary import tasks as notary_tasks
from notary.keys.rotation import ROTATED
from notary.tasks import ROLLED_BACK
from tests import at_rest, factories, letters, sealed, walks
from tests.marketplace.api.callers import publish
from tests.signing_in import browser_of, set_up_app

EMAIL, NAME, PASSWORD = "canary@radio.example", "Canary Amina", "canary horse battery"
OTHER = "second-canary@radio.example"
KEY = {"key-name": "Canary laptop", "key-scopes": ["read"], "key-days": "90"}


@dataclass
class World:
    """An owner, their organization and their browser."""

    owner: User
    station: Organization
    browser: Client
    settings: object
    monkeypatch: pytest.MonkeyPatch


def sign_in(world: World, password: str = PASSWORD) -> Client:
    visitor = Client()
    visitor.post("/accounts/login/", {"login": EMAIL, "password": password})
    return visitor


def fail_to_sign_in(world: World) -> None:
    sign_in(world, "canary guess")


def sign_out(world: World) -> None:
    world.browser.post("/accounts/logout/")


def change_password(world: World) -> None:
    new = {"password1": f"{PASSWORD} 2", "password2": f"{PASSWORD} 2"}
    world.browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})


def reset_password(world: World) -> None:
    visitor = Client()
    visitor.post("/accounts/password/reset/", {"email": EMAIL})
    form = visitor.get(letters.link(EMAIL))["Location"]
    visitor.post(form, {"password1": f"{PASSWORD} 2", "password2": f"{PASSWORD} 2"})


def set_up(world: World) -> None:
    set_up_app(world.browser)


def take_down(world: World) -> None:
    set_up_app(world.browser)
    world.browser.post("/accounts/2fa/totp/deactivate/")


def sign_up(world: World) -> None:
    visitor = Client()
    visitor.post("/accounts/signup/", {"email": OTHER})
    who = {"name": NAME, "password1": PASSWORD, "organization": "Another Canary"}
    visitor.post(letters.link(OTHER), who)


def take_from_a_squatter(world: World) -> None:
    factories.squatter(OTHER)
    sign_up(world)


def add_address(world: World) -> None:
    world.browser.post("/accounts/email/", {"action_add": "", "email": OTHER})
    link = letters.link(OTHER)
    assert world.browser.post(link).status_code == 302


def change_address(world: World) -> None:
    add_address(world)
    world.browser.post("/accounts/email/", {"action_primary": "", "email": OTHER})


def remove_address(world: World) -> None:
    add_address(world)
    world.browser.post("/accounts/email/", {"action_remove": "", "email": OTHER})


def found(world: World) -> None:
    world.browser.post("/account/organizations/", {"organization-name": "Another Canary"})


def invite(world: World) -> str:
    form = {"member-email": OTHER, "member-role": "editor"}
    world.browser.post("/account/invitations/", form)
    return letters.link(OTHER)


def withdraw(world: World) -> None:
    invite(world)
    number = world.station.invitations.get().pk
    world.browser.post(f"/account/invitations/{number}/withdraw/")


def accept(world: World) -> None:
    Client().post(invite(world), {"name": NAME, "password1": PASSWORD})


def number_of(world: World, person: User) -> int:
    return world.station.memberships.get(user=person).pk


def change_role(world: World) -> None:
    number = number_of(world, factories.member(world.station))
    world.browser.post(f"/account/members/{number}/role/", {"role": "buyer"})


def remove_member(world: World) -> None:
    number = number_of(world, factories.member(world.station))
    world.browser.post(f"/account/members/{number}/remove/")


def leave(world: World) -> None:
    editor = factories.member(world.station)
    browser_of(editor).post(f"/account/members/{number_of(world, editor)}/remove/")


def make_key(world: World) -> None:
    assert world.browser.post("/account/keys/", KEY).status_code == 201


def revoke_key(world: World) -> None:
    make_key(world)
    prefix = world.station.api_keys.get().prefix
    world.browser.post(f"/account/keys/{prefix}/revoke/")


def call(secret: str, path: str = "/api/v1/me", method: str = "get", **sent: object):
    return getattr(Client(), method)(path, headers={"Authorization": f"Bearer {secret}"}, **sent)


def send_no_key(world: World) -> None:
    assert call("canary.key").status_code == 401


def lack_a_scope(world: World) -> None:
    _key, secret = organizations.issue_key(
        organization=world.station, user=world.owner, name="Canary", scopes=["download"]
    )
    answer = call(secret, "/api/v1/datasets", "post", content_type="application/json")
    assert answer.status_code == 403


def look_at_what_is_not_theirs(world: World) -> None:
    hidden = sealed.dataset(factories.organization(), slug="canary")
    address = f"/api/v1/datasets/{hidden.organization.slug}/canary"
    assert world.browser.get(address).status_code == 404


def open_a_broken_link(world: World) -> None:
    assert Client().get("/join/canary-token").status_code == 410


def send_a_forged_form(world: World) -> None:
    careful = Client(enforce_csrf_checks=True)
    assert careful.post("/join/canary-token", {"name": NAME}).status_code == 403


def call_too_often(world: World) -> None:
    world.monkeypatch.setitem(world.settings.RATES, "verify", ("1/d",))
    for _ in range(2):
        Client().post("/api/v1/verify", {}, content_type="application/json")


def run_past_its_time(world: World) -> None:
    world.monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    world.monkeypatch.setattr(budgets, "BASE_SECONDS", -60)
    draft = walks.draft(task="language-modeling")
    walks.upload(draft, "canary.txt", b"The canary sings at eight.")
    (run,) = jobs.start(version=draft, by=walks.editor(draft))
    jobs.execute(run_id=run.pk)


def lose_bytes(world: World) -> None:
    dataset = sealed.dataset(world.station, slug="canary")
    version = sealed.version(dataset)
    publish(version, world.owner)
    at_rest.lose(version.release_files.filter(kind="clip").first().blob_id)
    for _ in range(2):
        answer = Client().get(f"/d/{world.station.slug}/canary/1/listen/1.flac")
        assert answer.status_code == 500


def rotate(world: World) -> None:
    log.integrate()
    call_command("rotate_key", "status")


def go_back_to_yesterday(world: World) -> None:
    statements.issue(payload=b"canary")
    log.integrate()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE notary_logentry SET index = NULL")
        cursor.execute("DELETE FROM notary_lognode; DELETE FROM notary_checkpoint")
        cursor.execute("SET session_replication_role = DEFAULT")
    for _ in range(2):
        notary_tasks.integrate_log_task()


DOORS: dict[str, Callable[[World], object]] = {
    "session.began": sign_in,
    "session.refused": fail_to_sign_in,
    "session.ended": sign_out,
    "password.changed": change_password,
    "password.reset": reset_password,
    "factor.added": set_up,
    "factor.removed": take_down,
    "user.joined": sign_up,
    "user.displaced": take_from_a_squatter,
    "address.confirmed": add_address,
    "address.changed": change_address,
    "address.removed": remove_address,
    "organization.created": found,
    "invitation.sent": invite,
    "invitation.withdrawn": withdraw,
    "invitation.accepted": accept,
    "member.joined": accept,
    "member.role": change_role,
    "member.left": leave,
    "member.removed": remove_member,
    "key.made": make_key,
    "key.revoked": revoke_key,
    "key.refused": send_no_key,
    "access.refused": lack_a_scope,
    "access.missed": look_at_what_is_not_theirs,
    "link.refused": open_a_broken_link,
    "request.refused": send_a_forged_form,
    "limit.reached": call_too_often,
    "step.killed": run_past_its_time,
    "bytes.damaged": lose_bytes,
    ROTATED: rotate,
    ROLLED_BACK: go_back_to_yesterday,
}
