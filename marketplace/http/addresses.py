"""Where the files of a release are fetched: addresses that are good for a while, without a key."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from licensing.access import ReleaseFile
from licensing.models import Grant
from marketplace.http import links


def of_file(request: HttpRequest, *, grant: Grant, file: ReleaseFile, holder: links.Holder) -> str:
    """Return where a file of a release is fetched. Its digest stands in the address, signed.

    So that what is fetched is what was listed, also of papers that differ from moment to moment.
    """
    path = reverse("api:grant-file", args=[grant.pk, file.sha256, file.path])
    return links.make(request, "GET", path, holder=holder, seconds=settings.DOWNLOAD_URL_SECONDS)
