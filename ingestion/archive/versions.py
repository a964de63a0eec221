"""Versions: beginning one from the last, discarding a draft, and moving on when work is done."""

from collections.abc import Iterable

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from accounts import audit
from accounts.models import User
from ingestion.archive import quotas
from ingestion.models import (
    Dataset,
    File,
    LeftOut,
    PipelineRun,
    Recording,
    Speaker,
    Upload,
    Version,
)


class VersionClosed(CommonholdError):
    """The version is past the point where this can change."""

    code = "version-closed"
    status = 409


class CarryOverRefused(CommonholdError):
    """A version can't begin from the one that was named."""

    code = "carry-over-refused"
    status = 409


@transaction.atomic
def open_draft(
    *,
    dataset: Dataset,
    by: User,
    begin_from: Version | None = None,
    without: Iterable[Speaker] = (),
) -> Version:
    """Return the version that is being worked on, or begin the next one.

    A new version begins from the newest sealed one, or from the sealed one that is named: with its
    recordings, and so with their results, decisions, corrections and consents, and with the same
    speakers left out. `without` leaves more out. Raises QuotaExceeded, and CarryOverRefused, also
    for an open version that did not begin as is asked for now.
    """
    out = set(without)
    # Whoever adds something to the dataset meanwhile is not in the way (no_key).
    dataset = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    current = dataset.versions.open().first()
    if current is not None:
        require_begun_so(current, begin_from=begin_from, without=out)
        return current
    if begin_from is not None:
        require_sealed(begin_from, dataset=dataset)
    start = begin_from or dataset.versions.newest_sealed()
    quotas.require(organization=dataset.organization, kind=quotas.Kind.DRAFTS)
    last = dataset.versions.aggregate(last=Max("number"))["last"] or 0
    draft = Version.objects.create(
        dataset=dataset, number=last + 1, begun_from=start, created_by=by
    )
    require_ours(out, dataset=dataset)
    if start is not None:
        carry_over(draft=draft, start=start, by=by)
        out |= {one.speaker for one in start.left_out.select_related("speaker")}
    LeftOut.objects.bulk_create(LeftOut(version=draft, speaker=one, by=by) for one in out)
    audit.note(
        by=by,
        verb="version.opened",
        about=(draft, dataset, dataset.organization),
        version=str(draft),
        begun_from=start.number if start else None,
        without=sorted(one.pseudonym for one in out),
    )
    return draft


def require_begun_so(
    current: Version, *, begin_from: Version | None, without: Iterable[Speaker]
) -> None:
    """Raise CarryOverRefused if an open version is not what is asked for."""
    is_same = begin_from is None or current.begun_from_id == begin_from.pk
    out = set(current.left_out.values_list("speaker_id", flat=True))
    if is_same and {one.pk for one in without} <= out:
        return
    sentence = _(
        "Version %(number)s is open already and began otherwise. Discard it first, or leave "
        "speakers out of it where it is."
    )
    raise CarryOverRefused(sentence, number=current.number)


def require_ours(speakers: Iterable[Speaker], *, dataset: Dataset) -> None:
    """Raise CarryOverRefused for somebody who is not heard in the dataset."""
    for one in speakers:
        if one.dataset_id != dataset.pk:
            sentence = _("%(speaker)s is a speaker of another dataset.")
            raise CarryOverRefused(sentence, speaker=one.pseudonym)


def require_sealed(start: Version, *, dataset: Dataset) -> None:
    """Raise CarryOverRefused unless a version of the dataset can begin from this one."""
    if start.dataset_id != dataset.pk:
        sentence = _("«%(version)s» is a version of another dataset.")
        raise CarryOverRefused(sentence, version=str(start))
    if start.state == Version.State.WITHDRAWN:
        sentence = _(
            "Version %(number)s was withdrawn, so no version begins from it. Begin from another "
            "sealed version, or with nothing and add the recordings that may stay."
        )
        raise CarryOverRefused(sentence, number=start.number)
    if not start.is_sealed:
        sentence = _("Version %(number)s is not sealed, so nothing can be carried over from it.")
        raise CarryOverRefused(sentence, number=start.number)


