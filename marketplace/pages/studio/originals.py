"""Hearing an original: its bytes, in ranges, for contributors of its organization alone."""

from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from ingestion.models import Recording
from marketplace.http import kept
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors


@require_safe
@for_contributors
def original(request: StudioRequest, work: Work, pk: int) -> HttpResponseBase:
    """Stream an original of the dataset; what was erased is not found."""
    recording = get_object_or_404(work.dataset.recordings.select_related("blob"), pk=pk)
    if recording.blob is None:
        raise Http404
    return kept.hand_out(
        request,
        blob=recording.blob,
        media_type=recording.media_type,
        name=recording.name.rpartition("/")[2],
        inline=recording.kind == Recording.Kind.AUDIO,
        is_private=True,
    )
