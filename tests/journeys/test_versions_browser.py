"""Three versions in two browsers: a station leaves somebody out, and then somebody withdraws."""

import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys import buyer, keeper, village
from tests.journeys.appearance import assert_readable
from tests.journeys.browser import Desk, launched
from tests.journeys.people import sign_in
from tests.journeys.village import BARAKA, EVERYBODY, FIRST, JUMA, LATER, SECOND, Folder

pytestmark = pytest.mark.xdist_group("site")
MINUTE = 60
CLIP = "audio/r0001/0001.flac"
WITHDRAWN = "A consent behind this version no longer holds"


@dataclass(frozen=True)
class Held:
    """A version that was bought: where it was sold, its page, its manifest, and a clip's bytes."""

    checkout: str
    grant: str
    manifest: Path
    clip: str


def test_a_speaker_withdraws_by_the_pages_and_the_next_version_is_two_clicks(
    site, people, tmp_path
):
    publisher = people.contributor.name
    with (
        launched() as chromium,
        closing(Desk(chromium, site.url, reduced_motion="reduce")) as station,
        closing(Desk(chromium, site.url, reduced_motion="reduce")) as company,
    ):
        sign_in(station, people.contributor)
        sign_in(company, people.trainer)
        folder = village.record(tmp_path / "first", FIRST)
        first = publish_first(station, company, folder, publisher)
        folder = village.record(tmp_path / "second", SECOND, before=folder)
        second = publish_second(station, company, folder, publisher)
        keeper.withdraw(station, JUMA)
        everything_follows(company, [first, second], publisher)
        keeper.see_that_all_ended(station)
        keeper.begin_third(station)
        keeper.see_that_nobody_is_asked(station)
        keeper.seal(station, 3)
        keeper.offer(station)
        find(company, publisher)
        expect(clips(company.page)).to_have_count(len(EVERYBODY) - 1)
        expect(clips(company.page).filter(has_text=JUMA.words)).to_have_count(0)
        license_it(company, tmp_path / "third")


def publish_first(station: Desk, company: Desk, folder: Folder, publisher: str) -> Held:
    """Five people; one stands in the way of what is sold, and is left out; sealed and sold."""
    keeper.begin_dataset(station)
    keeper.bring(station, folder)
    keeper.see_who_excludes_what(station)
    keeper.leave_out(station)
    keeper.seal(station, 1)
    keeper.offer(station)
    find(company, publisher)
    expect(clips(company.page)).to_have_count(len(EVERYBODY) - 1)
    expect(clips(company.page).filter(has_text=BARAKA.words)).to_have_count(0)
    return license_it(company, folder.path / "bought")


def publish_second(station: Desk, company: Desk, folder: Folder, publisher: str) -> Held:
    """One recording more than the first; nothing that was decided is decided again."""
    keeper.begin_second(station)
    keeper.bring(station, folder)
    keeper.see_what_differs(station)
    keeper.seal(station, 2)
    keeper.offer(station)
    find(company, publisher)
    expect(clips(company.page).filter(has_text=LATER.words)).to_have_count(1)
    return license_it(company, folder.path / "bought")


def find(company: Desk, publisher: str) -> None:
    """Find what is sold in the catalogue, and open it."""
    company.visit("Catalogue")
    company.page.get_by_role("searchbox", name="Search the datasets").fill(publisher)
    expect(company.page).to_have_url(re.compile("[?&]q="))
    company.page.get_by_role("checkbox", name="Commercial use").check()
    company.sees("1 dataset that allows commercial use")
    company.page.get_by_role("article").get_by_role("link", name=village.TITLE).click()


def clips(page: Page) -> Locator:
    """What anybody may hear on a dataset's page."""
    return page.locator(".previews > li")


def license_it(company: Desk, folder: Path) -> Held:
    """Buy, take the manifest, and verify it: everything holds."""
    page = company.page
    company.follow(buyer.BUTTON)
    checkout = page.url
    page.get_by_role("checkbox", name="We have read the legal text and accept it.").check()
    company.press(buyer.BUTTON)
    company.sees("holds the license now.")
    clip = page.request.get(page.get_by_role("link", name=CLIP).get_attribute("href") or "")
    assert clip.body().startswith(b"fLaC")
    folder.mkdir()
    manifest = company.download("manifest.sigstore.json", folder)
    held = Held(checkout, page.url, manifest, clip.url)
    verify(company, held)
    company.sees("Genuine", "In the public log", "Stands")
    return held


def verify(company: Desk, held: Held) -> None:
    """Have the site check a manifest."""
    company.visit("Verify")
    paper = company.page.get_by_label("Manifest, and what lies beside it")
    paper.set_input_files(held.manifest)
    company.press("Verify them")
    company.sees("What we found")


def everything_follows(company: Desk, releases: list[Held], publisher: str) -> None:
    """Within the minute: both sales, licenses, downloads and status lists, and the catalogue."""
    before = time.monotonic() + MINUTE
    with company.refused(410):
        for held in releases:
            for follows in (sale_follows, license_follows, status_list_follows):
                until(lambda follows=follows, held=held: follows(company.page, held), before=before)
        until(lambda: catalogue_follows(company.page, publisher), before=before)
        public = company.page.url
        for number in (1, 2):
            company.page.goto(f"{public}?version={number}")
            company.sees(WITHDRAWN)
            expect(clips(company.page)).to_have_count(0)
            expect(company.page.get_by_role("link", name=buyer.BUTTON)).to_have_count(0)
        for page in (public, releases[0].checkout, releases[0].grant):
            company.page.goto(page)
            assert_readable(company.page)


def until(follows: Callable[[], bool], *, before: float) -> None:
    """Look again and again."""
    while not follows():
        assert time.monotonic() < before, "not in a minute"
        time.sleep(0.5)


def catalogue_follows(page: Page, publisher: str) -> bool:
    """What is sold has no place among what allows commercial use; then open its page."""
    page.goto(f"/?q={publisher}&allows=commercial")
    if page.get_by_role("article").count():
        return False
    page.goto(f"/?q={publisher}")
    page.get_by_role("article").get_by_role("link", name=village.TITLE).click()
    return True


def sale_follows(page: Page, held: Held) -> bool:
    """Who opens the page of the sale reads that it is over."""
    page.goto(held.checkout)
    return page.get_by_role("heading", name="This is no longer offered").is_visible()


def license_follows(page: Page, held: Held) -> bool:
    """The license says so, and hands out nothing more, by old addresses neither."""
    page.goto(held.grant)
    told = page.get_by_role("alert").filter(has_text="has withdrawn").is_visible()
    offers_clip = page.get_by_role("link", name=CLIP).count()
    return told and not offers_clip and page.request.get(held.clip).status == 403


def status_list_follows(page: Page, held: Held) -> bool:
    """The manifest that was taken before verifies as one whose consent does not stand."""
    page.goto("/verify")
    page.get_by_label("Manifest, and what lies beside it").set_input_files(held.manifest)
    page.get_by_role("button", name="Verify them").click()
    verdict = page.get_by_role("status").filter(has_text="What we found")
    expect(verdict).to_be_visible()
    return "Does not stand" in verdict.inner_text()
