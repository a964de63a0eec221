"""Offers: made only where consent covers every purpose, and closed again."""

from collections.abc import Sequence
from typing import Any

from commonhold import purposes as vocabulary
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from accounts.models import User
from ingestion import news
from ingestion.consent import coverage
from ingestion.consent.coverage import Lack
from ingestion.models import Version
from licensing import profiles
from licensing.models import News, Offer

BEYOND = {
    Lack.WITHDRAWN: _(
        "%(license)s allows «%(purpose)s» (%(phrase)s), but speaker %(speaker)s in «%(path)s» "
        "withdrew consent. Begin the next version without them."
    ),
    Lack.EXPIRED: _(
        "%(license)s allows «%(purpose)s» (%(phrase)s), but speaker %(speaker)s in «%(path)s» gave "
        "consent only until %(until)s. Ask the speaker again, or begin a version without them."
    ),
    Lack.EXCLUDED: _(
        "%(license)s allows «%(purpose)s» (%(phrase)s), but speaker %(speaker)s in «%(path)s» "
        "excluded it. Choose a narrower license, ask the speaker, or leave them out of the next "
        "version."
    ),
    Lack.NOT_GIVEN: _(
        "%(license)s allows «%(purpose)s» (%(phrase)s), but speaker %(speaker)s in «%(path)s» did "
        "not agree to it. Choose a narrower license, ask the speaker, or leave them out of the "
        "next version."
    ),
    Lack.TAKEN_BACK: _(
        "%(license)s allows «%(purpose)s» (%(phrase)s), but speaker %(speaker)s in «%(path)s» took "
        "it back. Choose a narrower license, or leave them out of the next version."
    ),
}


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
    """Offer a sealed version under a license profile: the first offer lists it, too.

    Raises NotSealed, UnknownProfile, InvalidTerms, OfferExists, and OfferBeyondConsent, which
    names the recording, the speaker's pseudonym and the purpose.
    """
    version = Version.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if not version.is_sealed:
        sentence = _("Version %(number)s is not sealed; only what is sealed can be offered.")
        raise NotSealed(sentence, number=version.number)
    terms = profiles.compile_terms(
        profile=profiles.get(profile), term_days=term_days, benefit_share_bps=benefit_share_bps
    )
    require_consent(
        version=version,
        purposes=terms.purposes,
        license_name=terms.profile.name,
        to_publisher=True,
    )
    offer = Offer(version=version, term_days=term_days, created_by=by, **frozen(terms))
    try:
        with transaction.atomic():
            offer.save(force_insert=True)
    except IntegrityError as error:
        sentence = _("%(version)s is offered under %(license)s already. Close that offer first.")
        raise OfferExists(sentence, version=str(version), license=terms.profile.name) from error
    write_down("offer.opened", offer, by=by)
    tell(News.Kind.OFFER_OPENED, offer)
    return offer


def frozen(terms: profiles.Terms) -> dict[str, Any]:
    """Return what an offer keeps of its terms, whatever becomes of the license profile."""
    return {
        "profile": terms.profile.slug,
        "profile_version": terms.profile.version,
        "name": str(terms.profile.name),
        "summary": str(terms.profile.summary),
        "iri": terms.profile.id,
        "spdx": terms.profile.spdx,
        "terms": terms.vector.as_json(),
        "odrl": terms.odrl,
        "terms_text": terms.text,
        "terms_sha256": terms.sha256,
        "purposes": terms.purposes,
        "benefit_share_bps": terms.vector.benefit_share_bps,
    }


def require_consent(
    *, version: Version, purposes: Sequence[str], license_name: str, to_publisher: bool = False
) -> None:
    """Raise OfferBeyondConsent for the first file whose consent lacks a purpose.

    The publisher is told the recording's name, everybody else the published file.
    """
    gap = coverage.first_gap(version=version, purposes=purposes)
    if gap is None:
        return
    raise OfferBeyondConsent(
        BEYOND[gap.lack],
        path=gap.original if to_publisher else gap.path,
        speaker=gap.pseudonym,
        purpose=gap.purpose,
        phrase=vocabulary.get(gap.purpose).phrase,
        reason=str(gap.lack),
        until=gap.until,
        license=license_name,
    )


@transaction.atomic
def close(
    *, offer: Offer, by: User | Actor, because: Offer.Closed = Offer.Closed.PUBLISHER
) -> Offer:
    """Stop new grants from an offer; grants that were made stay. Asked again, changes nothing."""
    offer = (
        Offer.objects.select_for_update(of=("self",))
        .select_related("version__dataset__organization")
        .get(pk=offer.pk)
    )
    if offer.closed_at is None:
        offer.closed_at, offer.closed_because = timezone.now(), because
        offer.save(update_fields=["closed_at", "closed_because"])
        write_down("offer.closed", offer, by=by, because=str(because))
        tell(News.Kind.OFFER_CLOSED, offer)
    return offer


def write_down(verb: str, offer: Offer, *, by: User | Actor, **copies: object) -> None:
    """Write down what was done with an offer."""
    version = offer.version
    audit.note(
        by=by,
        verb=verb,
        about=(offer, version, version.dataset, version.dataset.organization),
        version=str(version),
        license=offer.name,
        **copies,
    )


def tell(kind: News.Kind, offer: Offer) -> None:
    """Tell the layers above about an offer."""
    version = offer.version
    news.tell(News, kind=kind, dataset=version.dataset_id, version_id=version.pk, offer_id=offer.pk)
