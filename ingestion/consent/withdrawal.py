"""Ending consents: by speaker, by record or by purpose; voiding a mistake; erasing; expiring.

Each reaches every sealed version at once: in one transaction the record, what releases rest on it,
the state of those versions, the status list and the news.
"""

from collections.abc import Iterable, Sequence

from commonhold import statuslist, times
from commonhold.errors import CommonholdError
from commonhold.sentences import Sentence, _
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from accounts.models import User
from ingestion import news
from ingestion.consent.naming import forget_labels
from ingestion.consent.records import STATUS_LIST, note_event
from ingestion.models import ConsentEvent, ConsentRecord, News, ReleaseConsent, Speaker, Version
from notary import status

End = ReleaseConsent.End
MAX_REASON = 300


class ConsentEnded(CommonholdError):
    """The consent ended before, so there is nothing to end."""

    code = "consent-ended"
    status = 409


class ConsentReliedOn(CommonholdError):
    """Somebody holds a license of what rests on the record."""

    code = "consent-relied-on"
    status = 409


class ReasonMissing(CommonholdError):
    """A mistake is not struck out without a word."""

    code = "reason-missing"
    status = 422


class PurposeNotGiven(CommonholdError):
    """A purpose can't be taken back that was not given, or was taken back before."""

    code = "purpose-not-given"
    status = 422


@transaction.atomic
def withdraw(*, record: ConsentRecord, by: User | Actor) -> ConsentRecord:
    """End one consent now, in every version that rests on it. Raises ConsentEnded."""
    record = lock(record)
    require_standing(record)
    end_records([record], by=by)
    return record


@transaction.atomic
def withdraw_speaker(*, speaker: Speaker, by: User | Actor) -> list[ConsentRecord]:
    """End every consent of a speaker now, in every version. Raises ConsentEnded if none stands."""
    records = lock_standing(speaker)
    audit.note(
        by=by,
        verb="speaker.withdrawn",
        about=(speaker, speaker.dataset),
        speaker=speaker.pseudonym,
        records=len(records),
    )
    end_records(records, by=by)
    return records


@transaction.atomic
def withdraw_purposes(
    *, record: ConsentRecord, purposes: Iterable[str], by: User | Actor
) -> ConsentRecord:
    """Take single purposes of a consent back now; the last one ends it.

    Raises ConsentEnded, PurposeNotGiven.
    """
    record = lock(record)
    require_standing(record)
    narrow([record], purposes=purposes, by=by)
    return record


@transaction.atomic
def withdraw_speaker_purposes(
    *, speaker: Speaker, purposes: Iterable[str], by: User | Actor
) -> list[ConsentRecord]:
    """Take single purposes back now in every consent of a speaker that allows them.

    Returns those consents; one that allows nothing else ends. Raises ConsentEnded, PurposeNotGiven.
    """
    return narrow(lock_standing(speaker), purposes=purposes, by=by)


def narrow(
    records: Sequence[ConsentRecord], *, purposes: Iterable[str], by: User | Actor
) -> list[ConsentRecord]:
    """Take purposes back in those of a speaker's locked records that allow them; return these."""
    taken = set(purposes)
    require_given(records, purposes=taken)
    touched = [one for one in records if taken & set(one.standing_purposes)]
    hold_releases(touched)
    for record in touched:
        mine = sorted(taken & set(record.standing_purposes))
        record.withdrawn_purposes = sorted({*record.withdrawn_purposes, *mine})
        record.save(update_fields=["withdrawn_purposes"])
        ReleaseConsent.objects.filter(record=record).update(
            withdrawn_purposes=record.withdrawn_purposes
        )
        note_event(record=record, event=ConsentEvent.Type.NARROWED, by=by, purposes=mine)
        write_audit("consent.narrowed", record, by=by, purposes=mine)
    narrowed = [one for one in touched if one.standing_purposes]
    for record in narrowed:
        status.change(
            name=STATUS_LIST,
            index=record.status_index,
            status=statuslist.NARROWED,
            purposes=record.withdrawn_purposes,
        )
    end_records([one for one in touched if not one.standing_purposes], by=by)
    tell(News.Kind.CONSENT_NARROWED, narrowed)
    return touched


