"""Where all processes count together: the cache behind limits."""

import os

from django.core.exceptions import ImproperlyConfigured


def cache_url() -> str:
    """Return the Redis that limits are counted in: CACHE_URL, or the broker if that is Redis."""
    broker_url = os.environ.get("CELERY_BROKER_URL", "")
    is_redis = broker_url.startswith(("redis://", "rediss://"))
    return os.environ.get("CACHE_URL") or (broker_url if is_redis else "")


def shared_cache() -> dict[str, object]:
    """Return the cache that all processes share: Redis where it is named, or else the database."""
    url = cache_url()
    if url.startswith(("redis://", "rediss://", "unix://")):
        backend = "django.core.cache.backends.redis.RedisCache"
        return {"BACKEND": backend, "LOCATION": url, "KEY_PREFIX": "commonhold"}
    if url:
        message = f"CACHE_URL={url!r} is not understood: set it to redis://… or leave it away."
        raise ImproperlyConfigured(message)
    backend = "marketplace.host.table_cache.DatabaseCache"
    return {"BACKEND": backend, "LOCATION": "shared_cache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
