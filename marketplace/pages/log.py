"""The public log, for people: how long it is, what came last, and how to check it."""

import json
from typing import Any

from commonhold.trust import read_trusted_root
from commonhold.vouching import fingerprint
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ingestion.models import Version
from licensing.models import Offer
from notary import instance, keys, log
from notary.models import LogEntry

LATEST = 20


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the checkpoint and the last entries."""
    newest = LogEntry.objects.integrated().reverse()[:LATEST]
    context = {
        "checkpoint": log.latest_checkpoint(),
        "entries": [entry_row(entry) for entry in newest],
        "origin": instance.log_origin(),
        "site_url": settings.SITE_URL,
        "vkey": keys.log_verifiers()[0],
        "fingerprint": fingerprint(read_trusted_root(keys.trusted_root())),
    }
    return render(request, "pages/log/index.html", context)


@require_safe
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """Show one entry: the bytes that are the leaf, and their proof."""
    found = LogEntry.objects.filter(index=number).first()
    checkpoint = log.latest_checkpoint()
    if found is None or checkpoint is None:
        raise Http404
    proof = log.prove(entry=found)
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
    """Return the offered release that an entry is about, if it is about one.

    Licenses are not looked up: who holds one is between the licensee and the publisher.
    """
    offered = Offer.objects.values("version")
    return (
        Version.objects.sealed()
        .filter(seal__statement__entry=found, pk__in=offered)
        .select_related("dataset__organization")
        .first()
    )
