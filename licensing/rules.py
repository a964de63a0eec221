"""Found by django-rules at start: registers the permissions of this package."""

from licensing import permissions

__all__ = ["permissions"]
