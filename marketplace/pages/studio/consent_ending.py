"""Recording that a speaker withdraws, all or in part, and striking out what was a mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from ingestion import consent
from ingestion.models import ConsentRecord, Speaker
from marketplace.pages.studio import consent_reach, consent_words, frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.consent_forms import PurposesForm, VoidForm
from marketplace.pages.studio.consent_words import find_record, find_speaker
from marketplace.tasks import follow_news_task
from marketplace.templatetags import wording


@dataclass(frozen=True)
class Case:
    """Whose consent may end: one record of theirs, or all of them."""

    work: Work
    speaker: Speaker
    record: ConsentRecord | None
    """None for all."""
    standing: list[ConsentRecord]
    """What is not ended yet."""

    @classmethod
    def of_record(cls, work: Work, record: ConsentRecord) -> "Case":
        """Return the case of one record."""
        standing = [] if consent_words.is_ended(record) else [record]
        return cls(work=work, speaker=record.speaker, record=record, standing=standing)

    @classmethod
    def of_speaker(cls, work: Work, speaker: Speaker) -> "Case":
        """Return the case of every record of a speaker."""
        records = consent_words.records_of(speaker)
        standing = [one for one in records if not consent_words.is_ended(one)]
        return cls(work=work, speaker=speaker, record=None, standing=standing)

    def url(self, *, of_record: str, of_speaker: str) -> str:
        """Return the address of the page about the record, or the one about the speaker."""
        if self.record:
            return self.work.url(of_record, self.record.pk)
        return self.work.url(of_speaker, self.speaker.pk)

    @property
    def back_url(self) -> str:
        """Where the reader came from."""
        return self.url(of_record="consent_record", of_speaker="speaker")

    def end(self, *, by: User) -> str:
        """Record the withdrawal of all of it, and say so. Raises ConsentEnded."""
        if self.record:
            consent.withdraw(record=self.record, by=by)
            sentence = _(
                "The consent of %(speaker)s is withdrawn. Nothing that rests on it is given out "
                "any more."
            )
        else:
            consent.withdraw_speaker(speaker=self.speaker, by=by)
            sentence = _(
                "Everything that %(speaker)s agreed to is withdrawn. Nothing that rests on it is "
                "given out any more."
            )
        return sentence % {"speaker": self.speaker.pseudonym}

    def narrow(self, *, purposes: Sequence[str], by: User) -> str:
        """Record that some purposes are taken back, and say so.

        Raises ConsentEnded, PurposeNotGiven.
        """
        if self.record:
            consent.withdraw_purposes(record=self.record, purposes=purposes, by=by)
        else:
            consent.withdraw_speaker_purposes(speaker=self.speaker, purposes=purposes, by=by)
        sentence = _(
            "%(speaker)s took back: %(purposes)s. Nothing that needs it is given out any more."
        )
        told = {"speaker": self.speaker.pseudonym, "purposes": wording.purposes(purposes)}
        return sentence % told

    def context(self) -> dict[str, Any]:
        """Return what every page about the case tells."""
        others = self.speaker.consent_records.filter(withdrawn_at=None, voided_at=None)
        return {
            "speaker": self.speaker,
            "speaker_url": self.work.url("speaker", self.speaker.pk),
            "record": self.record,
            "standing": self.standing,
            "others": others.exclude(pk__in=[one.pk for one in self.standing]).count(),
            "touched": consent_reach.touched(consent_reach.resting_on(self.standing)),
            "back_url": self.back_url,
            "whole_url": self.url(of_record="withdraw", of_speaker="withdraw_speaker"),
            "narrow_url": self.url(
                of_record="withdraw_purposes", of_speaker="withdraw_speaker_purposes"
            ),
            "everything_url": self.work.url("withdraw_speaker", self.speaker.pk),
        }


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def withdraw(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Say what the withdrawal of one consent binds and what it can't; on POST, record it."""
    return whole(request, Case.of_record(work, find_record(work, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def withdraw_speaker(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Say what the withdrawal of everything binds and what it can't; on POST, record it."""
    return whole(request, Case.of_speaker(work, find_speaker(work, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def withdraw_purposes(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Ask which purposes of one consent are taken back; on POST, record it."""
    return some(request, Case.of_record(work, find_record(work, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def withdraw_speaker_purposes(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Ask which purposes a speaker takes back in all their consents; on POST, record it."""
    return some(request, Case.of_speaker(work, find_speaker(work, pk)))


def whole(request: StudioRequest, case: Case) -> HttpResponse:
    """Ask about a withdrawal; on POST, record it."""
    error = None
    if request.method == "POST":
        try:
            sentence = case.end(by=request.user)
        except CommonholdError as refusal:
            error = refusal
        else:
            return done(request, case, sentence)
    template = "pages/studio/withdraw.html"
    return frame.page(request, case.work, "consent", case.context(), template=template, error=error)


def some(request: StudioRequest, case: Case) -> HttpResponse:
    """Ask which purposes are taken back; on POST, record it."""
    context = case.context()
    allowed = {slug for one in case.standing for slug in one.standing_purposes}
    choices = consent_reach.choices(allowed, reached=context["touched"])
    form = PurposesForm(sent(request), allowed=choices)
    template, status, error = "pages/studio/withdraw_purposes.html", 200, None
    if request.method == "POST" and form.is_valid():
        try:
            sentence = case.narrow(purposes=form.cleaned_data["purposes"], by=request.user)
        except CommonholdError as refusal:
            error = refusal
        else:
            return done(request, case, sentence)
    elif request.method == "POST":
        status = 422
    context |= {"form": form, "status": status}
    return frame.page(request, case.work, "consent", context, template=template, error=error)


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def void(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Say how a mistake differs from a withdrawal and ask for the reason; on POST, strike out."""
    record = find_record(work, pk)
    case = Case.of_record(work, record)
    form = VoidForm(sent(request))
    status, error = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            consent.void(record=record, by=request.user, **form.cleaned_data)
        except CommonholdError as refusal:
            error = refusal
        else:
            sentence = _("The record of %(speaker)s is struck out as a mistake.")
            return done(request, case, sentence % {"speaker": case.speaker.pseudonym})
    elif request.method == "POST":
        status = 422
    context = case.context()
    relied_on = [one.version.number for one in context["touched"] if one.version.relied_on_at]
    context |= {"form": form, "status": status, "relied_on": relied_on[:1]}
    template = "pages/studio/consent_void.html"
    return frame.page(request, work, "consent", context, template=template, error=error)


def sent(request: StudioRequest) -> QueryDict | None:
    """Return what was sent, or None for a form that was not filled in yet."""
    return request.POST if request.method == "POST" else None


def done(request: StudioRequest, case: Case, sentence: str) -> HttpResponse:
    """Have what rests on a consent follow its end, and say so."""
    follow_news_task.delay_on_commit()
    messages.success(request, sentence)
    return redirect(case.back_url)
