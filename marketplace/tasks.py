"""Celery's door to the marketplace: call one function of each layer that follows the news."""

from celery import shared_task

from licensing import following
from marketplace import listings
from notary import status


@shared_task
def follow_news_task() -> None:
    """Close what ended, list what changed and publish who withdrew.

    Whoever caused news asks for it at once; the beat does, too, so nothing waits for a lost task.
    """
    following.follow()
    listings.follow()
    status.publish()
