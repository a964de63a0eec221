"""The public log, for people: how long it is, what came last, and how to check it."""

import json
from typing import Any

from commonhold.notes import vkey
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ingestion import keys, transparency
from ingestion.models import LogEntry, Version

LATEST = 20


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the checkpoint and the last entries."""
    context = {
        "checkpoint": transparency.latest_checkpoint(),
        "entries": [entry_row(entry) for entry in LogEntry.objects.order_by("-index")[:LATEST]],
        "origin": settings.LOG_ORIGIN,
        "site_url": settings.SITE_URL,
        "vkey": vkey(settings.LOG_ORIGIN, keys.log_key().public),
    }
    return render(request, "pages/log/index.html", context)


@require_safe
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """Show one entry: the bytes that are the leaf, and their proof."""
    found = LogEntry.objects.filter(pk=number).first()
    checkpoint = transparency.latest_checkpoint()
    if found is None or checkpoint is None:
        raise Http404
    proof = transparency.prove(entry=found)
    context = {
        "entry": entry_row(found),
        "body": json.dumps(json.loads(bytes(found.body)), indent=2),
        "checkpoint": checkpoint,
        "proof": [value.hex() for value in proof.hashes],
        "version": public_version(found),
        "site_url": settings.SITE_URL,
    }
    return render(request, "pages/log/entry.html", context)


def entry_row(found: LogEntry) -> dict[str, Any]:
    """Return an entry as pages show it. It holds no name: a digest, a signature and a key."""
    body = json.loads(bytes(found.body))
    return {
        "index": found.index,
        "leaf": bytes(found.leaf_hash).hex(),
        "at": found.created_at,
        "kind": body.get("kind", ""),
    }


def public_version(found: LogEntry) -> Version | None:
    """Return the sealed release that an entry is about, if it is about one that anybody may see.

    Licenses are not looked up: who holds one is between the licensee and the publisher.
    """
    return (
        Version.objects.filter(log_entry=found, state=Version.State.SEALED)
        .select_related("dataset__organization")
        .first()
    )
