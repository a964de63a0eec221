"""A person at a browser: real Chromium, watched for everything that goes wrong without a word."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
    expect,
    sync_playwright,
)

CHROMIUM = "/usr/bin/chromium"
# Root in a container has no sandbox; the rest keeps Chromium from calling its makers.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 30_000
# What the browser says of a policy that the page's own console would not show.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""
# How often the person at this window clicked, wherever that led.
COUNT_CLICKS = """
addEventListener("click", (event) => {
  if (event.isTrusted) sessionStorage.clicks = Number(sessionStorage.clicks ?? 0) + 1;
}, true);
"""
# Reported with its address by the request or the response itself, if it is a fault at all.
TOLD_ELSEWHERE = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest")
# The reader left the page, or the answer became a download: nothing failed.
TAKEN_BACK = "net::ERR_ABORTED"


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A started Chromium."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def said(text: str) -> re.Pattern[str]:
    """The text, whichever apostrophe the page writes."""
    return re.compile(re.escape(text).replace("'", "['\u2019]"))


class Desk:
    """One person's browser window on one site, and a list of all that went wrong in it."""

    def __init__(self, browser: Browser, url: str, **settings: Any) -> None:
        settings = {"locale": "en-GB", "timezone_id": "Africa/Nairobi"} | settings
        self.url = url
        self.faults: list[str] = []
        self.expected: set[int] = set()
        self.context: BrowserContext = browser.new_context(base_url=url, **settings)
        self.context.set_default_timeout(WAIT_MS)
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.add_init_script(COUNT_CLICKS)
        self.context.on("console", self.on_console)
        self.context.on("weberror", self.on_error)
        self.context.on("request", self.on_request)
        self.context.on("requestfailed", self.on_failure)
        self.context.on("response", self.on_response)
        self.page: Page = self.context.new_page()
        # From the start: a key is quicker than a listener that is asked for with it.
        self.page.on("filechooser", lambda _: None)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(TOLD_ELSEWHERE):
            self.faults.append(f"console: {message.text}")

    def on_error(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")

    def on_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.faults.append(f"foreign host: {request.url}")

    def on_failure(self, request: Request) -> None:
        if request.failure != TAKEN_BACK:
            self.faults.append(f"failed: {request.method} {request.url} {request.failure}")

    def on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    @contextlib.contextmanager
    def refused(self, status: int) -> Iterator[None]:
        """Within the block the site may say no with this status."""
        self.expected.add(status)
        try:
            yield
        finally:
            self.settle()
            self.expected.discard(status)

    def settle(self) -> None:
        """Let everything that the browser has reported arrive here."""
        self.page.wait_for_timeout(1)

    def press(self, name: str, *, role: str = "button") -> None:
        """Press the one thing of that role with exactly that name."""
        self.page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]  # a role

    def follow(self, name: str) -> None:
        """Follow the one link of that name."""
        self.press(name, role="link")

    def clicks(self) -> int:
        """How often this person has clicked so far."""
        return int(self.page.evaluate("Number(sessionStorage.clicks ?? 0)"))

    def visit(self, place: str) -> None:
        """Go to a place by the main navigation."""
        main = self.page.get_by_role("navigation", name="Main")
        main.get_by_role("link", name=place, exact=True).click()

    def fill(self, **values: str) -> None:
        """Type into fields by their labels, underscores for spaces."""
        for label, value in values.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    def sees(self, *texts: str) -> None:
        """Every one of these texts stands on the page, visible."""
        for text in texts:
            expect(self.page.get_by_text(said(text)).filter(visible=True).first).to_be_visible()

    def download(self, name: str, folder: Path) -> Path:
        """Follow a link that downloads, and return where the file lies."""
        with self.page.expect_download() as told:
            self.follow(name)
        path = folder / told.value.suggested_filename
        told.value.save_as(path)
        return path

    def close(self) -> None:
        """Close the window; fail if anything went wrong in it."""
        self.settle()
        self.context.close()
        assert not self.faults, "\n".join(self.faults)
