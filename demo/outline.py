"""What `manage.py demo` prints: how to log in, and what there is to see."""

import time
from typing import Any

from commonhold.errors import CommonholdError
from django.conf import settings
from django.db import OperationalError

from demo import notebook
from demo.load import BY_KEY, is_complete
from demo.plan import DATASETS
from ingestion.models import Version
from marketplace.host import environment
from marketplace.money import decimal_text

POLL_SECONDS = 0.5
STATES = {
    "sealed": "published: listen, license, download",
    "review": "in review: yours to finish in the studio",
}


class DemoNotLoaded(CommonholdError):
    """There is no demo to tell of."""

    code = "demo-not-loaded"
    status = 503


def wait_until_complete(*, seconds: float) -> None:
    """Wait for a load that is under way or about to begin. Raises DemoNotLoaded."""
    deadline = time.monotonic() + seconds
    while not is_there():
        failed = notebook.read()["failed"]
        if failed and not notebook.is_loading():
            message = f"The demo did not load: {failed} Try again: manage.py demo --load"
            raise DemoNotLoaded(message)
        if time.monotonic() > deadline:
            doing = "is still loading" if notebook.is_loading() else "is not there"
            message = (
                f"The demo {doing} after {seconds:.0f} s (DATA_DIR {settings.DATA_DIR}). "
                "`make run` loads it on its first start and must be running; "
                "`manage.py demo --load` does it by hand."
            )
            raise DemoNotLoaded(message)
        time.sleep(POLL_SECONDS)


def is_there() -> bool:
    """Tell whether the demo is loaded and its database answers; a start takes a few seconds."""
    try:
        return is_complete()
    except OperationalError:
        return False


def site_url() -> str:
    """Return where the site is, which may have started since this command did."""
    return environment.site_url(data_dir=settings.DATA_DIR, is_embedded=settings.EMBEDDED)


def document() -> dict[str, Any]:
    """Return the demo as scripts read it: address, accounts with their keys, datasets."""
    accounts = notebook.read()["accounts"]
    return {
        # Read anew: whoever asked before the site started has waited for it since.
        "url": site_url(),
        **{
            key: {
                "organization": BY_KEY[key].slug,
                "email": BY_KEY[key].email,
                "password": accounts[key]["password"],
                "api_key": accounts[key]["api_key"],
            }
            for key in ("contributor", "trainer", "operator")
        },
        "datasets": [
            {
                "slug": str(version.dataset),
                "state": version.state,
                "offers": [
                    offer.pk for offer in version.offers.filter(closed_at=None).order_by("pk")
                ],
            }
            for version in versions()
        ],
    }


def versions() -> list[Version]:
    """Return the versions that the demo made, in the order of its plan."""
    found: list[Version] = []
    for plan in DATASETS:
        found += Version.objects.select_related("dataset__organization").filter(
            dataset__organization__slug=BY_KEY[plan.account].slug,
            dataset__slug=plan.slug,
            number=1,
        )
    return found


def summary() -> str:
    """Return the demo as people read it."""
    accounts = notebook.read()["accounts"]
    lines = [f"Commonhold's demo is at {site_url()}", "", "Log in as"]
    for account in BY_KEY.values():
        lines += [
            f"  {account.email}  {accounts[account.key]['password']}",
            f"      {account.name}, {account.organization} ({account.key})",
        ]
    lines += ["", "Datasets"]
    for version in versions():
        lines.append(f"  {site_url()}/d/{version.dataset}")
        lines.append(f"      {STATES.get(version.state, version.get_state_display().lower())}")
        for offer in version.offers.filter(closed_at=None).select_related("price").order_by("pk"):
            price = offer.price
            cost = f"{decimal_text(price.amount_minor, price.currency)} {price.currency}"
            lines.append(
                f"      offer {offer.pk}: {offer.profile}, {cost if price.amount_minor else 'free'}"
            )
    lines += ["", "API keys and the same in JSON: manage.py demo --json"]
    return "\n".join(lines)
