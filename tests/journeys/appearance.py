"""What can be measured of how a page looks: axe's findings in light and dark, and its width."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
RUN = "(options) => axe.run(document, { resultTypes: ['violations'], ...options })"
CONTRAST = {"runOnly": ["color-contrast"]}
# The page is as wide as the window, and says which of its parts are not.
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && box.right > width + 1 && ![...element.children].some(
      (child) => child.getBoundingClientRect().right > width + 1);
  });
  return wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 160));
}
"""


@cache
def axe() -> str:
    """The text of axe-core."""
    return AXE.read_text()


def faults_of(page: Page) -> list[str]:
    """Everything grave about the page as it stands; the window is a desktop's again afterwards."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]  # a ViewportSize
    # By the debugger, which the page's own policy on scripts does not bind.
    page.evaluate(axe())
    faults = [f"light: {fault}" for fault in violations(page, {})]
    page.emulate_media(color_scheme="dark")
    faults += [f"dark: {fault}" for fault in violations(page, CONTRAST)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a ViewportSize
    faults += [f"wider than a phone: {part}" for part in page.evaluate(TOO_WIDE)]
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]  # a ViewportSize
    return faults


def assert_readable(page: Page) -> None:
    """Nothing grave is wrong with the page as it stands."""
    faults = faults_of(page)
    assert not faults, "\n".join([page.url, *faults])


def violations(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe finds grave, with the first place of each."""
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for found in page.evaluate(RUN, options)["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"][:3]
    ]
