"""The contributor's half of the browser journey: from joining to an offer, through the pages."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.journeys import clinic_hours, letters
from tests.journeys.browser import Desk, said
from tests.journeys.clinic_hours import Tape
from tests.journeys.people import prove_if_asked

TITLE = "Clinic hours and a novel"
# Slow enough that a person sees a bar move.
LINE_BYTES_PER_SECOND = 400_000
PIPELINE_MS = 120_000


def join(desk: Desk, mailbox: Path, *, name: str, email: str, organization: str) -> None:
    """Come as a stranger, prove an address by the letter to it, and found an organization."""
    desk.page.goto("/")
    desk.visit("Join")
    desk.fill(Email=email)
    desk.press("Send the link")
    desk.sees("We wrote to you.")
    desk.page.goto(letters.link(mailbox, email))
    desk.fill(Your_name=name, Password="correct horse battery")
    desk.fill(Organization=organization)
    desk.press("Join")
    desk.sees(organization)


def tab(page: Page, name: str) -> None:
    """Go to a part of the dataset."""
    tabs = page.get_by_role("navigation", name="Parts of this dataset")
    tabs.get_by_role("link", name=re.compile(f"^{name}")).click()


def begin_dataset(desk: Desk) -> None:
    """A form that is missing something says what; then the dataset is there."""
    desk.visit("Studio")
    desk.sees("Nothing here yet")
    desk.follow("New dataset")
    with desk.refused(422):
        desk.press("Create the dataset")
        desk.sees("Something below can't stand as it is", "This field is required.")
    desk.fill(Title=TITLE, Language_spoken="English")
    desk.page.get_by_label("Description").fill("A clinic's hours, and pages of Jane Austen.")
    desk.press("Create the dataset")
    expect(desk.page.get_by_role("heading", name=TITLE, level=1)).to_be_visible()


def slow_line(page: Page, *, upload: int) -> None:
    """Give the browser a thin line to send on; -1 for what there is."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
    session.send("Network.emulateNetworkConditions", limits)


def upload(desk: Desk, tape: Tape) -> None:
    """Choose all files at once; the bar moves, each says when it has arrived."""
    page = desk.page
    slow_line(page, upload=LINE_BYTES_PER_SECOND)
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose files", exact=True).click()
    chooser.value.set_files(tape.files)
    bar = page.locator("[data-total] progress")
    expect(bar).to_be_visible()
    half_way = "bar => bar.value > 0 && bar.value < bar.max"
    page.wait_for_function(half_way, arg=bar.element_handle())
    count = len(tape.files)
    desk.sees(f"{count} of {count} files", "Everything has arrived.")
    slow_line(page, upload=-1)
    arrived = page.get_by_role("listitem").filter(has_text="Arrived whole")
    expect(arrived).to_have_count(count)
    desk.follow("Show it in the list")
    row = page.get_by_role("row", name=clinic_hours.SPOKEN).first
    expect(row).to_contain_text("clinic-hours.txt")


def consent_by_form(desk: Desk, tape: Tape) -> None:
    """The reader agreed to everything but the three that must be named, in both recordings."""
    page = desk.page
    tab(page, "Consent")
    desk.sees("Nobody's consent is recorded yet")
    desk.follow("Record a consent")
    page.get_by_label(said("Speaker's name")).fill("The Reader")
    agreed = page.get_by_role("group", name="Their voice may be used …")
    for box in agreed.get_by_role("checkbox").all():
        box.check()
    for number, name in enumerate(tape.read_aloud, 1):
        if number > 1:
            desk.press("One more stretch")
        stretch = page.get_by_role("group", name=f"Stretch {number}", exact=True)
        stretch.get_by_label("file").select_option(label=name)
    page.get_by_label("Agreed on").fill("2026-03-03")
    page.get_by_label("Law it was given under").select_option(label="United States")
    page.get_by_label("What they were told before they agreed").fill(clinic_hours.NOTICE)
    desk.press("Record the consent")
    desk.sees("Recorded. The Reader is p-0001 from here on.")


def consent_by_table(desk: Desk, folder: Path) -> None:
    """One bad row keeps the whole table out, and says why; the right one goes in."""
    page = desk.page
    desk.follow("Bring in more from a table")
    send_table(
        desk, clinic_hours.consents(folder / "wrong.csv", file="clinic-hour.wav"), status=422
    )
    desk.sees("Nothing was imported")
    fault = page.get_by_role("row", name="Row 2")
    expect(fault).to_contain_text("file")
    expect(fault).to_contain_text("clinic-hour.wav")
    tab(page, "Consent")
    expect(page.get_by_role("heading", name="1 speaker")).to_be_visible()
    desk.follow("Bring in more from a table")
    send_table(desk, clinic_hours.consents(folder / "right.csv", file=clinic_hours.SPOKEN))
    desk.press("Record 1 consent")
    desk.sees("Recorded 1 consent of 1 speaker, over 1 stretch.")
    expect(page.get_by_role("heading", name="2 speakers")).to_be_visible()


def send_table(desk: Desk, table: Path, *, status: int = 200) -> None:
    desk.page.get_by_label("The filled-in table").set_input_files(table)
    notice = desk.page.get_by_label("What the speakers were told before they agreed")
    notice.fill(clinic_hours.NOTICE)
    with desk.refused(status):
        desk.press("See what it would do")


