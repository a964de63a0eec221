"""Found by django-rules at start: registers the permissions of this package."""

from ingestion import permissions

__all__ = ["permissions"]
