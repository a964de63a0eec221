"""Beginning the next version: from which sealed one, and without whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ingestion.archive import versions
from ingestion.consent import coverage
from ingestion.models import ConsentRecord, ReleaseConsent, Speaker, Version
from marketplace.pages.studio import frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.templatetags import wording

End = ReleaseConsent.End
ENDED = {
    End.WITHDRAWN: gettext_lazy("withdrew consent on %(day)s"),
    End.VOIDED: gettext_lazy("the consent was struck out as a mistake on %(day)s"),
    End.ERASED: gettext_lazy("the consent was erased on %(day)s"),
    End.EXPIRED: gettext_lazy("the consent ran out on %(day)s"),
}


@dataclass(frozen=True)
class Person:
    """Somebody who is heard in the sealed version that the next one begins from."""

    pk: int
    pseudonym: str
    clips: int
    ended: str
    """How their consent ended; empty while it holds, or they gave another one since."""
    narrowed: str
    """The purposes that they took back."""
    is_chosen: bool
    """Whether they are proposed to be left out."""


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def begin(request: StudioRequest, work: Work) -> HttpResponse:
    """Say what the next version begins with, and ask without whom; on POST, begin it."""
    sent = request.POST if request.method == "POST" else request.GET
    start = start_of(work, sent)
    try:
        if start:
            versions.require_sealed(start, dataset=work.dataset)
    except CommonholdError as error:
        newest = work.dataset.versions.newest_sealed()
        return page(request, work, newest, chosen=wanted(sent), error=error)
    if request.method != "POST":
        return page(request, work, start, chosen=wanted(sent))
    people = list(work.dataset.speakers.filter(pk__in=wanted(sent)).order_by("pseudonym"))
    try:
        draft = versions.open_draft(
            dataset=work.dataset, by=request.user, begin_from=start, without=people
        )
    except CommonholdError as error:
        return page(request, work, start, chosen=wanted(sent), error=error)
    messages.success(request, begun(draft, people))
    return redirect(work.url())


def start_of(work: Work, sent: QueryDict) -> Version | None:
    """Return the version that is asked for, or the newest sealed one; None if there is none."""
    found, number = work.dataset.versions, sent.get("from", "")
    named = found.filter(number=int(number)).first() if number.isdecimal() else None
    return named or found.newest_sealed()


def wanted(sent: QueryDict) -> set[int]:
    """Return the primary keys of the speakers that were chosen."""
    return {int(key) for key in sent.getlist("without") if key.isdecimal()}


def begun(draft: Version, people: Sequence[Speaker]) -> str:
    """Say that a version is open, and what it holds."""
    told = {"number": draft.number, "people": ", ".join(one.pseudonym for one in people)}
    if draft.begun_from is None:
        return _("Version %(number)s is open.") % told
    sentence = _(
        "Version %(number)s is open, with everything that version %(start)s holds. Version "
        "%(start)s stays as it is beside it."
    )
    if people:
        sentence = _(
            "Version %(number)s is open, with what version %(start)s holds, without %(people)s. "
            "Version %(start)s stays as it is beside it."
        )
    return sentence % (told | {"start": draft.begun_from.number})


def page(
    request: StudioRequest,
    work: Work,
    start: Version | None,
    *,
    chosen: set[int],
    error: CommonholdError | None = None,
) -> HttpResponse:
    """Render the question; `chosen` are proposed to be left out, and whose consent ended."""
    found = people_of(start, chosen) if start else []
    context = {
        "start": start,
        "number": next_number(work),
        "others": work.dataset.versions.sealed().exclude(pk=start.pk).order_by("-number")
        if start
        else [],
        "ended": [one for one in found if one.ended or one.narrowed or one.is_chosen],
        "standing": [one for one in found if not (one.ended or one.narrowed or one.is_chosen)],
        "stay_out": start.left_out.select_related("speaker").order_by("speaker__pseudonym")
        if start
        else [],
        "begin_url": work.url("open_version"),
        "discard_url": work.url("discard"),
    }
    template = "pages/studio/next_version.html"
    return frame.page(request, work, "overview", context, template=template, error=error)


def next_number(work: Work) -> int:
    """Return the number of the version that would be begun."""
    return work.version.number + 1


def people_of(start: Version, chosen: set[int]) -> list[Person]:
    """Return everybody who is heard in a sealed version, by pseudonym."""
    consents = (
        start.release_consents.exclude(speaker__isnull=True)
        .annotate(clips=Count("files"))
        .order_by("pseudonym", "number")
    )
    rows: dict[int, list[ReleaseConsent]] = {}
    for one in consents:
        rows.setdefault(one.speaker_id or 0, []).append(one)
    anew = agreed_again(rows)
    return [person(pk, found, anew=pk in anew, chosen=chosen) for pk, found in rows.items()]


def agreed_again(speakers: Iterable[int]) -> set[int]:
    """Return those of some speakers of whom a consent is in force now."""
    standing = ConsentRecord.objects.in_force().filter(speaker__in=list(speakers))
    return set(standing.values_list("speaker_id", flat=True))


def person(pk: int, rows: Sequence[ReleaseConsent], *, anew: bool, chosen: set[int]) -> Person:
    """Return somebody with what became of their consents."""
    fallen = [one for one in rows if coverage.has_ended(one, timezone.now())]
    narrowed = sorted({slug for one in rows for slug in one.withdrawn_purposes})
    ended = how_ended(fallen[-1]) if fallen and not anew else ""
    return Person(
        pk=pk,
        pseudonym=rows[0].pseudonym,
        clips=sum(one.clips for one in rows),  # type: ignore[attr-defined]  # an annotation's name
        ended=ended,
        narrowed="" if ended else wording.purposes(narrowed),
        is_chosen=bool(ended) or pk in chosen,
    )


def how_ended(one: ReleaseConsent) -> str:
    """Say how and when a consent ended."""
    day = one.ended_at or one.expires_on
    sentence = ENDED[End(one.ended or End.EXPIRED)]
    return sentence % {"day": wording.day(day) if day else ""}
