"""Files on a line that breaks, in a real browser: little is sent twice, and all is said."""

import re
from contextlib import closing

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.journeys.browser import Desk, launched
from tests.journeys.contributor import slow_line
from tests.journeys.people import PASSWORD, sign_in

pytestmark = pytest.mark.xdist_group("site")

MIB = 2**20
SECONDS = 90
SLOW = 600_000


@pytest.fixture(scope="module")
def chromium():
    with launched() as browser:
        yield browser


@pytest.fixture
def tape(tmp_path):
    """A recording of more than 5 MiB."""
    path = tmp_path / "tape.wav"
    noise = np.random.default_rng(1).integers(-900, 900, SECONDS * 32_000, dtype=np.int16)
    soundfile.write(path, noise, 32_000, subtype="PCM_16")
    return path


@pytest.fixture
def desk(chromium, site, people, archivist, tmp_path):
    """The files tab of a new dataset, in the browser of an archivist who is signed in."""
    small = tmp_path / "first.txt"
    small.write_text("A text of its own.\n")
    archivist.done(
        "upload", small, "--dataset", "tapes", "--title", "Tapes", "--language", "en",
        "--task", "speech-recognition",
    )  # fmt: skip
    with closing(Desk(chromium, site.url)) as desk:
        sign_in(desk, people.contributor)
        desk.page.goto(f"/studio/{people.contributor.slug}/tapes/files/")
        yield desk


def choose(page: Page, *paths) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose files", exact=True).click()
    chooser.value.set_files(paths)


def wait_for_bytes(page: Page, count: int) -> None:
    bar = page.locator("[data-total] progress")
    expect(bar).to_be_visible()
    page.wait_for_function("([bar, count]) => bar.value > count", arg=[bar.element_handle(), count])


def test_a_reload_never_loses_more_than_a_mebibyte(desk, tape):
    page = desk.page
    slow_line(page, upload=SLOW)
    choose(page, tape)
    wait_for_bytes(page, 3 * MIB)
    expect(page.locator("[data-total]")).to_contain_text(re.compile(r"kB a second, about \d+ sec"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    slow_line(page, upload=-1)
    sent: list[int] = []
    page.on("request", lambda one: sent.append(1) if one.method == "PUT" else None)
    choose(page, tape)
    desk.sees("Everything has arrived.")
    left = tape.stat().st_size - 3 * MIB
    assert len(sent) * MIB < left + 2 * MIB, "what had arrived was sent again"


def test_an_ended_session_never_costs_the_upload(desk, tape, people):
    page = desk.page
    slow_line(page, upload=SLOW)
    choose(page, tape)
    wait_for_bytes(page, MIB)
    with desk.refused(401):
        page.context.clear_cookies()
        slow_line(page, upload=-1)
        link = page.get_by_role("link", name="Sign in again")
        expect(link).to_be_visible()
        assert link.get_attribute("target") == "_blank", "the chosen files would be lost"
        entrance = page.context.new_page()
        entrance.goto(link.get_attribute("href"))
        entrance.get_by_label("Email").fill(people.contributor.email)
        entrance.get_by_label("Password").fill(PASSWORD)
        entrance.get_by_role("button", name="Sign in", exact=True).click()
        expect(entrance.get_by_role("heading", name="Tapes")).to_be_visible()
        expect(page.get_by_text("Everything has arrived.")).to_be_visible()
    expect(link).to_be_hidden()


def test_a_refused_file_never_hides_that_others_arrived(desk, tape, tmp_path):
    page = desk.page
    wrong = tmp_path / "wrong.wav"
    wrong.write_bytes(bytes(range(256)) * 8)
    with desk.refused(422):
        choose(page, wrong, tape)
        expect(page.get_by_role("row", name=re.compile("tape.wav"))).to_be_visible()
    expect(page.locator(".tabs")).to_contain_text(re.compile(r"Files\s*2"))
    expect(page.get_by_role("link", name="Next: consent")).to_be_visible()
    expect(page.get_by_role("heading", name="On the way")).to_have_count(0)
    refused = page.locator(".upload.is-refused")
    expect(refused).to_contain_text("wrong.wav")
    expect(refused.locator("progress")).to_be_hidden()
