"""A passkey, made and used in a real browser with an authenticator of its own."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.appearance import faults_of
from tests.journeys.browser import Desk, launched
from tests.journeys.people import PASSWORD, prove_if_asked, sign_in

pytestmark = pytest.mark.xdist_group("site")
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def desk(site) -> Iterator[Desk]:
    """A browser at the site's name: a number has no passkeys."""
    address = f"http://localhost:{site.port}"
    with launched() as browser, closing(Desk(browser, address, reduced_motion="reduce")) as opened:
        yield opened


def give_authenticator(page: Page) -> None:
    """Let the browser have a fingerprint reader that says yes."""
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    line.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def test_a_passkey_is_made_asked_for_beside_the_password_and_used_in_its_place(desk, people):
    page, person = desk.page, people.contributor
    give_authenticator(page)
    sign_in(desk, person)
    page.goto("/accounts/2fa/")
    desk.follow("Add a passkey")
    prove_if_asked(desk, then="Give it a name")
    page.get_by_label("Name").fill("This laptop")
    page.get_by_label("Let me sign in with it alone, without my password").check()
    faults = faults_of(page)
    desk.press("Add the passkey")
    desk.sees("The passkey is kept.", "Each works once")
    faults += faults_of(page)
    desk.follow("I have kept them")
    desk.sees("This laptop", "On: signing in takes your password and one of these.")
    faults += faults_of(page)
    sign_out(desk)
    page.goto("/accounts/login/")
    desk.fill(Email=person.email, Password=PASSWORD)
    desk.press("Sign in")
    desk.sees("And the second factor")
    faults += faults_of(page)
    desk.press("Use a passkey")
    expect(page.locator("[data-menu]")).to_be_visible()
    sign_out(desk)
    page.goto("/accounts/login/?next=/studio/")
    desk.press("Sign in with a passkey")
    page.wait_for_url("**/studio/")
    assert not faults, "\n".join(faults)


def sign_out(desk: Desk) -> None:
    """Leave by the front door."""
    desk.page.goto("/accounts/logout/")
    desk.page.get_by_role("main").get_by_role("button", name="Sign out").click()
