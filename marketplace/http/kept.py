"""Handing out kept bytes to pages: whole or in part, and never damaged ones."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ingestion.archive import blobs
from ingestion.archive.blobs import BytesDamaged
from ingestion.models import Blob
from marketplace.http import problems, ranges


def hand_out(
    request: HttpRequest,
    *,
    blob: Blob,
    media_type: str,
    name: str,
    inline: bool = False,
    is_private: bool = False,
) -> HttpResponseBase:
    """Answer with the bytes of a blob; with a problem document if they are damaged."""
    try:
        file = blobs.read(blob.pk)
    except BytesDamaged as error:
        return problems.respond(error)
    content = ranges.Content(
        file=file,
        size=blob.size,
        sha256=blob.pk,
        media_type=media_type,
        name=name,
        inline=inline,
        is_private=is_private,
    )
    return ranges.respond(request, content)
