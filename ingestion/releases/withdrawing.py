"""Withdrawing a sealed version: its publisher takes it back, whatever the consents say."""

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from ingestion import news
from ingestion.models import News, Version

MAX_REASON = 300


class VersionNotSealed(CommonholdError):
    """Only what is published can be taken back."""

    code = "version-not-sealed"
    status = 409


class ReasonMissing(CommonholdError):
    """Nothing is taken back without a word."""

    code = "reason-missing"
    status = 422


@transaction.atomic
def withdraw(*, version: Version, reason: str, by: User) -> Version:
    """Take a sealed version back: nothing of it is licensed or handed out from now on.

    Raises VersionNotSealed, ReasonMissing.
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        sentence = _("Say in at most %(most)s characters why the version is withdrawn.")
        raise ReasonMissing(sentence, field="reason", most=MAX_REASON)
    version = (
        Version.objects.select_for_update(of=("self",))
        .select_related("dataset__organization")
        .get(pk=version.pk)
    )
    if not version.is_sealed:
        sentence = _("Version %(number)s is not sealed, or was withdrawn before.")
        raise VersionNotSealed(sentence, number=version.number)
    version.state, version.withdrawn_at = Version.State.WITHDRAWN, timezone.now()
    version.save(update_fields=["state", "withdrawn_at"])
    audit.note(
        by=by,
        verb="version.withdrawn",
        about=(version, version.dataset, version.dataset.organization),
        version=str(version),
        reason=reason,
    )
    news.of_version(version=version, kind=News.Kind.WITHDRAWN)
    return version
