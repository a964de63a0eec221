"""Recordings: adding one, its place in a version, its transcript, removing and erasing it."""

from pathlib import PurePosixPath
from typing import Any

from commonhold.errors import CommonholdError
from commonhold.paths import path_key
from commonhold.sentences import _
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts import audit
from accounts.models import User
from ingestion.archive import languages, versions
from ingestion.archive.formats import media
from ingestion.models import (
    Blob,
    Decision,
    File,
    Finding,
    PipelineRun,
    Recording,
    Segment,
    StepRun,
    Version,
)

TRANSCRIPT_ORDER = (".jsonl", ".csv", ".vtt", ".srt", ".txt")


class PathTaken(CommonholdError):
    """The version has a recording here, or one that some systems would take for it."""

    code = "path-taken"
    status = 409


class RecordingInUse(CommonholdError):
    """Something still stands on the recording."""

    code = "recording-in-use"
    status = 409


class OriginalErased(CommonholdError):
    """What was said of a run about the original, once that is erased."""

    code = "original-erased"
    status = 410


def add(*, version: Version, name: str, blob: Blob, info: media.MediaInfo, by: User) -> Recording:
    """Give bytes that were kept their name in a draft. The caller holds its lock.

    The very recording that the dataset knows already, and that was taken out of this version or
    never was in it, comes back with all that was made of it. Raises PathTaken.
    """
    require_free_name(version=version, name=name)
    known = version.dataset.recordings.filter(
        name=name, blob_id=blob.pk, erased_at__isnull=True
    ).first()
    recording = known or Recording.objects.create(
        dataset=version.dataset,
        kind=Recording.Kind.AUDIO if info.kind == "audio" else Recording.Kind.DOCUMENT,
        name=name,
        name_key=path_key(name),
        blob=blob,
        media_type=info.media_type,
        duration_ms=info.duration_ms,
        added_by=by,
    )
    place(version=version, recording=recording, by=by)
    audit.note(
        by=by,
        verb="recording.added",
        about=(recording, version, version.dataset),
        recording=recording.pk,
        version=str(version),
        sha256=blob.pk,
    )
    pair_transcripts(version=version)
    return recording


def place(*, version: Version, recording: Recording, by: User) -> File:
    """Give a recording its place in a version. Raises PathTaken."""
    try:
        with transaction.atomic():
            return File.objects.create(
                version=version, recording=recording, key=recording.name_key, added_by=by
            )
    except IntegrityError as error:
        raise name_taken(recording.name, recording.name) from error


def require_free_name(*, version: Version, name: str) -> None:
    """Raise PathTaken if the version has a recording of this name, or a twin of it."""
    twin = version.files.filter(key=path_key(name)).select_related("recording").first()
    if twin is not None:
        raise name_taken(name, twin.recording.name)


def name_taken(name: str, twin: str) -> PathTaken:
    """Make the refusal of a second recording of one name, naming both."""
    sentence = _("«%(path)s» is in this version already. Remove it first, or choose another name.")
    if twin != name:
        sentence = _(
            "«%(path)s» and «%(taken_by)s» are one file on some systems. Choose another name."
        )
    return PathTaken(sentence, path=name, taken_by=twin)


def pair_transcripts(*, version: Version) -> None:
    """Tie each recording to the text of the same name beside it, if there is one.

    A recording that was processed without it is processed again with it. A transcript that is not
    in the version any more yields to one that is.
    """
    places = version.files.select_related("recording")
    texts: dict[str, list[Recording]] = {}
    for found in places.exclude(recording__kind=Recording.Kind.AUDIO):
        if not hasattr(found.recording, "beside"):
            texts.setdefault(path_key(found.recording.stem), []).append(found.recording)
    here = version.files.values("recording_id")
    bare = places.filter(recording__kind=Recording.Kind.AUDIO).exclude(
        recording__transcript__in=here
    )
    for recording in (one.recording for one in bare):
        beside = texts.get(path_key(recording.stem), [])
        beside.sort(
            key=lambda text: TRANSCRIPT_ORDER.index(PurePosixPath(text.name).suffix.lower())
        )
        if beside:
            transcript = beside[0]
            transcript.kind = Recording.Kind.TRANSCRIPT
            transcript.intake = None
            transcript.save(update_fields=["kind", "intake"])
            recording.transcript, recording.intake = transcript, None
            recording.save(update_fields=["transcript", "intake"])


