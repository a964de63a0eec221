"""Loading the demo: once, resumable after a kill, and only where money is play money."""

import time
from collections.abc import Callable
from typing import Any

from commonhold.errors import CommonholdError
from django.core.exceptions import ImproperlyConfigured

from accounts.models import Organization
from demo import notebook, people, walk
from demo.people import Actor
from demo.plan import ACCOUNTS, DATASETS, DatasetPlan
from ingestion.models import Version
from marketplace import payments

BY_KEY = {account.key: account for account in ACCOUNTS}


class DemoRefused(CommonholdError):
    """This installation is not one for demo data."""

    code = "demo-refused"
    status = 409


def load(*, say: Callable[[str], object]) -> bool:
    """Load what is missing; False when nothing was. Raises DemoRefused, NotOurs, LoadStopped."""
    require_test_payments()
    with notebook.alone():
        if is_complete():
            return False
        notes = notebook.read() | {"complete": False, "failed": ""}
        notebook.write(notes)
        try:
            load_everything(notes=notes, say=say)
        except Exception as error:
            # Whoever waits for the demo is told why it will not come.
            notebook.write(notes | {"failed": str(error) or type(error).__name__})
            raise
        notebook.write(notes | {"complete": True})
    return True


def require_test_payments() -> None:
    """Raise DemoRefused where payments are real: demo data would stand among real offers."""
    try:
        is_test = payments.provider().is_test
    except ImproperlyConfigured as error:
        message = (
            f"The demo was not loaded, because this installation takes no test payments. {error}"
        )
        raise DemoRefused(message) from error
    if not is_test:
        message = "The demo was not loaded, because payments are real here."
        raise DemoRefused(message)


def is_complete() -> bool:
    """Tell whether everything was loaded, into the database that we have now."""
    notes = notebook.read()
    if not notes["complete"]:
        return False
    made = {
        (account.slug, notes["accounts"].get(account.key, {}).get("organization"))
        for account in ACCOUNTS
    }
    there = Organization.objects.filter(slug__in=[slug for slug, _ in made])
    return set(there.values_list("slug", "pk")) == made


def load_everything(*, notes: dict[str, Any], say: Callable[[str], object]) -> None:
    """Make people and datasets in the order in which they are worth seeing."""
    started = time.monotonic()
    actors: dict[str, Actor] = {}
    for plan in DATASETS:
        if plan.account not in actors:
            actors[plan.account] = people.ensure(account=BY_KEY[plan.account], notes=notes)
        version = walk.load(plan=plan, actor=actors[plan.account])
        say(f"{said(plan, version)} after {time.monotonic() - started:.1f} s")
    for account in ACCOUNTS:
        if account.key not in actors:
            people.ensure(account=account, notes=notes)


def said(plan: DatasetPlan, version: Version) -> str:
    """Say how far a dataset has come."""
    state = version.get_state_display().lower()
    return f"{BY_KEY[plan.account].slug}/{plan.slug} is {state}"