def watch_the_pipeline(desk: Desk) -> None:
    """The page tells of each step while it happens, without being loaded again."""
    page = desk.page
    tab(page, "Pipeline")
    desk.press("Start processing")
    page.evaluate("window.isStillHere = true")
    runs = page.locator("#runs")
    expect(runs.get_by_role("listitem").filter(has_text="Open the recording").first).to_be_visible()
    expect(runs.locator(".run .is-done").first).to_be_visible(timeout=PIPELINE_MS)
    assert page.evaluate("window.isStillHere"), "the page was loaded again"
    progress = page.get_by_role("progressbar", name="Files processed")
    expect(progress).to_have_text("3 of 3", timeout=PIPELINE_MS)
    expect(runs).to_contain_text("your transcript, set to the sound")
    expect(page.get_by_role("link", name="Go to the review")).to_be_visible()


def review(desk: Desk) -> None:
    """Hear what was found, redact two things, keep one, redact a name by keyboard."""
    page = desk.page
    tab(page, "Review")
    expect(page.get_by_role("link", name="Look at what would be sealed")).to_be_visible()
    row = page.get_by_role("row", name=clinic_hours.SPOKEN)
    row.get_by_role("link", name="3 to decide").click()
    hear(page, found(page, clinic_hours.PHONE))
    decide(page, clinic_hours.PHONE, "Redact it", "Will be redacted")
    decide(page, clinic_hours.MAIL, "Redact it", "Will be redacted")
    decide(page, clinic_hours.PAGE, "Keep it", "Stays in")
    redact_by_keyboard(page, clinic_hours.NAME)
    desk.sees("Nothing is left to decide. You can finish.")


def seal(desk: Desk) -> None:
    """Nothing is sealed before somebody says that they read what a seal does."""
    page = desk.page
    desk.follow("Go on to the seal")
    desk.sees("Who allows which license", "What sealing does")
    sealing = "Finish the review and seal version 1"
    read = page.get_by_role("checkbox", name="I have read this.")
    desk.press(sealing)
    assert read.evaluate("box => box.validity.valueMissing")
    read.check()
    desk.press(sealing)
    expect(page.get_by_text("Signed and logged")).to_be_visible(timeout=PIPELINE_MS)
    desk.sees("The signature proves who said it")


def found(page: Page, text: str) -> Locator:
    """The line of what was found with these words."""
    return page.locator("[data-finding]").filter(has=page.get_by_text(text, exact=True))


def hear(page: Page, line: Locator) -> None:
    """The original plays around the finding, and stops behind it."""
    with page.expect_response(re.compile("/originals/")) as told:
        page.reload()
    assert told.value.status in {200, 206}
    button = line.get_by_role("button", name="Hear it")
    start, end = (int(button.get_attribute(f"data-{name}") or 0) / 1000 for name in ("from", "to"))
    button.click()
    audio = page.locator("audio").element_handle()
    playing = "([audio, from]) => !audio.paused && audio.currentTime > from"
    page.wait_for_function(playing, arg=[audio, start])
    stopped = "([audio, to]) => audio.paused && audio.currentTime >= to"
    page.wait_for_function(stopped, arg=[audio, end])


def decide(page: Page, text: str, button: str, outcome: str) -> None:
    line = found(page, text)
    line.get_by_role("button", name=button).click()
    expect(found(page, text)).to_contain_text(outcome)
    page.wait_for_function("() => document.activeElement.matches('.is-current')")


def redact_by_keyboard(page: Page, words: str) -> None:
    """Walk to the first word, select to the last with Shift, say what it is, and press."""
    first, *rest = words.split()
    word = page.get_by_role("button", name=first, exact=True)
    word.focus()
    page.keyboard.press("Enter")
    for _ in rest:
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Name of a person")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=f"Redact {len(words.split())} words")).to_be_focused()
    page.keyboard.press("Enter")
    expect(found(page, words)).to_contain_text("Will be redacted")


def offer(desk: Desk) -> None:
    """What goes beyond a consent is refused by name; the rest is offered for €40 a year."""
    page = desk.page
    desk.follow("Offer a license")
    open_to_all = page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name=re.compile("^CC BY"))
    )
    expect(open_to_all).to_contain_text("Consent does not cover it")
    expect(open_to_all).to_contain_text("p-0002 said no to: Speech synthesis")
    expect(open_to_all.get_by_role("link", name="Choose")).to_have_count(0)
    by_address(desk, "CC-BY-4.0")
    desk.follow("Choose Commercial training")
    desk.fill(Price="40")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_role("radio", name="A year", exact=True).check()
    desk.press("Publish the offer")
    prove_if_asked(desk, then="is offered.")
    desk.sees("Commercial training is offered. It stands on the public page now.")
    offered = page.get_by_role("row").filter(has_text="Commercial training")
    expect(offered).to_contain_text("€40")
    expect(offered).to_contain_text("a year")
    expect(offered).to_contain_text("plus €2 fee")


def by_address(desk: Desk, profile: str) -> None:
    """Who types the address of what can't be offered reads why, and can't publish it."""
    page = desk.page
    page.goto(f"{page.url}new/{profile}/")
    desk.sees("Consent does not cover this license", "Speaker p-0002", "Speech synthesis")
    expect(page.get_by_role("button", name="Publish the offer")).to_be_disabled()
    page.go_back()


def leave(desk: Desk) -> None:
    """Sign out by the menu."""
    desk.page.locator("[data-menu] summary").click()
    desk.press("Sign out")
    expect(desk.page.get_by_role("link", name="Sign in")).to_be_visible()
