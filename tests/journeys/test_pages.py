"""Every kind of page, looked at: by axe, in the dark, on a phone, without scripts.

And the two forms that matter most, by keyboard alone.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys import clinic_hours, shelf
from tests.journeys.appearance import assert_readable, faults_of
from tests.journeys.browser import Desk, launched
from tests.journeys.people import sign_in
from tests.journeys.shelf import Shelf
from tests.journeys.terminal import Person

pytestmark = pytest.mark.xdist_group("site")
# Links to bytes, not pages.
DOWNLOADS = {
    "dataset_manifest",
    "dataset_croissant",
    "grant_download",
    "papers",
    "studio:consent_template",
    "studio:evidence",
    "studio:original",
}
# These look different for a draft, in review and when sealed.
TABS = ("overview", "files", "pipeline", "review", "seal", "offers", "open_version")
BY_STATE = {"dataset", *(f"studio:{tab}" for tab in TABS)}

FOR_EVERYBODY = """
account_login account_reset_password account_signup catalog dataset help help_command_line
help_consent help_thread help_verify log log_entry mail verify
"""
FOR_CONTRIBUTORS = """
account account_change_password account_email dataset mfa_activate_totp mfa_add_webauthn mfa_index
usersessions_list studio:consent studio:consent_record studio:delete studio:discard studio:earnings
studio:edit studio:files studio:history studio:import_consent studio:index studio:language
studio:leave_out_speakers studio:new studio:new_consent studio:new_offer studio:offers
studio:open_version studio:overview studio:pipeline studio:recording studio:review studio:seal
studio:speaker studio:void studio:withdraw studio:withdraw_purposes studio:withdraw_speaker
studio:withdraw_speaker_purposes studio:withdraw_version
"""
FOR_TRAINERS = """
account catalog certificate checkout dataset grant library receipt receipts studio:index
"""


@pytest.fixture(scope="module")
def shelves(site, tmp_path_factory) -> Shelf:
    """A site with something in every state."""
    return shelf.fill(site, tmp_path_factory.mktemp("shelves"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for all windows."""
    with launched() as browser:
        yield browser


def at_desk(chromium: Browser, site, person: Person | None = None, **settings) -> Desk:
    """Open a window, signed in as somebody."""
    desk = Desk(chromium, site.url, reduced_motion="reduce", **settings)
    if person:
        sign_in(desk, person)
    return desk


def kind_of(path: str) -> tuple[str, str] | None:
    """The view that answers a path, and the dataset where its state matters; None for no page."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.view_name in DOWNLOADS or "api" in match.namespaces:
        return None
    slug = match.kwargs.get("slug", "") if match.view_name in BY_STATE else ""
    return match.view_name, slug


def look_around(desk: Desk, *starts: str, kinds: str) -> list[str]:
    """Follow links to every kind of page there is, these among them; return what is wrong."""
    waiting, seen = list(starts), set[tuple[str, str]]()
    faults: list[str] = []
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(urlsplit(path).path)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        desk.page.goto(path)
        faults += [f"{path}: {fault}" for fault in faults_of(desk.page)]
        waiting += desk.page.locator("a[href^='/']").evaluate_all(
            "links => links.filter(link => !link.download).map(link => link.getAttribute('href'))"
        )
    missed = set(kinds.split()) - {view for view, _ in seen}
    assert not missed, f"no link leads to {missed}"
    return faults


def test_every_page_that_a_visitor_reaches_can_be_read_by_everybody(site, shelves, chromium):
    with closing(at_desk(chromium, site)) as desk:
        faults = look_around(
            desk, "/", "/accounts/signup/", f"/d/{shelves.sealed}", kinds=FOR_EVERYBODY
        )
        faults += look_at_answers(desk, shelves)
        shutil.rmtree(site.data_dir / "mail", ignore_errors=True)  # Of whoever came before.
        desk.page.goto(letters_of(site))
        desk.sees("No letters yet")
        faults += faults_of(desk.page)
    assert not faults, "\n".join(faults)


def letters_of(site) -> str:
    """The link to the letters that the start of the site printed."""
    return re.findall(r"/mail/\?code=\S+", site.said())[-1]


def look_at_answers(desk: Desk, shelves: Shelf) -> list[str]:
    """Look at pages that no link leads to: nothing found, not there, a verdict; and the API's."""
    page = desk.page
    page.goto("/?q=nothing+of+that+name")
    faults = faults_of(page)
    with desk.refused(404):
        page.goto("/d/nobody/nothing")
    faults += faults_of(page)
    manifest = page.request.get(f"/d/{shelves.sealed}/1/manifest.sigstore.json").body()
    page.goto("/verify")
    page.get_by_label("Manifest, and what lies beside it").set_input_files(
        {"name": "manifest.sigstore.json", "mimeType": "application/json", "buffer": manifest}
    )
    desk.press("Verify them")
    desk.sees("What we found")
    faults += faults_of(page)
    page.goto("/api/v1/docs/")
    expect(page.get_by_role("heading", name="Commonhold")).to_be_visible()
    return faults


