"""Status lists: what still stands, signed, without a name in it (IETF Token Status List)."""

from collections.abc import Iterable
from datetime import UTC, datetime

from commonhold import statuslist
from commonhold.errors import CommonholdError
from django.conf import settings
from django.utils import timezone

from ingestion import keys
from ingestion.models import ConsentRecord
from licensing.models import Grant

PAD = 1024
"""Lists grow in steps, so that their length does not tell how many there are."""


class NoSuchList(CommonholdError):
    """There is no status list of this number."""

    code = "no-such-status-list"
    status = 404


def consent_list(*, number: int, uri: str = "") -> str:
    """Return the signed list of consents: 0 valid, 1 withdrawn, 2 expired.

    `uri` is how a manifest names the list, when the site has moved since it was signed.
    """
    require_number(number)
    today = timezone.localdate()
    found = ConsentRecord.objects.values_list("status_index", "withdrawn_at", "expires_on")
    pairs = [
        (
            place,
            consent_status(
                withdrawn=withdrawn is not None, expired=expires is not None and expires <= today
            ),
        )
        for place, withdrawn, expires in found.iterator()
    ]
    return signed(uri=uri or f"{settings.SITE_URL}/status/consent/{number}", pairs=pairs)


def consent_status(*, withdrawn: bool, expired: bool) -> int:
    """Return the two bits of one consent."""
    if withdrawn:
        return statuslist.WITHDRAWN
    return statuslist.EXPIRED if expired else statuslist.VALID


def grant_list(*, number: int) -> str:
    """Return the signed list of grants: 0 in force, 1 revoked."""
    require_number(number)
    revoked = Grant.objects.filter(state=Grant.State.REVOKED).values_list("status_index", flat=True)
    last = Grant.objects.order_by("-status_index").values_list("status_index", flat=True).first()
    pairs = [(place, statuslist.REVOKED) for place in revoked]
    uri = f"{settings.SITE_URL}/status/grant/{number}"
    return signed(uri=uri, pairs=pairs, least=(last or 0) + 1)


def require_number(number: int) -> None:
    """Raise NoSuchList for a list that is not kept (one list holds everything so far)."""
    if number != 0:
        message = f"There is no status list {number}."
        raise NoSuchList(message)


def signed(*, uri: str, pairs: Iterable[tuple[int, int]], least: int = 0) -> str:
    """Sign a list in which everything not named is valid."""
    known = dict(pairs)
    length = max([least, *(place + 1 for place in known)])
    length += -length % PAD or PAD
    return statuslist.build_status_list(
        statuses=(known.get(place, statuslist.VALID) for place in range(length)),
        uri=uri,
        key=keys.status_key(),
        issued=datetime.now(UTC),
    )
