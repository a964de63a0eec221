"""The trainer's half of the browser journey: from the catalogue to a verified manifest."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys import clinic_hours
from tests.journeys.browser import Desk

TOTAL = "€42"
BUTTON = f"License for {TOTAL} a year"
VECTOR = ("Signature", "Log", "Files", "License", "Consent")

# What a nervous hand does before the first answer is there. The form is sent as the browser would.
SEND_TWICE = """
async ({ form }) => {
  const body = () => new FormData(form);
  const send = () => fetch(form.action, { method: "POST", body: body(), redirect: "manual" });
  await Promise.all([send(), send()]);
}
"""


def find(desk: Desk, *, publisher: str, title: str) -> None:
    """Search by a word, narrow by a permission, and open what is left."""
    page = desk.page
    desk.visit("Catalogue")
    expect(page.get_by_role("heading", name="What do you want to train?")).to_be_visible()
    page.get_by_role("searchbox", name="Search the datasets").fill(publisher)
    desk.sees("1 dataset")
    expect(page).to_have_url(re.compile("[?&]q="))
    page.get_by_role("checkbox", name="Commercial use").check()
    desk.sees("1 dataset that allows commercial use")
    card = page.get_by_role("article").filter(has_text=title)
    expect(card).to_contain_text(TOTAL)
    expect(card).to_contain_text("Commercial training")
    card.get_by_role("link", name=title).click()


def listen(desk: Desk) -> None:
    """What was redacted is a bar in the words; what was kept is there; the sound plays."""
    page = desk.page
    player = page.get_by_role("listitem").filter(has_text="on the door")
    transcript = player.locator(".transcript")
    expect(transcript).to_contain_text(clinic_hours.PAGE)
    for word in (clinic_hours.PHONE, clinic_hours.MAIL, clinic_hours.NAME):
        expect(transcript).not_to_contain_text(word)
    for kind in ("phone number", "email address", "name"):
        expect(transcript.get_by_text(f"{kind} removed")).to_be_attached()
    with page.expect_response(lambda answer: "/listen/" in answer.url) as told:
        player.locator("audio").evaluate("audio => audio.play()")
    assert told.value.status in {200, 206}
    page.wait_for_function(
        "audio => audio.currentTime > 0", arg=player.locator("audio").element_handle()
    )


def buy(desk: Desk, *, publisher: str, licensee: str) -> None:
    """The price stands on the button, the fee before the click; sent thrice it buys once."""
    page = desk.page
    desk.follow(BUTTON)
    sums = page.get_by_role("table")
    expect(sums.get_by_role("row", name=publisher)).to_contain_text("€40")
    expect(sums.get_by_role("row", name="Platform fee")).to_contain_text("€2")
    expect(sums.get_by_role("row", name="Total")).to_contain_text(TOTAL)
    expect(sums.get_by_role("row", name="Total")).to_contain_text("TEST")
    desk.sees("This text binds", f"The license goes to {licensee}")
    page.get_by_role("checkbox", name="We have read the legal text and accept it.").check()
    button = page.get_by_role("button", name=BUTTON)
    button.evaluate(SEND_TWICE)
    button.click()
    desk.sees(f"{licensee} holds the license now.", "This is a TEST: no money moved.")


def take(desk: Desk, folder: Path, *, title: str) -> Path:
    """The library says how to take it by one command, and hands out each file."""
    page = desk.page
    desk.sees("commonhold download", "commonhold.load", "In force", "Consent stands", "TEST")
    clip = desk.download("audio/r0001/0001.flac", folder)
    assert clip.read_bytes().startswith(b"fLaC")
    manifest = desk.download("manifest.sigstore.json", folder)
    desk.visit("Library")
    expect(page.get_by_role("main").get_by_role("link", name=title)).to_have_count(1)
    desk.follow("Receipts")
    expect(page.get_by_role("row").filter(has_text=TOTAL)).to_have_count(1)
    return manifest


def verify(desk: Desk, manifest: Path, *, title: str) -> None:
    """Five answers, each its own."""
    page = desk.page
    desk.visit("Verify")
    page.get_by_label("Manifest, and what lies beside it").set_input_files(manifest)
    desk.press("Verify them")
    verdict = page.get_by_role("status").filter(has_text="What we found")
    rows = verdict.get_by_role("listitem")
    expect(rows).to_have_count(len(VECTOR))
    for row, name in zip(rows.all(), VECTOR, strict=True):
        expect(row).to_contain_text(name)
    expect(rows.nth(0)).to_contain_text("Genuine")
    expect(rows.nth(1)).to_contain_text("In the public log")
    expect(verdict).to_contain_text(title)
    expect(verdict).to_contain_text("TEST")