def number(*, version: Version) -> None:
    """Give recordings that are about to be processed their numbers, in the order of their names.

    A number stays: it is the recording's name in every release.
    """
    last = version.dataset.recordings.aggregate(last=Max("number"))["last"] or 0
    fresh = version.dataset.recordings.filter(
        files__version=version, number__isnull=True
    ).to_process()
    for count, recording in enumerate(fresh.order_by("name_key", "pk"), start=last + 1):
        recording.number = count
        recording.save(update_fields=["number"])


@transaction.atomic
def remove(*, file: File, by: User) -> Decision:
    """Take a recording out of a version that is still open, with the transcript beside it.

    The recording lasts, with all that was made of it, and `review.undo` puts it back. A
    transcript alone can be taken away from a draft; its recording is then processed without it.
    Raises VersionClosed.
    """
    version = versions.lock_open(file.version_id)
    recording = file.recording
    gone = [recording] if recording.transcript is None else [recording, recording.transcript]
    places = version.files.filter(recording__in=gone)
    before: dict[str, object] = {
        "places": [
            {"recording": one.recording_id, "final": one.final_id and str(one.final_id)}
            for one in places.order_by("pk")
        ]
    }
    if recording.kind == Recording.Kind.TRANSCRIPT:
        before["untied"] = untie(version=version, transcript=recording)
    decision = Decision.objects.create(
        version=version,
        recording=recording,
        act=Decision.Act.REMOVE,
        before=before,
        after={},
        by=by,
    )
    places.delete()
    audit.note(
        by=by,
        verb="recording.removed",
        about=(recording, version, version.dataset),
        recording=recording.pk,
        version=str(version),
    )
    versions.settle(version=version)
    return decision


def untie(*, version: Version, transcript: Recording) -> dict[str, object] | None:
    """Take a transcript from its recording; return what that changed, or raise VersionClosed."""
    recording: Recording | None = getattr(transcript, "beside", None)
    if recording is None:
        return None
    if version.state != Version.State.DRAFT:
        sentence = _(
            "«%(path)s» is being set to its recording, or was. Remove the recording instead."
        )
        raise versions.VersionClosed(sentence, path=transcript.name)
    changed: dict[str, object] = {
        "recording": recording.pk,
        "intake": recording.intake_id and str(recording.intake_id),
    }
    recording.transcript, recording.intake = None, None
    recording.save(update_fields=["transcript", "intake"])
    return changed


def put_back(*, version: Version, before: dict[str, Any], by: User) -> None:
    """Undo a removal: the places as they were. The caller holds the version's lock.

    Raises PathTaken if something else took the name meanwhile.
    """
    for was in before["places"]:
        recording = version.dataset.recordings.get(pk=was["recording"])
        require_free_name(version=version, name=recording.name)
        if untied := before.get("untied"):
            tie_again(version=version, transcript=recording, untied=untied)
        restored = place(version=version, recording=recording, by=by)
        File.objects.filter(pk=restored.pk).update(final_id=was["final"])