def test_every_page_that_a_contributor_reaches_can_be_read_by_everybody(site, shelves, chromium):
    with closing(at_desk(chromium, site, shelves.people.contributor)) as desk:
        faults = look_around(
            desk,
            f"/studio/{shelves.review}/consent/",
            *(f"/studio/{name}/" for name in (shelves.draft, shelves.review, shelves.sealed)),
            f"/studio/{shelves.sealed}/offers/",
            f"/d/{shelves.draft}",
            "/studio/",
            "/account/",
            kinds=FOR_CONTRIBUTORS,
        )
    assert not faults, "\n".join(faults)


def test_every_page_that_a_trainer_reaches_can_be_read_by_everybody(site, shelves, chromium):
    with closing(at_desk(chromium, site, shelves.people.trainer)) as desk:
        faults = look_around(
            desk, f"/d/{shelves.sealed}", "/library/", "/studio/", kinds=FOR_TRAINERS
        )
    assert not faults, "\n".join(faults)


SLOW_LINE = {
    "offline": False,
    "latency": 1500,
    "downloadThroughput": -1,
    "uploadThroughput": -1,
}
SHOWN = """
element => [element, element.closest("label")].some(
  (box) => box && getComputedStyle(box).outlineStyle !== "none")
"""


def tab_to(page: Page, goal: Locator, *, presses: int = 80) -> None:
    """Press Tab until the goal has the focus, and see that it shows."""
    for _ in range(presses):
        page.keyboard.press("Tab")
        if goal.evaluate("element => element === document.activeElement"):
            assert goal.evaluate(SHOWN), f"the focus on {goal} can't be seen"
            return
    raise AssertionError(f"{goal} is not reached by keyboard")


def test_files_are_sent_by_keyboard_alone(site, shelves, chromium, tmp_path):
    recording = tmp_path / "keyboard.wav"
    clinic_hours.speak(recording)
    with closing(at_desk(chromium, site, shelves.people.contributor)) as desk:
        page = desk.page
        page.goto(f"/studio/{shelves.draft}/files/")
        tab_to(page, page.get_by_label("Choose files"))
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(recording)
        desk.sees("Everything has arrived.")
        assert_readable(page)
        tab_to(page, page.get_by_role("link", name="Show it in the list"))
        page.keyboard.press("Enter")
        row = page.get_by_role("row", name=recording.name)
        tab_to(page, row.get_by_role("button", name=f"Remove {recording.name}"))
        page.keyboard.press("Enter")
        expect(row).to_have_count(0)


def test_a_license_is_bought_by_keyboard_alone(site, shelves, chromium):
    with closing(at_desk(chromium, site, shelves.people.trainer)) as desk:
        page = desk.page
        page.goto(f"/d/{shelves.sealed}?offer={shelves.offer}")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        tab_to(page, page.get_by_role("link", name="License for €42 a year"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/checkout/*")
        tab_to(page, page.get_by_role("checkbox", name="We have read the legal text"))
        page.keyboard.press("Space")
        # The shelf bought it before.
        tab_to(page, page.get_by_role("checkbox", name="want another one"))
        page.keyboard.press("Space")
        tab_to(page, page.get_by_role("button", name="License for €42 a year"))
        page.keyboard.press("Enter")
        desk.sees("holds the license now.")


def test_a_box_that_is_ticked_while_a_search_is_under_way_stays_ticked(site, shelves, chromium):
    with closing(at_desk(chromium, site)) as desk:
        page = desk.page
        page.goto("/")
        line = page.context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", SLOW_LINE)
        with page.expect_request(lambda request: "q=" in request.url):
            page.get_by_role("searchbox", name="Search the datasets").fill("vorgelesen")
        page.get_by_role("checkbox", name="Commercial use").check()
        desk.sees("1 dataset that allows commercial use")
        expect(page.get_by_role("checkbox", name="Commercial use")).to_be_checked()


def test_catalogue_dataset_and_library_work_without_scripts(site, shelves, chromium, tmp_path):
    trainer = shelves.people.trainer
    with closing(at_desk(chromium, site, trainer, java_script_enabled=False)) as desk:
        page = desk.page
        page.goto("/")
        page.get_by_role("searchbox", name="Search the datasets").fill("vorgelesen")
        page.get_by_role("checkbox", name="Commercial use").check()
        desk.press("Show these")
        desk.sees("1 dataset that allows commercial use")
        page.get_by_role("link", name=shelf.LONG_TITLE).click()
        clip = page.locator("audio").first
        answer = desk.context.request.get(clip.get_attribute("src") or "")
        assert answer.body().startswith(b"fLaC")
        page.get_by_text("The legal text", exact=True).first.click()
        desk.sees("This text binds")
        desk.visit("Library")
        page.get_by_role("main").get_by_role("link", name=shelf.LONG_TITLE).first.click()
        manifest = desk.download("manifest.sigstore.json", tmp_path)
        desk.visit("Verify")
        page.get_by_label("Manifest, and what lies beside it").set_input_files(manifest)
        desk.press("Verify them")
        desk.sees("What we found", "Genuine", "In the public log")
