"""Before the seal: whom which license excludes, what is open, what differs, what nobody heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion import review
from ingestion.models import Recording, Version
from ingestion.releases import outlook
from ingestion.releases.outlook import Outlook, Share
from licensing import outlook as licenses
from licensing.outlook import Block, Column
from marketplace.pages.studio import differences, lacks
from marketplace.pages.studio.access import StudioRequest, Work
from marketplace.pages.studio.stations import Facts
from marketplace.templatetags import wording

PER_PAGE = 50
MOST_UNHEARD = 20
"""Recordings of which something was not played that are named, those with the most first."""


@dataclass(frozen=True)
class Open:
    """Something that keeps a version from being sealed, and where it is dealt with."""

    sentence: str
    action: str
    href: str


def context(request: StudioRequest, work: Work, facts: Facts) -> dict[str, Any]:
    """Return what is told of a version that is not sealed yet."""
    if not facts.figures.to_process:
        return {"stage": "empty"}
    opens = left_open(work, facts)
    if not facts.figures.processed:
        return {"stage": "early", "opens": opens}
    found = outlook.of(version=work.version)
    columns = licenses.columns(outlook=found)
    return {
        "stage": "before",
        "opens": opens,
        "is_partial": bool(facts.unprocessed),
        "holding": found.holding,
        "heard": found.heard,
        "licenses": [license_row(work, found, column) for column in columns],
        "columns": columns,
        "page": Paginator(everybody(work, found, columns), PER_PAGE).get_page(
            request.GET.get("page")
        ),
        "gone": gone(work, found),
        "differences": differences.told(work),
        "unheard": unheard(work, found),
    }


def left_open(work: Work, facts: Facts) -> list[Open]:
    """Say everything that has to be done before the seal."""
    found = [*arriving(work, facts), *to_decide(work, facts)]
    if work.version.state == Version.State.PROCESSING or facts.unprocessed:
        sentence = ngettext(
            "%(count)s recording or text has not been through the machine yet.",
            "%(count)s recordings and texts have not been through the machine yet.",
            facts.unprocessed,
        )
        told = sentence % {"count": wording.number(facts.unprocessed)}
        found.append(Open(told, _("See the pipeline"), work.url("pipeline")))
    return found


def arriving(work: Work, facts: Facts) -> list[Open]:
    """Say what is still being uploaded."""
    count = facts.figures.uploads
    if not count:
        return []
    sentence = ngettext(
        "%(count)s upload is not finished. Finish it, or give it up.",
        "%(count)s uploads are not finished. Finish them, or give them up.",
        count,
    )
    told = sentence % {"count": wording.number(count)}
    return [Open(told, _("See the files"), work.url("files"))]


def to_decide(work: Work, facts: Facts) -> list[Open]:
    """Say what of the review is left."""
    return [
        Open(sentence % {"count": wording.number(count)}, _("Go to the review"), work.url("review"))
        for count, sentence in (counted(facts.left) if facts.left else ())
        if count
    ]


def counted(left: review.Progress) -> list[tuple[int, str]]:
    """Return how much of each kind is left, with its sentence."""
    findings, segments = left.open_findings, left.unreviewed_segments
    bare, unsettled = left.uncovered_segments, left.unsettled_segments
    return [
        (
            findings,
            ngettext(
                "%(count)s finding to hear and decide.",
                "%(count)s findings to hear and decide.",
                findings,
            ),
        ),
        (
            segments,
            ngettext(
                "%(count)s stretch that a person has to read.",
                "%(count)s stretches that a person has to read.",
                segments,
            ),
        ),
        (
            unsettled,
            ngettext(
                "%(count)s stretch of speech without text, or text without a place.",
                "%(count)s stretches of speech without text, or text without a place.",
                unsettled,
            ),
        ),
        (
            bare,
            ngettext(
                "%(count)s stretch that no consent covers.",
                "%(count)s stretches that no consent covers.",
                bare,
            ),
        ),
    ]


def license_row(work: Work, found: Outlook, column: Column) -> dict[str, Any]:
    """Return a license: whether it could be offered, and what it would take otherwise."""
    blockers = {block.speaker.pk: block.speaker.pseudonym for block in column.blocks}
    return {
        "profile": column.profile,
        "name": _(column.profile.name),
        "is_possible": column.is_possible,
        "blockers": sorted(blockers.values()),
        "without": outlook.without(outlook=found, speakers=blockers) if blockers else found.holding,
        "leave_url": leave_url(work, sorted(blockers)),
    }


def leave_url(work: Work, speakers: Sequence[int]) -> str:
    """Return the page that asks whether to leave speakers out."""
    query = urlencode([("speaker", key) for key in speakers])
    return f"{work.url('leave_out_speakers')}?{query}"


def everybody(work: Work, found: Outlook, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return a row for each speaker: those without a consent first, then those in the way most."""
    standing = [person(work, share, columns) for share in found.shares]
    standing.sort(key=lambda row: (row["share"].is_left_out, -row["in_the_way"]))
    return [*(person(work, share, columns, is_bare=True) for share in found.bare), *standing]


def person(
    work: Work, share: Share, columns: Sequence[Column], *, is_bare: bool = False
) -> dict[str, Any]:
    """Return a speaker: how much is theirs, and what they say to each license."""
    cells = [cell(column, column.block_of(share.speaker)) for column in columns]
    return {
        "share": share,
        "is_bare": is_bare,
        "cells": cells,
        "in_the_way": sum(bool(one["why"]) for one in cells),
        "leave_url": leave_url(work, [share.speaker.pk]),
        "bring_url": work.url("bring_back", share.speaker.pk),
    }


def cell(column: Column, block: Block | None) -> dict[str, str]:
    """Return what a speaker says to a license."""
    why = lacks.short(block.lack, block.purpose) if block else ""
    return {"license": _(column.profile.name), "why": why}


def gone(work: Work, found: Outlook) -> list[dict[str, Any]]:
    """Return who is left out and has no consent that stands: the table says nothing of them."""
    told = {share.speaker.pk for share in found.shares}
    places = work.version.left_out.exclude(speaker__in=told).select_related("speaker")
    return [
        {"speaker": one.speaker, "bring_url": work.url("bring_back", one.speaker_id)}
        for one in places.order_by("speaker__pseudonym")
    ]


def unheard(work: Work, found: Outlook) -> dict[str, Any]:
    """Return the recordings of which nobody played everything, with where to hear the rest."""
    missing = {pk: heard for pk, heard in found.heard_in.items() if heard.unheard_ms}
    worst = sorted(missing, key=lambda pk: -missing[pk].unheard_ms)[:MOST_UNHEARD]
    known: dict[int, Recording] = {scene.recording.pk: scene.recording for scene in found.stage}
    return {
        "rows": [
            {
                "recording": known[pk],
                "heard": missing[pk],
                "url": f"{work.url('recording', pk)}?show=all",
            }
            for pk in worst
        ],
        "more": max(0, len(missing) - MOST_UNHEARD),
    }
