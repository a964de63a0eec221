"""Whatever is done in whatever order: consent, status lists, offers, listing and access agree.

Hypothesis thinks up the orders, a small reference model says what should be.
"""

from contextlib import ExitStack, nullcontext
from datetime import date, timedelta
from unittest import mock

import pytest
from commonhold import statuslist
from commonhold.errors import CommonholdError
from django.db import transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ingestion import consent, releases, review
from ingestion.archive import recordings, versions
from ingestion.consent import coverage
from ingestion.consent.records import STATUS_LIST
from ingestion.models import ConsentRecord, Recording, Speaker, Version
from licensing import access, profiles
from licensing.models import Grant, Offer
from marketplace.models import Listing
from notary import status
from notary.models import StatusList
from tests import clock, factories, rights, sealed, trade
from tests.ingestion.reference import Edition, Given, Offered, Reference
from tests.sealed import Said

pytestmark = pytest.mark.django_db

NAMES = ("Amina", "Juma", "Zuri")
PROFILES = ("CC0-1.0", "commercial-training", "research-only")
RESEARCH = ("evaluation", "language-modeling", "research", "speech-recognition")
PURPOSES = st.sampled_from([sealed.OPEN, sealed.OPEN, sealed.TRAINING, RESEARCH])
RUNS_OUT = 30
which = st.integers(0, 30)


