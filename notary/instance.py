"""Which installation this is, whatever its address: identifiers that stay, and the log's name."""

import uuid

from commonhold.errors import CommonholdError
from django.conf import settings

from notary.models import Instance


class LogOriginChanged(CommonholdError):
    """The settings name the log otherwise than when it began."""

    code = "log-origin-changed"
    status = 503


def instance_id() -> uuid.UUID:
    """Return this installation's identifier, drawn at first use. Callers at once get the same."""
    return the_instance().pk


def the_instance() -> Instance:
    """Return the one row, made at first use."""
    found = Instance.objects.first()
    if found is None:
        # Whoever comes second waits for the first to commit, and reads that row.
        fresh = Instance(pk=uuid.uuid4(), log_origin=settings.LOG_ORIGIN)
        Instance.objects.bulk_create([fresh], ignore_conflicts=True)
        found = Instance.objects.get()
    return found


def urn(*parts: object) -> str:
    """Return the URN of something here that `parts` name: the same for ever, at any address."""
    return f"urn:uuid:{uuid.uuid5(instance_id(), '/'.join(map(str, parts)))}"


def log_origin() -> str:
    """Return the log's name, as the settings gave it at first use; LogOriginChanged if they differ.

    The name stands in every checkpoint and proof, so another name would be another log.
    """
    kept = the_instance().log_origin
    if kept != settings.LOG_ORIGIN:
        message = (
            f"The log's name is {kept}, and it can't change; the settings now say "
            f"{settings.LOG_ORIGIN}. Set LOG_ORIGIN={kept} and start again. The site's address "
            "(SITE_URL) may be another one."
        )
        raise LogOriginChanged(message, kept=kept, configured=settings.LOG_ORIGIN)
    return kept
