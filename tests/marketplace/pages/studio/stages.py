"""Versions at each place of the thread, without the minutes that a pipeline takes."""

import io
from collections.abc import Sequence
from datetime import date

import numpy as np
import soundfile
from django.utils import timezone

from ingestion import consent, datasets, pipeline
from ingestion.models import Dataset, File, Finding, PipelineRun, StepRun, Version
from tests import factories, sealed
from tests.sealed import MORNING, Said


def wav(seconds: int = 2) -> bytes:
    """A small recording."""
    rate = 16_000
    time = np.arange(seconds * rate) / rate
    out = io.BytesIO()
    soundfile.write(out, 0.4 * np.sin(2 * np.pi * 220 * time), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def draft(of: Dataset | None = None) -> Version:
    """A draft with nothing in it."""
    of = of or sealed.dataset()
    return datasets.open_draft(dataset=of, by=factories.owner_of(of.organization))


def recording(version: Version, *, path: str = "morning.wav", duration_ms: int = 12_000) -> File:
    """An original in a draft."""
    return sealed.source(version, path=path, duration_ms=duration_ms)


def agreed(
    version: Version,
    file: File,
    *,
    name: str = "Amina",
    start_ms: int | None = None,
    end_ms: int | None = None,
    purposes: Sequence[str] = sealed.TRAINING,
    excluded: Sequence[str] = (),
):
    """A consent of a speaker over a stretch of a file."""
    return consent.record(
        speaker=sealed.speaker(version.dataset, name),
        notice=consent.Notice("We publish the show as training data.", "en", "1"),
        terms=consent.Terms(tuple(purposes), date(2026, 3, 3), "KE", tuple(excluded)),
        stretches=[consent.Stretch(file, start_ms, end_ms)],
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
    file = recording(version, path=path, duration_ms=sum(one.duration_ms for one in said))
    speakers = {one.speaker: sealed.speaker(version.dataset, one.speaker) for one in said}
    segments = list(sealed.write_segments(file, said, speakers))
    if covered:
        agreed(version, file)
    sealed.write_runs(file, segments, factories.owner_of(version.dataset.organization))
    PipelineRun.objects.filter(file=file, phase=PipelineRun.Phase.FINAL).delete()
    Finding.objects.filter(segment__file=file).update(
        state=Finding.State.OPEN, decided_at=None, decided_by=None
    )
    Version.objects.filter(pk=version.pk).update(state=Version.State.REVIEW)
    version.refresh_from_db()
    return version


def working(of: Dataset | None = None, *, error: str = "") -> PipelineRun:
    """A run of which the first step is done and the second works, or stopped with `error`."""
    version = draft(of)
    recording(version)
    run = pipeline.start(version=version, by=factories.owner_of(version.dataset.organization))[0]
    now = timezone.now()
    first, second = run.steps.all()[:2]
    first.delete()
    sealed.done(run, 0, {"name": "decode", "parameters": {}}, {}, {})
    StepRun.objects.filter(pk=second.pk).update(
        state="failed" if error else "running", error=error, started_at=now
    )
    if error:
        pipeline.fail(run=run, message=error)
    else:
        PipelineRun.objects.filter(pk=run.pk).update(
            state="running", heartbeat_at=now, started_at=now
        )
    run.refresh_from_db()
    return run


def apply_decisions(version: Version) -> None:
    """What the worker does after a review is finished: the runs of its decisions, done."""
    for file in version.files.filter(role=File.Role.SOURCE):
        PipelineRun.objects.filter(file=file).delete()
        sealed.write_runs(file, list(file.segments.all()), version.created_by)
