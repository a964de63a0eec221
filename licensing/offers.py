"""Offers: made only where consent covers every purpose, and closed again."""

from commonhold import purposes as vocabulary
from commonhold.errors import CommonholdError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from ingestion import coverage
from ingestion.models import Version
from licensing import profiles
from licensing.models import Offer


class OfferBeyondConsent(CommonholdError):
    """The license would allow what a speaker did not agree to."""

    code = "offer-beyond-consent"
    status = 409


class OfferExists(CommonholdError):
    """The version is offered under this license already."""

    code = "offer-exists"
    status = 409


class NotSealed(CommonholdError):
    """Only a sealed version can be offered."""

    code = "not-sealed"
    status = 409


class OfferClosed(CommonholdError):
    """The offer can no longer be taken up."""

    code = "offer-closed"
    status = 409


@transaction.atomic
def make(
    *,
    version: Version,
    profile: str,
    by: User,
    term_days: int | None = None,
    benefit_share_bps: int | None = None,
) -> Offer:
    """Offer a sealed version under a license profile.

    Raises NotSealed, UnknownProfile, InvalidTerms, OfferExists, and OfferBeyondConsent, which
    names the file, the speaker's pseudonym and the purpose.
    """
    version = Version.objects.select_for_update().get(pk=version.pk)
    if not version.is_sealed:
        message = f"Version {version.number} is not sealed yet; only what is sealed can be offered."
        raise NotSealed(message)
    terms = profiles.compile_terms(
        profile=profiles.get(profile), term_days=term_days, benefit_share_bps=benefit_share_bps
    )
    name = terms.profile.name
    require_consent(version=version, purposes=terms.purposes, license_name=name, to_publisher=True)
    try:
        with transaction.atomic():
            return Offer.objects.create(
                version=version,
                profile=terms.profile.slug,
                profile_version=terms.profile.version,
                terms=terms.vector.as_json(),
                odrl=terms.odrl,
                terms_text=terms.text,
                terms_sha256=terms.sha256,
                purposes=terms.purposes,
                term_days=term_days,
                benefit_share_bps=terms.vector.benefit_share_bps,
                created_by=by,
            )
    except IntegrityError as error:
        message = f"{version} is offered under {name} already. Close that offer first."
        raise OfferExists(message) from error


def require_consent(
    *, version: Version, purposes: list[str], license_name: str, to_publisher: bool = False
) -> None:
    """Raise OfferBeyondConsent for the first file whose consent lacks a purpose.

    The publisher is told the original's name, everybody else the published one.
    """
    gap = coverage.first_gap(version=version, purposes=purposes)
    if gap is None:
        return
    path = gap.original if to_publisher else gap.path
    phrase = vocabulary.get(gap.purpose).phrase
    message = (
        f"{license_name} allows «{gap.purpose}» ({phrase}), but speaker "
        f"{gap.pseudonym} in «{path}» "
        f"{gap.reason}. Choose a narrower license, or ask the speaker."
    )
    raise OfferBeyondConsent(
        message, path=path, speaker=gap.pseudonym, purpose=gap.purpose, reason=gap.reason
    )


@transaction.atomic
def close(*, offer: Offer, by: User) -> Offer:  # noqa: ARG001 - the actor of every transition
    """Stop new grants from an offer; grants that were made stay. Asked again, changes nothing."""
    offer = Offer.objects.select_for_update().get(pk=offer.pk)
    if offer.closed_at is None:
        offer.closed_at = timezone.now()
        offer.save(update_fields=["closed_at"])
    return offer
