"""Grants: issued from an offer with their signed statement, and revoked."""

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from commonhold import manifest
from commonhold.signing import Envelope
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization, User
from ingestion import manifests, releases
from ingestion.models import LogEntry
from licensing import profiles
from licensing.models import Grant, Offer
from licensing.offers import OfferClosed, require_consent

GRANT_LIST = "/status/grant/0"


@dataclass(frozen=True)
class Consideration:
    """What was given for the license, as the manifest states it. Decimal strings, no floats."""

    amount: str
    currency: str
    reference: str
    """The seller's own reference of the payment; only a keyed digest of it is published."""
    shares: Sequence[tuple[str, int]] = field(default=())
    """(payee, basis points of the amount), together 10 000; empty when nothing was paid."""
    is_test: bool = False


@dataclass(frozen=True)
class Acceptance:
    """When and how the licensee agreed to the text."""

    at: datetime
    method: str


@transaction.atomic
def issue(
    *,
    offer: Offer,
    licensee: Organization,
    by: User,
    consideration: Consideration,
    acceptance: Acceptance,
) -> Grant:
    """License an offer to an organization: sign the statement, log it, keep the grant.

    Raises OfferClosed, and OfferBeyondConsent when consent no longer covers the terms.
    """
    offer = (
        Offer.objects.select_for_update(of=("self",))
        .select_related("version__dataset__organization")
        .get(pk=offer.pk)
    )
    if not offer.is_open or not offer.version.is_sealed:
        message = f"The offer of {offer.version} is closed. Look for a newer one on its page."
        raise OfferClosed(message)
    profile = profiles.get(offer.profile)
    require_consent(version=offer.version, purposes=offer.purposes, license_name=profile.name)
    now = datetime.now(UTC).replace(microsecond=0)
    grant = Grant(
        pk=uuid.uuid4(),
        offer=offer,
        version=offer.version,
        licensee=licensee,
        licensee_name=licensee.name,
        issued_at=now,
        issued_to=by,
        valid_from=now,
        valid_until=now + timedelta(days=offer.term_days) if offer.term_days else None,
        is_test=consideration.is_test,
        status_index=next_status_index(),
    )
    envelope, entry = sign(grant=grant, consideration=consideration, acceptance=acceptance)
    grant.manifest, grant.log_entry = envelope.as_dict(), entry
    grant.save(force_insert=True)
    return grant


def sign(
    *, grant: Grant, consideration: Consideration, acceptance: Acceptance
) -> tuple[Envelope, LogEntry]:
    """Sign and log the licensed-release statement of a grant that is about to be kept."""
    offer, profile = grant.offer, profiles.get(grant.offer.profile)
    license_block = manifest.build_license(
        license_id=profile.id,
        name=profile.name,
        version=offer.profile_version,
        text_sha256=offer.terms_sha256,
        odrl=offer.odrl,
        spdx=profile.spdx,
    )
    nonce = manifest.new_nonce()
    block = manifest.build_grant(
        grant_id=f"urn:uuid:{grant.pk}",
        nonce=nonce,
        licensee={"name": grant.licensee_name},
        license_block=license_block,
        purposes_granted=offer.purposes,
        purposes_denied=offer.terms["denies"],
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        price=price_block(consideration, nonce),
        revenue_shares=consideration.shares,
        status_uri=settings.SITE_URL + GRANT_LIST,
        status_index=grant.status_index,
        accepted_at=acceptance.at,
        acceptance_method=acceptance.method,
        territory=offer.terms["territory"],
        sublicense=offer.terms["sublicense"],
    )
    return manifests.sign(
        release=offer.version.release or {},
        rows=releases.rows_of(version=offer.version),
        license_block=license_block,
        grant=block,
    )


def price_block(consideration: Consideration, nonce: str) -> dict[str, object]:
    """Return the manifest's `price`; the payment's reference only as a keyed digest."""
    digest = hmac.new(nonce.encode(), consideration.reference.encode(), hashlib.sha256).hexdigest()
    return {
        "amount": consideration.amount,
        "currency": consideration.currency,
        "paymentRef": f"hmac-sha256:{digest}",
        "test": consideration.is_test,
    }


def next_status_index() -> int:
    """Draw the next place in the status list of grants."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('licensing_grant_status_index')")
        return int(cursor.fetchone()[0])


@transaction.atomic
def revoke(*, grant: Grant, by: User) -> Grant:  # noqa: ARG001 - the actor of every transition
    """End a license now. Asked again, changes nothing."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    if grant.state != Grant.State.REVOKED:
        grant.state, grant.revoked_at = Grant.State.REVOKED, timezone.now()
        grant.save(update_fields=["state", "revoked_at"])
    return grant
