"""The one thing to do next about a version, whatever its state."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion.models import Version
from ingestion.review import Progress
from marketplace.pages.studio import stations
from marketplace.pages.studio.access import Work
from marketplace.pages.studio.stations import Facts
from marketplace.templatetags import wording

MOST_NAMED = 3
"""Speakers that a button names; of more it says the number."""


@dataclass(frozen=True)
class Step:
    """What to do now: a sentence, and the one button for it."""

    sentence: str
    action: str
    href: str
    posts: bool = False


def choose(work: Work, facts: Facts) -> Step:
    """Choose the one thing that a contributor does next."""
    match work.version.state:
        case Version.State.DRAFT:
            return of_draft(work, facts)
        case Version.State.PROCESSING:
            return of_processing(work, facts)
        case Version.State.REVIEW:
            return of_review(work, facts)
        case Version.State.SEALED if work.version.consent_state == Version.Consent.GIVEN:
            return of_sealed(work, facts)
        case _:
            return of_ended(work, facts)


def of_draft(work: Work, facts: Facts) -> Step:
    """Choose between adding files, recording consent and starting."""
    found = facts.figures
    if not found.files:
        return Step(
            _("Add the recordings, each with the transcript of the same name if you have one."),
            _("Add files"),
            work.url("files"),
        )
    if found.uploads:
        sentence = ngettext(
            "One upload is not finished. Choose the same file again to go on where it stopped.",
            "%(count)s uploads are not finished. Choose the same files again to go on where they "
            "stopped.",
            found.uploads,
        )
        told = sentence % {"count": wording.number(found.uploads)}
        return Step(told, _("Finish the uploads"), work.url("files"))
    if facts.uncovered:
        sentence = ngettext(
            "No consent lies over the recording or text in it.",
            "No consent lies over %(count)s of %(total)s recordings and texts.",
            len(facts.strips),
        )
        told = sentence % {
            "count": wording.number(len(facts.uncovered)),
            "total": wording.number(len(facts.strips)),
        }
        return Step(told, _("Record consent"), work.url("consent"))
    if facts.left is not None:
        return carried_over(work, facts.left)
    return Step(
        _(
            "Everything is here. Start the machine: it writes down, looks for personal data and "
            "scrubs."
        ),
        _("Start processing"),
        work.url("start"),
        posts=True,
    )


def carried_over(work: Work, left: Progress) -> Step:
    """Say what to do with a draft that needs no machine."""
    if left.is_complete:
        sentence = _(
            "Everything in it was processed and decided before. Add or remove what you like; then "
            "look at what would be sealed."
        )
        return Step(sentence, _("Go on to the seal"), work.url("seal"))
    sentence = _("Everything in it was processed before. Left to do: %(what)s.")
    told = sentence % {"what": stations.to_do(left)}
    return Step(told, _("Go to the review"), work.url("review"))


def of_processing(work: Work, facts: Facts) -> Step:
    """Choose between waiting and dealing with what stopped."""
    if facts.figures.stopped:
        sentence = _("«%(path)s» could not be processed. Try it again, or take it out.")
        told = sentence % {"path": facts.figures.stopped}
        return Step(told, _("See what stopped"), work.url("pipeline"))
    return Step(
        _("The machine writes down, looks for personal data and scrubs. You can leave this page."),
        _("Watch it work"),
        work.url("pipeline"),
    )


def of_review(work: Work, facts: Facts) -> Step:
    """Choose between hearing, finishing and waiting for the seal."""
    if facts.left is None and facts.figures.stopped:
        sentence = _("Your decisions could not be applied to «%(path)s». Try it again.")
        told = sentence % {"path": facts.figures.stopped}
        return Step(told, _("See what stopped"), work.url("seal"))
    if facts.left is None:
        sentence = _("Your decisions are being applied; then the version is sealed.")
        return Step(sentence, _("Watch it"), work.url("seal"))
    if facts.left.is_complete:
        sentence = _("Nothing is left to decide. Look at what would be sealed, and seal it.")
        return Step(sentence, _("Go on to the seal"), work.url("seal"))
    sentence = _("Hear what was found, and decide: %(what)s.")
    told = sentence % {"what": stations.to_do(facts.left)}
    return Step(told, _("Review"), work.url("review"))


def of_sealed(work: Work, facts: Facts) -> Step:
    """Choose between offering a license and looking at what is published."""
    number = {"number": work.version.number}
    if not facts.figures.offers:
        sentence = _(
            "Version %(number)s is sealed, and nobody else sees it yet. Choose who may use it, for "
            "what, and for how much."
        )
        if facts.figures.was_offered:
            sentence = _(
                "Version %(number)s is sealed, and nothing of it is offered now. Choose who may "
                "use it, for what, and for how much."
            )
        return Step(sentence % number, _("Offer a license"), work.url("offers"))
    sentence = _("Version %(number)s is published and can be licensed.")
    return Step(sentence % number, _("See the public page"), work.public_url())


def of_ended(work: Work, facts: Facts) -> Step:
    """Say why a sealed version can't be licensed any more, and how it goes on."""
    number = {"number": work.version.number, "next": work.version.number + 1}
    href = work.url("open_version")
    if work.version.state == Version.State.WITHDRAWN:
        sentence = _("Version %(number)s is withdrawn: nobody can license it any more.")
        return Step(sentence % number, _("Begin version %(next)s") % number, href)
    people = without(facts.figures.ended_speakers)
    sentence = _(
        "A consent that version %(number)s rests on was withdrawn or ran out: nobody can license "
        "or download it any more. Begin version %(next)s without %(people)s; nobody else is asked "
        "again."
    )
    action = _("Begin version %(next)s without %(people)s")
    told = number | {"people": people}
    return Step(sentence % told, action % told, href)


def without(pseudonyms: Sequence[str]) -> str:
    """Name a few people, or say how many there are."""
    if len(pseudonyms) <= MOST_NAMED:
        return ", ".join(pseudonyms)
    sentence = ngettext("%(count)s speaker", "%(count)s speakers", len(pseudonyms))
    return sentence % {"count": wording.number(len(pseudonyms))}
