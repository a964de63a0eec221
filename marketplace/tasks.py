"""Celery's door to the marketplace: load by id, call one function."""

from celery import shared_task

from ingestion.models import Dataset
from marketplace import listings


@shared_task(soft_time_limit=50, time_limit=60)
def refresh_listing_task(dataset_id: int) -> None:
    """Make one listing anew."""
    listings.refresh(dataset=Dataset.objects.get(pk=dataset_id))


@shared_task(soft_time_limit=50, time_limit=60)
def refresh_listings_task() -> None:
    """Make all listings anew: upper layers ask, so this notices withdrawals and new seals."""
    listings.refresh_all()