def carry_over(*, draft: Version, start: Version, by: User) -> None:
    """Give each recording of a sealed version a place in a draft; erased ones stay behind.

    What was never looked through for speech that the text leaves out has to be processed again.
    """
    File.objects.bulk_create(
        File(
            version=draft,
            recording_id=place.recording_id,
            key=place.key,
            final_id=place.final_id,
            added_by=by,
        )
        for place in start.files.filter(recording__erased_at__isnull=True).order_by("pk")
    )
    unheard = PipelineRun.objects.unheard()
    Recording.objects.filter(files__version=draft, intake__in=unheard).update(intake=None)


@transaction.atomic
def discard(*, version: Version, by: User) -> None:
    """Delete a version that is still open, with the recordings that are `alone_in` it.

    Raises VersionClosed.
    """
    version = lock_open(version.pk)
    dataset = version.dataset
    audit.note(
        by=by,
        verb="version.discarded",
        about=(version, dataset, dataset.organization),
        version=str(version),
        recordings=version.files.count(),
    )
    alone = list(alone_in(version).values_list("pk", flat=True))
    lock_uploads(version.uploads.all())
    version.delete()
    forget(alone)


def alone_in(version: Version) -> QuerySet[Recording]:
    """Return the recordings that no other version has a place for, and nothing sealed names.

    What was removed is among them: it could be put back until its version ended.
    """
    others = File.objects.filter(version__dataset=version.dataset_id).exclude(version=version)
    bare = version.dataset.recordings.filter(erased_at__isnull=True, release_files__isnull=True)
    return bare.exclude(pk__in=others.values("recording"))


def lock_uploads(uploads: QuerySet[Upload]) -> None:
    """Let no part of these arrive any more. Whoever completes one locks its version first, too."""
    list(uploads.order_by("pk").select_for_update())


def forget(recordings: Iterable[int]) -> None:
    """Delete recordings that no version has a place for, with all that was made of them.

    What was made of a recording with a transcript that goes does not count any more.
    """
    gone = Recording.objects.filter(pk__in=list(recordings))
    Recording.objects.filter(Q(pk__in=gone) | Q(transcript__in=gone)).update(
        transcript=None, intake=None
    )
    gone.delete()


def lock_open(version_id: int) -> Version:
    """Lock a version that can still change, or raise VersionClosed."""
    version = (
        Version.objects.select_for_update(of=("self",))
        .select_related("dataset__organization")
        .get(pk=version_id)
    )
    if not version.is_in_hand:
        sentence = _("Version %(number)s is sealed or about to be; it stays as it is.")
        raise VersionClosed(sentence, number=version.number)
    return version


def lock_draft(version_id: int) -> Version:
    """Lock a version that takes recordings, or raise VersionClosed."""
    version = lock_open(version_id)
    if version.state != Version.State.DRAFT:
        sentence = _("Version %(number)s takes no more files: it is %(state)s.")
        raise VersionClosed(sentence, number=version.number, state=said(version))
    return version


STATES = {
    Version.State.DRAFT: _("a draft"),
    Version.State.PROCESSING: _("being processed"),
    Version.State.REVIEW: _("in review"),
    Version.State.SEALED: _("sealed"),
    Version.State.WITHDRAWN: _("withdrawn"),
}


def said(version: Version) -> str:
    """Say where a version stands, as words after “it is”."""
    return STATES[Version.State(version.state)]


def settle(*, version: Version) -> None:
    """Move a processing version on: to review once everything is processed, back when empty.

    The caller holds the version's lock.
    """
    if version.state != Version.State.PROCESSING:
        return
    places = version.files.to_process()
    if not places.exists():
        version.state = Version.State.DRAFT
    elif not places.filter(recording__intake__isnull=True).exists():
        version.state = Version.State.REVIEW
    else:
        return
    version.save(update_fields=["state"])
