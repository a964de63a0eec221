"""Whether this process lives, and whether it can do its work."""

import hashlib
import logging
from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ingestion.archive.storage import blob_store
from marketplace.celery import app

log = logging.getLogger(__name__)
SECONDS = 3


def check_database() -> None:
    """Ask the database something."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_broker() -> None:
    """Connect to the broker."""
    with closing(app.connection_for_write()) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS)


def check_storage() -> None:
    """Write a byte into the store and forget it."""
    probe = uuid4()
    store = blob_store()
    dot = hashlib.sha256(b".").hexdigest()
    store.put_part(upload=probe, number=1, size=1, sha256=dot, chunks=[b"."])
    store.discard(upload=probe)


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "broker": check_broker,
    "storage": check_storage,
}


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Answer while the process can answer at all."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Answer 200 while database, broker and storage work; else 503, naming what does not."""
    found = {name: "ok" if works(name, check) else "failed" for name, check in CHECKS.items()}
    is_ready = set(found.values()) == {"ok"}
    body = {"status": "ok" if is_ready else "failed", "checks": found}
    return JsonResponse(body, status=200 if is_ready else 503)


def works(name: str, check: Callable[[], None]) -> bool:
    """Run a check. Why it failed is for the operator's log, not for visitors."""
    try:
        check()
    except Exception:  # whatever a driver raises means the same here
        log.exception("Not ready: %s", name)
        return False
    return True
