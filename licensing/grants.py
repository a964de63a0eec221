"""Grants: issued from an offer with their signed statement, and revoked."""

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from commonhold import manifest, statuslist
from commonhold.errors import CommonholdError
from commonhold.odrl import Duties
from commonhold.sentences import Sentence, _
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from accounts.models import Organization, User
from ingestion import news, releases
from ingestion.models import Version
from ingestion.releases import manifests
from licensing.models import Grant, News, Offer
from licensing.offers import OfferClosed, require_consent
from notary import status

STATUS_LIST = "grant"
"""The name of the status lists in which grants have their places."""


class GrantRevoked(CommonholdError):
    """The license was revoked before."""

    code = "grant-revoked"
    status = 409


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

    It is signed first, and no lock is held meanwhile; then it is asked whether the offer is still
    open and consent still covers it. Raises OfferClosed, OfferBeyondConsent.
    """
    offer = Offer.objects.select_related("version__dataset__organization", "version__seal").get(
        pk=offer.pk
    )
    require_open(offer)
    now = timezone.now().replace(microsecond=0)
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
    )
    sign(grant=grant, consideration=consideration, acceptance=acceptance)
    releases.rely(version=offer.version)
    hold_open(offer)
    grant.save(force_insert=True)
    write_down("grant.issued", grant, by=by)
    tell(News.Kind.GRANTED, grant)
    return grant


def require_open(offer: Offer) -> None:
    """Raise OfferClosed, or OfferBeyondConsent, unless the offer can be taken up now."""
    if not offer.is_open or not offer.version.is_sealed:
        sentence = _("The offer of %(version)s is closed. Look for a newer one on its page.")
        raise OfferClosed(sentence, version=str(offer.version))
    require_consent(
        version=offer.version, purposes=offer.purposes, license_name=Sentence(offer.name)
    )


def hold_open(offer: Offer) -> None:
    """Lock an offer, and ask once more whether it can be taken up."""
    held = Offer.objects.select_for_update(of=("self",)).get(pk=offer.pk)
    offer.closed_at = held.closed_at
    offer.version.state = Version.objects.values_list("state", flat=True).get(pk=offer.version_id)
    require_open(offer)


def sign(*, grant: Grant, consideration: Consideration, acceptance: Acceptance) -> None:
    """Sign the licensed-release statement of a grant that is about to be kept."""
    offer = grant.offer
    place = status.place(name=STATUS_LIST)
    license_block = manifest.build_license(
        license_id=offer.iri,
        name=offer.name,
        version=offer.profile_version,
        text_sha256=offer.terms_sha256,
        odrl=offer.odrl,
        spdx=offer.spdx,
    )
    nonce = manifest.new_nonce()
    block = manifest.build_grant(
        grant_id=f"urn:uuid:{grant.pk}",
        nonce=nonce,
        licensee={"name": grant.licensee_name},
        license_block=license_block,
        purposes_granted=offer.purposes,
        purposes_denied=offer.terms["denies"],
        duties=Duties(offer.terms["attribution"], offer.terms["delete_on_withdrawal_days"]),
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        price=price_block(consideration, nonce),
        revenue_shares=consideration.shares,
        status_uri=place.uri,
        status_index=place.position,
        accepted_at=acceptance.at,
        acceptance_method=acceptance.method,
        territory=offer.terms["territory"],
        sublicense=offer.terms["sublicense"],
    )
    grant.status_index = place.index
    grant.statement = license_release(grant.version, license_block=license_block, grant=block)


def license_release(version: Version, **blocks: dict[str, Any]) -> Any:
    """Sign a statement about a sealed release; its index is not read again."""
    seal = releases.seal_of(version=version)
    return manifests.sign(release=seal.release, subjects=seal.subjects, **blocks)


def price_block(consideration: Consideration, nonce: str) -> dict[str, object]:
    """Return the manifest's `price`; the payment's reference only as a keyed digest."""
    digest = hmac.new(nonce.encode(), consideration.reference.encode(), hashlib.sha256).hexdigest()
    return {
        "amount": consideration.amount,
        "currency": consideration.currency,
        "paymentRef": f"hmac-sha256:{digest}",
        "test": consideration.is_test,
    }


@transaction.atomic
def revoke(*, grant: Grant, by: User | Actor, reason: str = "") -> Grant:
    """End a license now, on the status list too. Raises GrantRevoked if it was ended before."""
    grant = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("version__dataset__organization", "licensee", "offer")
        .get(pk=grant.pk)
    )
    if grant.revoked_at is not None:
        sentence = _("The license was revoked on %(day)s already; nothing was changed.")
        raise GrantRevoked(sentence, day=grant.revoked_at.date())
    grant.state, grant.revoked_at = Grant.State.REVOKED, timezone.now()
    grant.save(update_fields=["state", "revoked_at"])
    status.change(name=STATUS_LIST, index=grant.status_index, status=statuslist.REVOKED)
    write_down("grant.revoked", grant, by=by, reason=reason)
    tell(News.Kind.REVOKED, grant)
    return grant


def write_down(verb: str, grant: Grant, *, by: User | Actor, **copies: object) -> None:
    """Write down what was done with a grant."""
    version = grant.version
    audit.note(
        by=by,
        verb=verb,
        about=(grant, version, version.dataset, version.dataset.organization, grant.licensee),
        version=str(version),
        licensee=grant.licensee_name,
        license=grant.offer.name,
        **copies,
    )


def tell(kind: News.Kind, grant: Grant) -> None:
    """Tell the layers above about a grant."""
    version = grant.version
    news.tell(
        News,
        kind=kind,
        dataset=version.dataset_id,
        version_id=version.pk,
        offer_id=grant.offer_id,
        grant_id=grant.pk,
    )
