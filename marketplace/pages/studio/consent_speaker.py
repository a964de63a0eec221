"""A speaker's page: all their consents, where they are heard, and what rests on them."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from ingestion.models import ReleaseFile, Speaker
from marketplace.pages.studio import consent_reach, consent_words, frame, home
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors

PER_PAGE = 20


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Show a speaker whole."""
    speaker = consent_words.find_speaker(work, pk)
    records = consent_words.records_of(speaker)
    counted = [one for one in records if not one.voided_at]
    heard = Paginator(consent_words.heard_in(counted), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "speaker": speaker,
        "state": consent_words.state_of_all(records),
        "allowed": consent_words.Allowed.by(records),
        "records": [
            {
                "record": one,
                "state": consent_words.state(one),
                "more": one.files - 1,  # type: ignore[attr-defined]  # an annotation's name
                "url": work.url("consent_record", one.pk),
            }
            for one in records
        ],
        "can_end": any(not consent_words.is_ended(one) for one in records),
        "releases": releases_of(work, speaker),
        "heard": heard,
        "places": consent_words.places(list(heard), records=counted),
        "withdraw_url": work.url("withdraw_speaker", speaker.pk),
        "narrow_url": work.url("withdraw_speaker_purposes", speaker.pk),
    }
    return frame.page(
        request, work, "consent", context, template="pages/studio/consent_speaker.html"
    )


def releases_of(work: Work, speaker: Speaker) -> list[dict[str, Any]]:
    """Return the sealed versions that a speaker is heard in, the newest first."""
    published = ~Q(release_consents__files__file__kind=ReleaseFile.Kind.DESCRIPTION)
    versions = work.dataset.versions.filter(release_consents__speaker=speaker).annotate(
        clips=Count("release_consents__files__file", filter=published, distinct=True)
    )
    return [
        {"touched": one, **home.state(one.version)}
        for one in consent_reach.touched(versions.order_by("-number"))
    ]
