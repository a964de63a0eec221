"""Celery's door to licensing: call one function."""

from celery import shared_task

from licensing import papers


@shared_task
def tidy_papers_task() -> None:
    """Remove papers that nobody can have an address of any more."""
    papers.tidy()
