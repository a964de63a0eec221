"""Celery's door to the pipeline: load by id, call one function."""

import shutil
import time
from datetime import timedelta
from pathlib import Path

from celery import shared_task
from django.conf import settings

from ingestion import pipeline, releases, uploads
from ingestion.models import PipelineRun, Version

STALE_WORK = timedelta(days=1)


@shared_task(soft_time_limit=None, time_limit=None)
def run_pipeline_task(run_id: str) -> None:
    """Execute one run; when it was the last one after a review, seal."""
    run = pipeline.execute(run_id=run_id)  # type: ignore[arg-type]  # Django takes the text of a UUID
    if (
        run is not None
        and run.phase == PipelineRun.Phase.FINAL
        and pipeline.all_final_done(version=run.file.version)
    ):
        seal_version_task.delay(run.file.version_id)


@shared_task(soft_time_limit=1500, time_limit=1800)
def seal_version_task(version_id: int) -> None:
    """Seal a version; a refusal is written on it for the contributor."""
    try:
        releases.seal(version=Version.objects.get(pk=version_id))
    except releases.SealRefused:
        # The refusal stands in Version.seal_error, where the contributor reads it.
        return


@shared_task(soft_time_limit=50, time_limit=60)
def sweep_task() -> None:
    """Take up what no worker holds: lost messages and dead workers cost seconds, not data."""
    for run in pipeline.offer():
        run_pipeline_task.delay(str(run.pk))
    for version in releases.waiting():
        seal_version_task.delay(version.pk)


@shared_task(soft_time_limit=250, time_limit=300)
def tidy_task() -> None:
    """Cancel uploads that were left lying, and remove what killed steps left behind."""
    uploads.expire()
    oldest = time.time() - STALE_WORK.total_seconds()
    for leftover in Path(settings.WORK_DIR).glob("*"):
        if leftover.stat().st_mtime < oldest:
            shutil.rmtree(leftover, ignore_errors=True)
