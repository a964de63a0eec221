"""The archivist's half of the journey through three versions, each step by what a person clicks."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys import contributor, village
from tests.journeys.appearance import assert_readable
from tests.journeys.browser import Desk
from tests.journeys.contributor import PIPELINE_MS, tab
from tests.journeys.people import prove_if_asked
from tests.journeys.village import BARAKA, EVERYBODY, JUMA, Folder, Voice, pseudonym

LICENSE = "Commercial training"
MINUTE_MS = 60_000


def begin_dataset(desk: Desk) -> None:
    """A new dataset with its first, empty version."""
    desk.visit("Studio")
    desk.follow("New dataset")
    desk.fill(Title=village.TITLE, Language_spoken="en")
    desk.press("Create the dataset")
    expect(desk.page.get_by_role("heading", name=village.TITLE, level=1)).to_be_visible()


def bring(desk: Desk, folder: Folder) -> None:
    """Send recordings, transcripts and the table of consents, and let the machine work."""
    page = desk.page
    tab(page, "Files")
    page.get_by_label("Choose files").set_input_files(folder.files)
    desk.sees("Everything has arrived.")
    tab(page, "Consent")
    page.get_by_role("link", name=re.compile("^Bring (them|more) in|^Bring in more")).click()
    contributor.send_table(desk, folder.consent)
    page.get_by_role("button", name=re.compile(r"^Record \d+ consents?$")).click()
    desk.sees("Recorded")
    tab(page, "Pipeline")
    desk.press("Start processing")
    expect(page.get_by_role("link", name="Go to the review")).to_be_visible(timeout=PIPELINE_MS)


def cell(page: Page, speaker: str, license_name: str) -> Locator:
    """What one speaker says to one license, before the seal."""
    table = page.get_by_role("table").filter(has=page.get_by_text("Speaker", exact=True))
    expect(table.get_by_role("columnheader", name=license_name, exact=True)).to_be_visible()
    names = table.get_by_role("columnheader").all_inner_texts()
    row = table.get_by_role("row").filter(has_text=speaker)
    return row.locator("th, td").nth(names.index(license_name))


def see_who_excludes_what(desk: Desk) -> None:
    """Before the seal a table says which license whom excludes: one person, of what is sold."""
    page = desk.page
    tab(page, "Seal")
    desk.sees("Who allows which license")
    for one in EVERYBODY:
        answer = "said no to: Commercial" if one is BARAKA else "agreed"
        expect(cell(page, pseudonym(one), LICENSE)).to_contain_text(answer)
        expect(cell(page, pseudonym(one), "Research only")).to_contain_text("agreed")


def leave_out(desk: Desk) -> None:
    """Who stands in the way is left out; what the version then holds is said first."""
    speaker = pseudonym(BARAKA)
    table = desk.page.get_by_role("region", name="Who allows which license")
    table.get_by_role("link", name=f"Leave out {speaker}").click()
    row = desk.page.get_by_role("row", name="Speakers")
    expect(row).to_contain_text(re.compile(f"{len(EVERYBODY)}.*{len(EVERYBODY) - 1}", re.DOTALL))
    desk.sees("These licenses can be offered then: Commercial training")
    assert_readable(desk.page)
    desk.press(f"Leave {speaker} out")
    desk.sees(f"Left out of version 1: {speaker}.")


def seal(desk: Desk, number: int) -> None:
    """Say that it was read, and seal."""
    page = desk.page
    tab(page, "Seal")
    page.get_by_role("checkbox", name="I have read this.").check()
    desk.press(f"Finish the review and seal version {number}")
    expect(page.get_by_text("Signed and logged")).to_be_visible(timeout=PIPELINE_MS)


def offer(desk: Desk) -> None:
    """Offer what is sealed, for €40 a year."""
    desk.follow("Offer a license")
    desk.follow(f"Choose {LICENSE}")
    desk.fill(Price="40")
    desk.page.get_by_label("Currency").select_option("EUR")
    desk.page.get_by_role("radio", name="A year", exact=True).check()
    desk.press("Publish the offer")
    prove_if_asked(desk, then="is offered.")
    desk.sees(f"{LICENSE} is offered. It stands on the public page now.")


def begin_second(desk: Desk) -> None:
    """The second version begins with what the first holds."""
    tab(desk.page, "Overview")
    desk.follow("Begin version 2")
    desk.sees("Nobody is asked again, and nothing is decided twice.")
    assert_readable(desk.page)
    desk.press("Begin version 2")
    desk.sees("Version 2 is open, with everything that version 1 holds.")


def see_what_differs(desk: Desk) -> None:
    """Before the seal the page says what is new, and nothing old is left to do."""
    tab(desk.page, "Seal")
    differs = desk.page.get_by_role("region", name="What differs from version 1")
    expect(differs).to_contain_text("harvest.wav")
    expect(differs).not_to_contain_text("morning.wav")
    assert_readable(desk.page)


def begin_third(desk: Desk) -> None:
    """Two clicks: the studio proposes the next version without her, and begins it."""
    page, speaker = desk.page, pseudonym(JUMA)
    tab(page, "Overview")
    before = desk.clicks()
    desk.follow(f"Begin version 3 without {speaker}")
    expect(page.get_by_role("checkbox", name=re.compile(f"^{speaker}"))).to_be_checked()
    assert_readable(page)
    desk.press("Begin version 3")
    assert desk.clicks() - before == 2
    desk.sees(f"Version 3 is open, with what version 2 holds, without {speaker}.")


def see_that_all_ended(desk: Desk) -> None:
    """Both versions and both offers ended with her consent, in the studio as for everybody."""
    page = desk.page
    tab(page, "Overview")
    for number in (1, 2):
        expect(page.get_by_role("row", name=f"Version {number}")).to_contain_text("Consent ended")
    assert_readable(page)
    tab(page, "Offers")
    offers = page.get_by_role("row").filter(has_text=LICENSE)
    expect(offers).to_have_count(2)
    for row in offers.all():
        expect(row).to_contain_text("closed")
    assert_readable(page)


def withdraw(desk: Desk, voice: Voice) -> None:
    """She takes everything back; the page says first what that closes, and that it can't undo."""
    page = desk.page
    tab(page, "Consent")
    desk.follow(voice.name)
    desk.follow("They take back everything")
    for number in (1, 2):
        row = page.get_by_role("row").filter(has=page.get_by_text(f"Version {number}", exact=True))
        expect(row).to_contain_text(LICENSE)
    assert_readable(page)
    desk.press("Record the withdrawal of everything")
    desk.sees(f"Everything that {pseudonym(voice)} agreed to is withdrawn.")


def see_that_nobody_is_asked(desk: Desk) -> None:
    """Nothing is left to do, and everybody else's consent is the one that they gave before."""
    page = desk.page
    desk.sees("Everything in it was processed and decided before.")
    tab(page, "Consent")
    rows = page.get_by_role("table").get_by_role("row").filter(has_text="villager")
    expect(rows).to_have_count(len(EVERYBODY))
    holds = rows.filter(has=page.get_by_text("Holds", exact=True))
    expect(holds).to_have_count(len(EVERYBODY) - 1)
    expect(rows.filter(has_text="Withdrawn")).to_contain_text(JUMA.name)
