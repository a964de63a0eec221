"""Celery's door to the notary: call one function, which does nothing where nothing is due."""

from celery import shared_task

from notary import log, status


@shared_task(soft_time_limit=50, time_limit=60)
def integrate_log_task() -> None:
    """Bring what was signed into the log."""
    log.integrate()


@shared_task(soft_time_limit=50, time_limit=60)
def publish_status_task() -> None:
    """Publish the status lists that changed."""
    status.publish()
