"""Leaving a speaker out of a version, in one act, and bringing them back."""

from collections.abc import Iterable, Sequence

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction

from accounts.models import User
from ingestion.models import Decision, LeftOut, Speaker, Version
from ingestion.review.decisions import lock
from ingestion.review.progress import published
from ingestion.review.undoing import write


class SpeakerUnknown(CommonholdError):
    """The speaker is of another dataset."""

    code = "speaker-unknown"
    status = 422


class NobodyLeft(CommonholdError):
    """A version without anybody has nothing to publish."""

    code = "nobody-left"
    status = 409


def leave_out_speaker(*, version: Version, speaker: Speaker, by: User) -> Decision:
    """Leave one speaker out, as `leave_out_speakers` does several."""
    return leave_out_speakers(version=version, speakers=[speaker], by=by)


@transaction.atomic
def leave_out_speakers(*, version: Version, speakers: Sequence[Speaker], by: User) -> Decision:
    """Leave out what speakers say: their stretches, and their part of those they share.

    Asked again, changes nothing more. Raises NotInReview, SpeakerUnknown, and NobodyLeft when
    nothing would be left to publish; while recordings wait to be processed, nobody knows.
    """
    version = lock(version.pk)
    for speaker in speakers:
        require_of(version, speaker)
    before = out(version)
    for speaker in speakers:
        LeftOut.objects.get_or_create(version=version, speaker=speaker, defaults={"by": by})
    waiting = version.files.to_process().filter(recording__intake__isnull=True)
    if not waiting.exists() and not published(version=version):
        sentence = _(
            "Without %(speaker)s nothing is left that could be published. Discard the version "
            "instead, or leave fewer people out."
        )
        raise NobodyLeft(sentence, speaker=named(speakers))
    return note(version, speakers, act=Decision.Act.LEAVE_OUT_SPEAKER, before=before, by=by)


@transaction.atomic
def bring_back_speaker(*, version: Version, speaker: Speaker, by: User) -> Decision:
    """Have a speaker in the version again who was left out. Asked again, changes nothing more."""
    version = lock(version.pk)
    require_of(version, speaker)
    before = out(version)
    version.left_out.filter(speaker=speaker).delete()
    return note(version, [speaker], act=Decision.Act.BRING_BACK_SPEAKER, before=before, by=by)


def require_of(version: Version, speaker: Speaker) -> None:
    """Raise SpeakerUnknown for a speaker of another dataset."""
    if speaker.dataset_id != version.dataset_id:
        sentence = _("%(speaker)s is not a speaker of this dataset.")
        raise SpeakerUnknown(sentence, speaker=speaker.pseudonym)


def out(version: Version) -> list[int]:
    """Return who is left out, by primary key."""
    return sorted(version.left_out.values_list("speaker_id", flat=True))


def named(speakers: Iterable[Speaker]) -> str:
    """Return the pseudonyms of speakers, in their order."""
    return ", ".join(sorted(one.pseudonym for one in speakers))


def note(
    version: Version, speakers: Iterable[Speaker], *, act: Decision.Act, before: list[int], by: User
) -> Decision:
    """Write the act down."""
    return write(
        version=version,
        act=act,
        before={"left_out": before},
        after={"left_out": out(version)},
        by=by,
        speaker=named(speakers),
    )