def require_given(records: Sequence[ConsentRecord], *, purposes: set[str]) -> None:
    """Raise PurposeNotGiven unless each of the purposes, one at least, is allowed by a record."""
    allowed = {slug for record in records for slug in record.standing_purposes}
    unknown = sorted(purposes - allowed)
    if unknown or not purposes:
        sentence = _("%(speaker)s allows %(allowed)s; choose among these what is taken back.")
        raise PurposeNotGiven(
            sentence,
            speaker=records[0].speaker.pseudonym,
            allowed=", ".join(sorted(allowed)),
            purposes=unknown,
        )


@transaction.atomic
def void(*, record: ConsentRecord, reason: str, by: User) -> ConsentRecord:
    """Strike out a record that should never have been entered, saying why.

    It is not a withdrawal: nobody changed their mind. Raises ReasonMissing, ConsentEnded, and
    ConsentReliedOn once somebody licensed what rests on it: then it can only be withdrawn.
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        sentence = _("Say in at most %(most)s characters why the record is a mistake.")
        raise ReasonMissing(sentence, field="reason", most=MAX_REASON)
    record = lock(record)
    require_standing(record)
    relied_on = [one for one in hold_releases([record]) if one.relied_on_at is not None]
    if relied_on:
        sentence = _(
            "Version %(number)s rests on this record, and others hold licenses of it. Withdraw "
            "the consent instead: that stops every use from now on."
        )
        raise ConsentReliedOn(sentence, number=relied_on[0].number)
    record.voided_at, record.void_reason = timezone.now(), reason
    record.save(update_fields=["voided_at", "void_reason"])
    note_event(record=record, event=ConsentEvent.Type.VOIDED, by=by, reason=reason)
    write_audit("consent.voided", record, by=by, reason=reason)
    end_releases([record], end=End.VOIDED)
    tell(News.Kind.CONSENT_VOIDED, [record])
    return record


@transaction.atomic
def erase(*, record: ConsentRecord, by: User) -> None:
    """Erase a consent for good: the record, its salt, and who it was if nothing else names them.

    Whatever rests on it has no consent from now on. Raises ConsentEnded if it was erased before.
    """
    record = lock(record)
    speaker = record.speaker
    note_event(record=record, event=ConsentEvent.Type.ERASED, by=by)
    write_audit("consent.erased", record, by=by)
    end_releases([record], end=End.ERASED)
    tell(News.Kind.CONSENT_ERASED, [record])
    record.delete()
    if not speaker.consent_records.exists():
        forget_labels(speaker)
        speaker.name, speaker.contact = speaker.pseudonym, ""
        speaker.save(update_fields=["name", "contact"])


def note_expired() -> int:
    """Note the consents behind releases that expired meanwhile; return how many.

    Access asks the date itself: this lets versions, status lists and listings follow.
    """
    today = times.day_of(timezone.now())
    with transaction.atomic():
        due = list(
            ReleaseConsent.objects.filter(ended="", expires_on__lte=today)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("record__speaker", "record__dataset")
            .order_by("pk")
        )
        records = list({one.record_id: one.record for one in due if one.record}.values())
        for record in records:
            write_audit("consent.expired", record, by=audit.SITE, day=str(record.expires_on))
        end_releases(records, end=End.EXPIRED)
        tell(News.Kind.CONSENT_EXPIRED, records)
    return len(due)


def lock(record: ConsentRecord) -> ConsentRecord:
    """Lock a record for its end, or raise ConsentEnded for one that was erased."""
    records = ConsentRecord.objects.select_for_update(of=("self",))
    locked = records.select_related("speaker", "dataset").filter(pk=record.pk).first()
    if locked is None:
        sentence = _("This consent of %(speaker)s was erased already; nothing was changed.")
        raise ConsentEnded(sentence, speaker=record.speaker.pseudonym)
    return locked


def lock_standing(speaker: Speaker) -> list[ConsentRecord]:
    """Lock every consent of a speaker that was not ended. Raises ConsentEnded if there is none."""
    records = list(
        speaker.consent_records.filter(withdrawn_at__isnull=True, voided_at__isnull=True)
        .select_for_update(of=("self",))
        .select_related("speaker", "dataset")
        .order_by("pk")
    )
    if not records:
        sentence = _("No consent of %(speaker)s stands any more, so nothing was changed.")
        raise ConsentEnded(sentence, speaker=speaker.pseudonym)
    return records


def hold_releases(records: Sequence[ConsentRecord]) -> list[Version]:
    """Lock what rests on locked records, and return the versions.

    Whoever offers or licenses one of them waits, or was first and will find the news. Everybody
    locks in this order: record, what rests on it, version.
    """
    resting = ReleaseConsent.objects.filter(record__in=records).order_by("pk")
    versions = {one.version_id for one in resting.select_for_update().only("version")}
    return list(Version.objects.filter(pk__in=versions).order_by("pk").select_for_update())


def require_standing(record: ConsentRecord) -> None:
    """Raise ConsentEnded for a consent that was withdrawn or voided before."""
    ended = record.withdrawn_at or record.voided_at
    if ended is None:
        return
    sentence: Sentence = _(
        "The consent of %(speaker)s was withdrawn on %(day)s already; nothing was changed."
    )
    if record.voided_at is not None:
        sentence = _(
            "This record of %(speaker)s was struck out on %(day)s as a mistake; nothing was "
            "changed."
        )
    raise ConsentEnded(sentence, speaker=record.speaker.pseudonym, day=ended.date())


def end_records(records: Sequence[ConsentRecord], *, by: User | Actor) -> None:
    """Withdraw locked records."""
    now = timezone.now()
    for record in records:
        record.withdrawn_at = now
        record.save(update_fields=["withdrawn_at"])
        note_event(record=record, event=ConsentEvent.Type.WITHDRAWN, by=by)
        write_audit("consent.withdrawn", record, by=by)
    end_releases(records, end=End.WITHDRAWN)
    tell(News.Kind.CONSENT_WITHDRAWN, records)


def end_releases(records: Sequence[ConsentRecord], *, end: ReleaseConsent.End) -> None:
    """Note on the status list, and in every release that rests on the records, how they ended."""
    hold_releases(records)
    over = statuslist.EXPIRED if end == End.EXPIRED else statuslist.WITHDRAWN
    for record in records:
        status.change(name=STATUS_LIST, index=record.status_index, status=over)
    resting = ReleaseConsent.objects.filter(record__in=records)
    overruled = Q(ended="") if end == End.EXPIRED else Q(ended__in=["", End.EXPIRED])
    versions = sorted(set(resting.filter(overruled).values_list("version_id", flat=True)))
    resting.filter(overruled).update(ended=end, ended_at=timezone.now())
    state = Version.Consent.EXPIRED if end == End.EXPIRED else Version.Consent.WITHDRAWN
    behind = Version.objects.filter(pk__in=versions)
    if end == End.EXPIRED:
        behind = behind.filter(consent_state=Version.Consent.GIVEN)
    behind.update(consent_state=state)


def tell(kind: News.Kind, records: Sequence[ConsentRecord]) -> None:
    """Tell the layers above about each version that rests on the records."""
    resting = (
        ReleaseConsent.objects.filter(record__in=records)
        .select_related("version")
        .order_by("version_id", "number")
    )
    for one in resting:
        news.of_version(version=one.version, kind=kind, record_id=one.record_id)


def write_audit(verb: str, record: ConsentRecord, *, by: User | Actor, **copies: object) -> None:
    """Write down what was done to a record, naming its speaker by the pseudonym."""
    about = (record, record.speaker, record.dataset)
    audit.note(by=by, verb=verb, about=about, speaker=record.speaker.pseudonym, **copies)
