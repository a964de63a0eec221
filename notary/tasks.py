"""Celery's door to the notary: call one function, which does nothing where nothing is due."""

import logging
from functools import cache

from celery import shared_task

from notary import log, memory, status

ROLLED_BACK = "log.rolled-back"
security = logging.getLogger("commonhold.security")


@shared_task(soft_time_limit=50, time_limit=60)
def integrate_log_task() -> None:
    """Bring what was signed into the log."""
    try:
        log.integrate()
    except memory.LogRolledBack as error:
        say_once(error.message)


@shared_task(soft_time_limit=50, time_limit=60)
def publish_status_task() -> None:
    """Publish the status lists that changed."""
    try:
        status.publish()
    except memory.LogRolledBack as error:
        say_once(error.message)


@cache
def say_once(why: str) -> None:
    """Tell the operator that the log stands still: these tasks ask again every few seconds."""
    security.error(ROLLED_BACK, extra={"event": ROLLED_BACK, "facts": {"why": why}})
