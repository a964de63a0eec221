"""Celery's door to the marketplace: call one function of each layer that follows the news."""

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from licensing import following
from marketplace import listings
from marketplace.host import letters
from notary import status


@shared_task
def follow_news_task() -> None:
    """Close what ended, list what changed and publish who withdrew.

    Whoever caused news asks for it at once; the beat does, too, so nothing waits for a lost task.
    """
    following.follow()
    listings.follow()
    status.publish()


@shared_task
def tidy_mail_task() -> None:
    """Remove letters that nobody needs any more; there are none where mail is sent."""
    letters.remove_old(Path(settings.EMAIL_FILE_PATH))


@shared_task
def tidy_sessions_task() -> None:
    """Remove sessions that are over."""
    SessionStore.clear_expired()
