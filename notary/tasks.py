"""Celery's door to the notary: call one function, which does nothing where nothing is due."""

import logging

from celery import shared_task
from django.core.cache import caches

from notary import log, memory, status

ROLLED_BACK = "log.rolled-back"
SAID_AGAIN = 3600
"""Seconds after which what still stands, or happens anew, is said again."""
security = logging.getLogger("commonhold.security")


@shared_task(soft_time_limit=50, time_limit=60)
def integrate_log_task() -> None:
    """Bring what was signed into the log."""
    try:
        log.integrate()
    except memory.LogRolledBack as error:
        say_seldom(error)


@shared_task(soft_time_limit=50, time_limit=60)
def publish_status_task() -> None:
    """Publish the status lists that changed."""
    try:
        status.publish()
    except memory.LogRolledBack as error:
        say_seldom(error)


def say_seldom(error: memory.LogRolledBack) -> None:
    """Tell the operator that the log stands still: these tasks ask again every few seconds."""
    if caches["told"].add(ROLLED_BACK, value=True, timeout=SAID_AGAIN):
        facts = {"why": error.message}
        security.error(ROLLED_BACK, extra={"event": ROLLED_BACK, "facts": facts})
