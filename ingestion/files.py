"""Originals: taking one out of a version again."""

from django.db import transaction

from accounts.models import User
from ingestion.datasets import VersionClosed
from ingestion.models import File, Version
from ingestion.pipeline import open_review


@transaction.atomic
def remove(*, file: File, by: User) -> None:  # noqa: ARG001 - the actor of every transition
    """Take an original out of a version that is still open, with all that was made from it.

    A transcript goes with its recording only when it is removed itself. Raises VersionClosed.
    """
    version = Version.objects.select_for_update().get(pk=file.version_id)
    if not version.is_open or version.review_finished_at is not None:
        message = f"Version {version.number} is sealed or about to be; its files stay as they are."
        raise VersionClosed(message)
    if file.kind == File.Kind.TRANSCRIPT and version.state != Version.State.DRAFT:
        message = (
            f"«{file.path}» was aligned to its recording already. Remove the recording instead."
        )
        raise VersionClosed(message)
    file.delete()
    remaining = version.files.filter(role=File.Role.SOURCE)
    if not remaining.exclude(kind=File.Kind.TRANSCRIPT).exists():
        version.state = Version.State.DRAFT
        version.save(update_fields=["state"])
    else:
        open_review(version=version)