class World(RuleBasedStateMachine):
    """One dataset of three people, worked on in any order, beside what should become of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(transaction.set_rollback, rollback=True)
        self.dataset = sealed.dataset()
        self.by = factories.owner_of(self.dataset.organization)
        self.should = Reference(Edition(self.dataset.versions.get()))
        self.days = 0

    def teardown(self) -> None:
        self.follow()
        self.stack.close()

    def does(self, act, *, refused: bool) -> object:
        """Do something; what should be refused is refused, and changes nothing."""
        with pytest.raises(CommonholdError) if refused else nullcontext(), transaction.atomic():
            return act()
        return None

    def pick(self, among, number: int):
        """Choose one of several."""
        found = list(among)
        return found[number % len(found)]

    def draft(self) -> Edition:
        """What is worked on, begun from the newest version that stands."""
        if self.should.draft is None:
            row = versions.open_draft(dataset=self.dataset, by=self.by)
            self.should.draft = self.should.begun_from_newest(row)
            assert set(row.files.values_list("recording", flat=True)) == (
                self.should.draft.recordings
            )
            assert set(row.left_out.values_list("speaker", flat=True)) == (
                self.should.draft.left_out
            )
        return self.should.draft

    def tomorrow(self) -> date:
        """A day after all days so far, and long past."""
        self.days += 1
        return date(2025, 1, 1) + timedelta(days=self.days)

    @initialize(purposes=PURPOSES, buys=st.booleans())
    def begin(self, purposes: tuple[str, ...], buys: bool) -> None:  # noqa: FBT001 - drawn
        self.add(names={"Amina", "Juma"}, purposes=sealed.OPEN, runs_out=False)
        self.add(names={"Juma", "Zuri"}, purposes=purposes, runs_out=True)
        self.seal()
        self.offer(number=0, buys=buys)

    @rule(
        names=st.sets(st.sampled_from(NAMES), min_size=1, max_size=2),
        purposes=PURPOSES,
        runs_out=st.booleans(),
    )
    def add(self, names: set[str], purposes: tuple[str, ...], runs_out: bool) -> None:  # noqa: FBT001 - drawn
        runs_out, day = runs_out and not self.should.is_late, self.tomorrow()
        recording = sealed.add(
            self.draft().row,
            said=[Said(f"{name} speaks.", name, duration_ms=500) for name in sorted(names)],
            purposes=purposes,
            expires_on=clock.in_days(RUNS_OUT) if runs_out else None,
            day=day,
        )
        made = list(ConsentRecord.objects.filter(scopes__recording=recording).distinct())
        self.should.said[recording.pk] = {one.speaker_id for one in made}
        self.draft().recordings.add(recording.pk)
        for one in made:
            place = (recording.pk, one.speaker_id)
            given = Given(one.speaker_id, frozenset(purposes), day, place, runs_out)
            self.should.given[one.pk] = given

    @rule(number=which, purposes=PURPOSES)
    def agree_anew(self, number: int, purposes: tuple[str, ...]) -> None:
        recording, day = self.pick(self.should.said, number), self.tomorrow()
        for speaker in self.should.said[recording]:
            made = consent.record(
                speaker=Speaker.objects.get(pk=speaker),
                notice=consent.Notice("We ask again.", "en"),
                terms=consent.Terms(purposes, day, "KE"),
                stretches=[consent.Stretch(Recording.objects.get(pk=recording))],
                by=self.by,
            )
            given = Given(speaker, frozenset(purposes), day, (recording, speaker))
            self.should.given[made.pk] = given

    @precondition(lambda self: self.should.given)
    @rule(number=which, way=st.sampled_from(["record", "speaker", "void", "erase"]))
    def end(self, number: int, way: str) -> None:
        pk = self.pick(self.should.given, number)
        one, record = self.should.given[pk], ConsentRecord.objects.get(pk=pk)
        if way == "record":
            self.does(lambda: consent.withdraw(record=record, by=self.by), refused=bool(one.end))
            ended = [one]
        elif way == "speaker":
            mine = [other for other in self.should.given.values() if other.speaker == one.speaker]
            ended = [other for other in mine if not other.end]
            self.does(
                lambda: consent.withdraw_speaker(speaker=record.speaker, by=self.by),
                refused=not ended,
            )
        elif way == "void":
            refused = bool(one.end) or self.should.is_relied_on(one)
            self.does(
                lambda: consent.void(record=record, reason="Wrong.", by=self.by), refused=refused
            )
            ended = [] if refused else [one]
        else:
            consent.erase(record=record, by=self.by)
            self.should.erased.append((record.status_index, self.should.given.pop(pk)))
            ended = [one]
        for other in ended:
            self.should.end(other, way)

    @precondition(lambda self: self.should.given)
    @rule(number=which, purpose=st.sampled_from(sealed.OPEN))
    def take_back(self, number: int, purpose: str) -> None:
        pk = self.pick(self.should.given, number)
        one, record = self.should.given[pk], ConsentRecord.objects.get(pk=pk)
        refused = bool(one.end) or purpose not in one.allows
        taking = {"record": record, "purposes": [purpose], "by": self.by}
        self.does(lambda: consent.withdraw_purposes(**taking), refused=refused)
        if not refused:
            one.taken.add(purpose)
            self.should.end(one, "" if one.allows else "all taken back")

    @rule(number=which, name=st.sampled_from(NAMES))
    def leave_out_or_bring_back(self, number: int, name: str) -> None:
        speaker, draft = sealed.speaker(self.dataset, name), self.draft()
        told = {"version": draft.row, "speaker": speaker, "by": self.by}
        if speaker.pk in draft.left_out and number % 2:
            review.bring_back_speaker(**told)
            draft.left_out.remove(speaker.pk)
            return
        out = draft.left_out | {speaker.pk}
        left = self.should.published(Edition(draft.row, draft.recordings, out))
        self.does(lambda: review.leave_out_speaker(**told), refused=not left)
        draft.left_out = out if left else draft.left_out

    @rule()
    def seal(self) -> None:
        draft = self.draft()
        rests = {place: self.should.newest(place) for place in self.should.published(draft)}
        refused = not rests or None in rests.values()
        done = self.does(lambda: sealed.seal(draft.row), refused=refused)
        if not refused:
            draft.row, draft.rests = done, list(dict.fromkeys(rests.values()))
            self.should.editions.append(draft)
            self.should.draft = None
            expected = {pk for pk, one in self.should.given.items() if one in draft.rests}
            assert set(done.release_consents.values_list("record", flat=True)) == expected

    @rule(number=which, buys=st.booleans())
    def offer(self, number: int, buys: bool) -> None:  # noqa: FBT001 - drawn
        """Offer one of the newest versions in every way that there is; buy what is offered."""
        edition = self.pick(self.should.editions[-2:], number)
        for profile in PROFILES:
            wanted = profiles.get(profile).vector.purposes
            standing = [one for one in edition.offers if not one.is_closed]
            there = any(one.row.profile == profile for one in standing)
            told = {"profile": profile, "amount_minor": 0, "term_days": None}
            made = self.does(
                lambda told=told: trade.offer(edition.row, **told),
                refused=edition.is_withdrawn or there or self.should.lacks(edition, wanted),
            )
            edition.offers += [Offered(made)] if made else []
        for offer in edition.offers if buys else ():
            wanted = frozenset(offer.row.purposes)
            over = offer.is_closed or edition.is_withdrawn
            made = self.does(
                lambda offer=offer: rights.grant(offer.row),
                refused=over or self.should.lacks(edition, wanted),
            )
            offer.grants += [made] if made else []
            edition.is_relied_on = edition.is_relied_on or made is not None

    @rule(number=which)
    def take_back_a_version_or_a_recording(self, number: int) -> None:
        if number % 2:
            edition = self.pick(self.should.editions, number // 2)
            told = {"version": edition.row, "reason": "A mistake.", "by": self.by}
            self.does(lambda: releases.withdraw(**told), refused=edition.is_withdrawn)
            edition.is_withdrawn = True
            self.should.touched.add(edition)
        elif found := sorted(self.draft().recordings):
            recording = self.pick(found, number // 2)
            place = self.draft().row.files.get(recording=recording)
            recordings.remove(file=place, by=self.by)
            self.draft().recordings.remove(recording)

    @rule()
    def let_time_pass(self) -> None:
        """The day comes on which consents run out; later that is noted."""
        if self.should.is_late:
            consent.note_expired()
            self.should.note_expired()
            return
        later = timezone.now() + timedelta(days=RUNS_OUT)
        self.stack.enter_context(mock.patch("django.utils.timezone.now", return_value=later))
        self.should.is_late = True

    @rule()
    def follow(self) -> None:
        trade.follow()
        self.should.follow()
        edition, allows = self.should.listing()
        listing = Listing.objects.filter(dataset=self.dataset).first()
        assert (listing and listing.version) == (edition and edition.row)
        assert set(listing.allows if listing else ()) == allows
        self.publish_lists()

    def publish_lists(self) -> None:
        status.publish()
        rows = dict(ConsentRecord.objects.values_list("pk", "status_index"))
        listed = [(rows[pk], one) for pk, one in self.should.given.items()] + self.should.erased
        found = StatusList.objects.filter(name=STATUS_LIST).first()
        for index, one in listed:
            place = status.place_of(name=STATUS_LIST, index=index)
            assert place.uri == found.uri
            says = statuslist.read(bytes(found.statuses), place.position)
            assert says == self.should.listed(one)

    @invariant()
    def what_versions_allow_agrees(self) -> None:
        for edition in self.should.editions:
            row = Version.objects.get(pk=edition.row.pk)
            assert row.state == ("withdrawn" if edition.is_withdrawn else "sealed")
            assert row.consent_state == self.should.kept(edition)
            assert (row.relied_on_at is not None) == edition.is_relied_on
            assert coverage.state(version=row) == self.should.stands(edition)
            for purpose in sealed.OPEN:
                gap = coverage.first_gap(version=row, purposes=[purpose])
                assert (gap is not None) == self.should.lacks(edition, frozenset({purpose}))

    @invariant()
    def offers_and_access_agree(self) -> None:
        closed = dict(Offer.objects.values_list("pk", "closed_at"))
        shown = set(Offer.objects.open().values_list("pk", flat=True))
        for edition, offer in self.should.offered():
            assert (closed[offer.row.pk] is not None) == offer.is_closed
            assert (offer.row.pk in shown) == self.should.is_open(edition, offer)
            held = Grant.objects.filter(offer=offer.row).select_related("offer", "version")
            for now in access.states(grants=list(held)).values():
                assert now.license == "in-force"
                assert now.version == ("withdrawn" if edition.is_withdrawn else "sealed")
                assert now.consent == self.should.stands(edition, frozenset(offer.row.purposes))


def test_whatever_is_done_in_whatever_order_all_that_is_said_of_consent_agrees():
    run_state_machine_as_test(
        World, settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
    )
