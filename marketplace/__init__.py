"""Trade, money, and the only HTTP; also the Django project."""

from marketplace.celery import app as celery_app

__all__ = ["celery_app"]
