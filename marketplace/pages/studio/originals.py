"""Hearing an original: its bytes, in ranges, for contributors of its organization alone."""

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from ingestion.models import File
from ingestion.storage import blob_store
from marketplace.api.ranges import Content, respond
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors


@require_safe
@for_contributors
def original(request: StudioRequest, work: Work, pk: int) -> HttpResponseBase:
    """Stream an original of the dataset."""
    files = File.objects.filter(version__dataset=work.dataset, role=File.Role.SOURCE)
    file = get_object_or_404(files.select_related("blob"), pk=pk)
    content = Content(
        file=blob_store().open(file.blob_id),
        size=file.blob.size,
        sha256=file.blob_id,
        media_type=file.media_type,
        name=file.path.rpartition("/")[2],
        inline=file.kind == File.Kind.AUDIO,
    )
    return respond(request, content)
