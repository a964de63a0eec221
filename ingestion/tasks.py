"""Celery's door to ingestion: load by id, call one function."""

import contextlib
import logging
import shutil
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from celery import shared_task
from commonhold.errors import CommonholdError
from django.conf import settings

from accounts import security
from ingestion import consent, releases
from ingestion.archive import fixity, sweeping, uploads
from ingestion.models import File, PipelineRun, Version
from ingestion.pipeline import children, jobs, turns
from ingestion.pipeline.steps.isolation import NotIsolatedError

STALE_WORK = timedelta(days=1)
log = logging.getLogger(__name__)


@shared_task(expires=turns.OFFER_AGAIN.total_seconds())
def run_pipeline_task() -> None:
    """Execute one run, whosever turn it is; when it was the last one after a review, seal.

    While others wait it calls the next worker first: one message brings all that are free to work.
    """
    try:
        taken = jobs.take()
    except (children.ProbeFailed, NotIsolatedError) as error:
        say_seldom(error)
        return
    if taken is None:
        return
    if turns.waiting().exists():
        run_pipeline_task.delay()
    run = jobs.work_on(taken)
    if run is None or run.phase != PipelineRun.Phase.FINAL:
        return
    for place in File.objects.filter(final=run, version__state=Version.State.REVIEW):
        if releases.is_applied(version=place.version):
            seal_version_task.delay(place.version_id)


def enqueue(runs: Iterable[PipelineRun]) -> None:
    """Tell the workers of new runs, once they are committed. A lost message is swept up later."""
    if list(runs):
        run_pipeline_task.delay_on_commit()


def say_seldom(error: CommonholdError) -> None:
    """Tell the operator why nothing is processed: the runs wait, and ask again and again."""
    if security.due(error.code, who=""):
        log.error(error.message)


@shared_task
def seal_version_task(version_id: int) -> None:
    """Seal a version; a refusal is written on it for the contributor."""
    try:
        releases.seal(version=Version.objects.get(pk=version_id))
    except releases.SealRefused:
        # The refusal stands in Version.seal_error, where the contributor reads it.
        return


@shared_task
def sweep_task() -> None:
    """Take up what no worker holds: lost messages and dead workers cost seconds, not data."""
    if turns.offer():
        run_pipeline_task.delay()
    for version in releases.waiting():
        seal_version_task.delay(version.pk)


@shared_task
def note_expired_task() -> None:
    """Note the consents that ran out, so that versions, status lists and listings follow."""
    consent.note_expired()


@shared_task
def tidy_task() -> None:
    """Cancel uploads that were left lying, and remove what killed steps left behind."""
    uploads.expire()
    oldest = time.time() - STALE_WORK.total_seconds()
    for folder in Path(settings.WORK_DIR).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # Its step ended just now.
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


@shared_task
def sweep_bytes_task() -> None:
    """Remove the bytes that no row has named for a day."""
    sweeping.sweep()


@shared_task
def check_bytes_task() -> None:
    """Read this hour's share of all bytes, and what was damaged, and compare the digests."""
    fixity.check_share()