def tie_again(*, version: Version, transcript: Recording, untied: dict[str, Any]) -> None:
    """Tie a transcript to the recording that it was taken from, with the results of both.

    Raises VersionClosed once the recording was processed without it, PathTaken if it has another.
    """
    recording = Recording.objects.get(pk=untied["recording"])
    if version.state != Version.State.DRAFT:
        sentence = _(
            "«%(path)s» can be put back only into a draft, and version %(number)s is %(state)s: "
            "«%(recording)s» goes without it."
        )
        raise versions.VersionClosed(
            sentence,
            path=transcript.name,
            number=version.number,
            state=versions.said(version),
            recording=recording.name,
        )
    if recording.transcript is not None:
        sentence = _("«%(path)s» has another transcript by now: «%(taken_by)s». Remove it first.")
        raise PathTaken(sentence, path=recording.name, taken_by=recording.transcript.name)
    recording.transcript, recording.intake_id = transcript, untied["intake"]
    recording.save(update_fields=["transcript", "intake"])


@transaction.atomic
def say_language(*, recording: Recording, language: str, by: User) -> Recording:
    """Say which language is spoken in a recording, where it is not the dataset's; "" is.

    What was written down in another language is written down anew when processing starts next.
    Raises UnknownLanguage, and VersionClosed unless a draft has a place for it.
    """
    places = recording.files.filter(version__state=Version.State.DRAFT)
    draft = places.select_related("version").first()
    if draft is None:
        sentence = _("The language of «%(path)s» can be changed while its version is a draft.")
        raise versions.VersionClosed(sentence, path=recording.name)
    versions.lock_draft(draft.version_id)
    recording = Recording.objects.select_for_update().get(pk=recording.pk)
    tag = languages.tag_of(language) if language.strip() else ""
    tag = "" if tag == recording.dataset.language else tag
    if tag != recording.language:
        audit.note(
            by=by,
            verb="recording.language",
            about=(recording, draft.version, recording.dataset),
            recording=recording.pk,
            before=recording.spoken,
            after=tag or recording.dataset.language,
        )
        if not languages.are_one(recording.spoken, tag or recording.dataset.language):
            recording.intake = None
        recording.language = tag
        recording.save(update_fields=["language", "intake"])
    return recording


@transaction.atomic
def erase(*, recording: Recording, by: User) -> Recording:
    """Erase an original for good: its bytes, its name, and everything that was said in it.

    What was sealed from it stands; its number stays, so that nothing is named wrongly afterwards.
    Asked again, changes nothing. Raises RecordingInUse while an open version has a place for it.
    """
    recording = Recording.objects.select_for_update().get(pk=recording.pk)
    if recording.erased_at is not None:
        return recording
    open_place = recording.files.filter(version__state__in=Version.OPEN).first()
    if open_place is not None:
        sentence = _("«%(path)s» is in version %(number)s, which is open. Remove it there first.")
        raise RecordingInUse(sentence, path=recording.name, number=open_place.version.number)
    transcript, recording.transcript = recording.transcript, None
    recording.erased_at, recording.blob = timezone.now(), None
    recording.name = recording.name_key = f"erased {recording.pk}"
    recording.save(update_fields=["erased_at", "blob", "name", "name_key", "transcript"])
    empty(recording)
    audit.note(
        by=by,
        verb="recording.erased",
        about=(recording, recording.dataset),
        recording=recording.pk,
        dataset=str(recording.dataset),
    )
    if transcript is not None:
        erase(recording=transcript, by=by)
    return recording


def empty(recording: Recording) -> None:
    """Blank what runs and review wrote down of a recording; that they ran stays on record.

    Errors and uploads name it, and a name may say who speaks.
    """
    Finding.objects.filter(segment__recording=recording).delete()
    Segment.objects.filter(recording=recording).delete()
    recording.hearings.all().delete()
    recording.decisions.all().delete()
    recording.consent_scopes.all().delete()
    recording.files.update(key=recording.name_key)
    recording.uploads.update(path=recording.name)
    runs = PipelineRun.objects.filter(recording=recording)
    erased = OriginalErased(_("The original was erased, and with it what was said of it."))
    runs.filter(error__isnull=False).update(error=erased.as_record())
    runs.update(inputs={})
    steps = StepRun.objects.filter(run__in=runs)
    steps.update(error="", files={})
    steps.filter(output__isnull=False).update(output={})
