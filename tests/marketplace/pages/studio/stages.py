"""Versions at each place of the thread, without the minutes that a pipeline takes."""

import io
from collections.abc import Sequence
from datetime import date
from uuid import uuid4

import numpy as np
import soundfile
from commonhold.errors import CommonholdError
from django.utils import timezone

from accounts.models import User
from ingestion import consent, review
from ingestion.archive import uploads, versions
from ingestion.models import (
    ConsentRecord,
    Dataset,
    Finding,
    PipelineRun,
    Recording,
    Segment,
    StepRun,
    Upload,
    Version,
)
from ingestion.pipeline import jobs
from tests import factories, sealed
from tests.sealed import MORNING, Said

CONFIRMED = {"confirmed": "on"}
"""What the form before the seal is sent with."""


def wav(seconds: int = 2) -> bytes:
    """A small recording."""
    rate = 16_000
    time = np.arange(seconds * rate) / rate
    out = io.BytesIO()
    soundfile.write(out, 0.4 * np.sin(2 * np.pi * 220 * time), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def draft(of: Dataset | None = None) -> Version:
    """The version of a dataset that is being worked on, or the next one, as the service begins it.

    Of a new dataset: a draft with nothing in it.
    """
    of = of or sealed.dataset()
    return versions.open_draft(dataset=of, by=factories.owner_of(of.organization))


def recording(
    version: Version, *, path: str = "morning.wav", duration_ms: int = 12_000
) -> Recording:
    """An original in a draft."""
    return sealed.source(version, path=path, duration_ms=duration_ms)


def transcribed(version: Version, beside: Recording) -> Recording:
    """A transcript beside a recording of a draft."""
    name = f"{beside.stem}.txt"
    text = sealed.source(version, path=name)
    Recording.objects.filter(pk=text.pk).update(kind="transcript", duration_ms=None)
    Recording.objects.filter(pk=beside.pk).update(transcript=text)
    return text


def only_recording(version: Version) -> Recording:
    """The one recording of a version."""
    return Recording.objects.get(files__version=version)


def agreed(
    version: Version,
    to: Recording,
    *,
    name: str = "Amina",
    start_ms: int | None = None,
    end_ms: int | None = None,
    purposes: Sequence[str] = sealed.TRAINING,
    excluded: Sequence[str] = (),
) -> ConsentRecord:
    """A consent of a speaker over a stretch of a recording."""
    return consent.record(
        speaker=sealed.speaker(version.dataset, name),
        notice=consent.Notice("We publish the show as training data.", "en", "1"),
        terms=consent.Terms(tuple(purposes), date(2026, 3, 3), "KE", tuple(excluded)),
        stretches=[consent.Stretch(to, start_ms, end_ms)],
        by=factories.owner_of(version.dataset.organization),
    )


def in_review(
    of: Dataset | None = None,
    *,
    said: Sequence[Said] = MORNING,
    covered: bool = True,
    path: str = "morning.wav",
) -> Version:
    """A version whose findings are open; with `covered` everybody has consented."""
    version = draft(of)
    if covered:
        made = sealed.add(version, said=said, path=path)
    else:
        made = recording(version, path=path, duration_ms=sum(one.duration_ms for one in said))
        speakers = {one.speaker: sealed.speaker(version.dataset, one.speaker) for one in said}
        sealed.write_segments(made, said, speakers)
    Finding.objects.filter(segment__recording=made).update(
        state=Finding.State.OPEN, decided_at=None, decided_by=None
    )
    Version.objects.filter(pk=version.pk).update(state=Version.State.REVIEW)
    version.refresh_from_db()
    return version


def carried_over(of: Dataset | None = None) -> Version:
    """A draft that began from a sealed version, with nothing new in it."""
    return draft(sealed.version(of).dataset)


def left_out(version: Version, name: str) -> Version:
    """The same version without what a speaker says."""
    by = factories.owner_of(version.dataset.organization)
    who = version.dataset.speakers.get(name=name)
    review.leave_out_speaker(version=version, speaker=who, by=by)
    return version


def withdrawn(version: Version, name: str) -> Version:
    """The same version, after a speaker took back every consent."""
    by = factories.owner_of(version.dataset.organization)
    consent.withdraw_speaker(speaker=version.dataset.speakers.get(name=name), by=by)
    version.refresh_from_db()
    return version


def segments(version: Version) -> list[Segment]:
    """What was said in a version, in order."""
    return list(Segment.objects.of(version))


def announced(version: Version, *, by: User) -> Upload:
    """An upload that is on its way."""
    return uploads.begin(version=version, path="long.wav", size=10_000, by=by)


class Damaged(CommonholdError):
    """Why a run stopped."""

    code = "damaged"


def working(of: Dataset | None = None, *, error: str = "") -> PipelineRun:
    """A run of which the first step is done and the second works, or stopped with `error`."""
    version = draft(of)
    recording(version)
    run = jobs.start(version=version, by=factories.owner_of(version.dataset.organization))[0]
    now = timezone.now()
    first, second = run.steps.all()[:2]
    sealed.done(first, {}, {})
    PipelineRun.objects.filter(pk=run.pk).update(
        state="running", heartbeat_at=now, started_at=now, claim=uuid4()
    )
    run.refresh_from_db()
    StepRun.objects.filter(pk=second.pk).update(
        state="failed" if error else "running", error=error, started_at=now
    )
    if error:
        jobs.fail(run=run, error=Damaged(error))
    run.refresh_from_db()
    return run


def version_of(run: PipelineRun) -> Version:
    """The version that a run works for."""
    return run.recording.files.get().version


def apply_decisions(version: Version) -> None:
    """What the worker does after a review is finished: the runs of its decisions, done."""
    for run in jobs.of(version, phase=PipelineRun.Phase.FINAL).exclude(state="done"):
        sealed.finish_run(run)
