"""A sealed release without the minutes that a pipeline takes: the rows it would have left, then
the real seal. Every clip is a second or more of a modulated tone, as FLAC."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import soundfile
from django.utils import timezone

from accounts.models import Organization
from ingestion import consent, releases, review
from ingestion.archive import blobs, datasets, recordings, versions
from ingestion.models import (
    Blob,
    Dataset,
    Finding,
    PipelineRun,
    Recording,
    Segment,
    Speaker,
    StepRun,
    Version,
)
from ingestion.pipeline import jobs, recipes
from tests import factories

RATE = 16_000
TRAINING = ("speech-recognition", "language-modeling", "evaluation", "research", "commercial")
OPEN = (*TRAINING, "speech-synthesis", "redistribution")
TOOLS = {
    "decode": ("PyAV", "18.0.0"),
    "vad": ("webrtcvad", "2.0.14"),
    "text": ("pocketsphinx", "5.1.2"),
    "detect": ("commonhold rules", "1.0"),
    "redact": ("commonhold redact", "1.0"),
    "strip": ("mutagen", "1.48.1"),
    "quality": ("commonhold quality", "1.0"),
}


@dataclass(frozen=True)
class Said:
    """One segment: who says what; the first word group in [brackets] is a finding of that kind."""

    text: str
    speaker: str = "Amina"
    kind: str = ""
    finding: str = ""
    duration_ms: int = 3000


MORNING = (
    Said("Good morning from the valley, this is your breakfast show."),
    Said(
        "Call us at five five five, oh one two three.",
        "Juma",
        "phone",
        "five five five, oh one two three",
    ),
    Said("The market opens at eight and the road to town is dry."),
    Said("Thank you for calling, neighbor.", "Juma"),
)


def dataset(
    organization: Organization | None = None,
    *,
    title: str = "Morning show",
    slug: str = "",
    language: str = "en",
    task: str = "speech-recognition",
    description: str = "",
) -> Dataset:
    """A dataset with an empty draft."""
    organization = organization or factories.organization()
    return datasets.create(
        organization=organization,
        slug=slug or f"dataset-{next(factories.numbers)}",
        title=title,
        language=language,
        task=task,
        by=factories.owner_of(organization),
        description=description,
    )


def version(
    of: Dataset | None = None,
    *,
    said: Sequence[Said] = MORNING,
    purposes: Sequence[str] = OPEN,
    excluded: Sequence[str] = ("voice-cloning",),
    expires_on: date | None = None,
) -> Version:
    """Seal a version of the dataset in which `said` was said, in one recording more than before."""
    of = of or dataset()
    by = factories.owner_of(of.organization)
    draft = versions.open_draft(dataset=of, by=by)
    add(draft, said=said, purposes=purposes, excluded=excluded, expires_on=expires_on)
    return seal(draft)


def add(
    draft: Version,
    *,
    said: Sequence[Said] = MORNING,
    purposes: Sequence[str] = OPEN,
    excluded: Sequence[str] = ("voice-cloning",),
    expires_on: date | None = None,
    path: str = "",
    day: date = date(2026, 3, 3),
) -> Recording:
    """Add a recording in which `said` was said to a draft, reviewed, with everybody's consent."""
    of = draft.dataset
    by = factories.owner_of(of.organization)
    path = path or f"morning-{next(factories.numbers)}.wav"
    recording = source(draft, path=path, duration_ms=sum(one.duration_ms for one in said))
    speakers = {name: speaker(of, name) for name in dict.fromkeys(one.speaker for one in said)}
    segments = write_segments(recording, said, speakers)
    for name, person in speakers.items():
        stretches = [
            consent.Stretch(recording, segment.start_ms, segment.end_ms)
            for segment, one in zip(segments, said, strict=True)
            if one.speaker == name
        ]
        consent.record(
            speaker=person,
            notice=consent.Notice("We publish the show as training data.", "en", "1"),
            terms=consent.Terms(tuple(purposes), day, "KE", tuple(excluded), expires_on),
            stretches=stretches,
            by=by,
        )
    return recording


def seal(draft: Version) -> Version:
    """Finish the review of a draft and seal it, the runs after the review as written by hand."""
    by = factories.owner_of(draft.dataset.organization)
    for run in review.finish(version=draft, by=by):
        finish_run(run)
    return releases.seal(version=draft)


def source(of: Version, *, path: str = "morning.wav", duration_ms: int = 12_000) -> Recording:
    """An original recording with its place in a draft. Its bytes are never read here."""
    by = factories.owner_of(of.dataset.organization)
    recording = Recording.objects.create(
        dataset=of.dataset,
        kind=Recording.Kind.AUDIO,
        name=path,
        name_key=path,
        blob=keep(f"original {next(factories.numbers)}".encode()),
        media_type="audio/wav",
        duration_ms=duration_ms,
        added_by=by,
    )
    recordings.place(version=of, recording=recording, by=by)
    return recording


def speaker(of: Dataset, name: str) -> Speaker:
    """A person who is heard."""
    return consent.add_speaker(
        dataset=of,
        person=consent.Person(name, f"{name.lower()}@example.org"),
        by=factories.owner_of(of.organization),
    )


def write_segments(
    recording: Recording, said: Sequence[Said], speakers: dict[str, Speaker]
) -> list[Segment]:
    """The intake of a recording, done: what was said, evenly timed, with confirmed findings."""
    version = recording.files.get().version
    recordings.number(version=version)
    recording.refresh_from_db()
    run = write_intake(recording)
    start, segments = 0, []
    for position, one in enumerate(said):
        segment = Segment.objects.create(
            recording=recording,
            run=run,
            position=position,
            start_ms=start,
            end_ms=start + one.duration_ms,
            speaker=speakers[one.speaker],
            label=one.speaker,
            text=one.text,
            words=list(timed_words(one.text, start, one.duration_ms)),
        )
        start += one.duration_ms
        if one.finding:
            write_finding(segment, one)
        segments.append(segment)
    return segments


def timed_words(text: str, start_ms: int, duration_ms: int):
    """Spread words evenly over a stretch."""
    position, step = 0, duration_ms // len(text.split())
    for number, word in enumerate(text.split()):
        position = text.index(word, position)
        yield {
            "text": word,
            "start_char": position,
            "end_char": position + len(word),
            "start_ms": start_ms + number * step,
            "end_ms": start_ms + (number + 1) * step,
            "timed": True,
            "confidence": 900,
        }
        position += len(word)


def write_finding(segment: Segment, one: Said) -> None:
    """A finding that a person confirmed."""
    start = one.text.index(one.finding)
    end = start + len(one.finding)
    words = [
        word for word in segment.words if word["start_char"] < end and word["end_char"] > start
    ]
    Finding.objects.create(
        segment=segment,
        kind=one.kind,
        start_char=start,
        end_char=end,
        start_ms=words[0]["start_ms"],
        end_ms=words[-1]["end_ms"],
        detector="rules",
        confidence=950,
        state=Finding.State.CONFIRMED,
        decided_at=timezone.now(),
        decided_by=factories.owner_of(segment.recording.dataset.organization),
    )


def write_intake(recording: Recording) -> PipelineRun:
    """The intake of a recording, done, as the one that counts."""
    run = jobs.make_intake(recording=recording)
    for step in run.steps.all():
        done(step, {"voiced": []} if step.name == "vad" else {}, {})
    PipelineRun.objects.filter(pk=run.pk).update(state=PipelineRun.State.DONE)
    recording.intake = run
    recording.save(update_fields=["intake"])
    return run


def finish_run(run: PipelineRun) -> None:
    """The run that applies a review's decisions, done: a clip for each piece that is published."""
    clips, stored, waveforms = [], {}, {}
    inputs = run.inputs
    for number, piece in enumerate(inputs["segments"]):
        if number in inputs["excluded"]:
            continue
        name = f"clips/{len(clips) + 1:04d}.flac"
        duration = piece["end_ms"] - piece["start_ms"]
        data, waveforms[name] = tone(duration, 120 + 20 * piece["position"])
        blob = keep(data)
        stored[name] = {"sha256": blob.sha256, "size": blob.size}
        clips.append(clip(number, piece, inputs["decisions"], name))
    total = run.recording.duration_ms or 0
    words = sum(len(inputs["segments"][one["segment"]]["words"]) for one in clips)
    outputs = {
        "redact": {"clips": clips, "method": "tone", "pad_ms": recipes.PAD_MS},
        "quality": {
            "duration_ms": total,
            "speech_ms": total,
            "clips_ms": sum(one["end_ms"] - one["start_ms"] for one in clips),
            "redacted_ms": sum(bar[1] - bar[0] for one in clips for bar in one["bars"]),
            "words": words,
            "words_timed": words,
            "snr_db": 24,
            "rms_dbfs": -19,
            "waveforms": waveforms,
        },
    }
    for step in run.steps.all():
        done(step, outputs.get(step.name, {}), stored)
    PipelineRun.objects.filter(pk=run.pk).update(state=PipelineRun.State.DONE)


def done(step: StepRun, output: dict, stored: dict) -> None:
    """One step, done."""
    now = timezone.now()
    tool, tool_version = TOOLS[step.name]
    StepRun.objects.filter(pk=step.pk).update(
        state=StepRun.State.DONE,
        tool=tool,
        tool_version=tool_version,
        input_sha256=hashlib.sha256(b"in").hexdigest(),
        output_sha256=hashlib.sha256(b"out").hexdigest(),
        output=output,
        files=stored if step.name in {"redact", "strip"} else {},
        started_at=now - timedelta(seconds=2),
        ended_at=now,
    )


def clip(number: int, piece: dict, decisions: list[dict], name: str) -> dict:
    """What the redact step says of a clip."""
    text, bars = piece["text"], []
    mine = [one for one in decisions if one["segment"] == number]
    for one in sorted(mine, key=lambda one: -one["start_char"]):
        label = f"[{one['kind'].upper()}]"
        text = text[: one["start_char"]] + label + text[one["end_char"] :]
        start = max(0, one["start_ms"] - recipes.PAD_MS - piece["start_ms"])
        end = min(piece["end_ms"], one["end_ms"] + recipes.PAD_MS) - piece["start_ms"]
        bars.append([start, end, one["kind"]])
    return {
        "segment": number,
        "file": name,
        "start_ms": piece["start_ms"],
        "end_ms": piece["end_ms"],
        "text": text,
        "bars": bars,
    }


def tone(duration_ms: int, pitch: int) -> tuple[bytes, list[int]]:
    """FLAC of something that rises and falls like speech, and its peaks (0 to 100)."""
    time = np.arange(duration_ms * RATE // 1000) / RATE
    syllables = np.abs(np.sin(2 * np.pi * 2.1 * time + pitch)) * (0.6 + 0.4 * np.sin(time))
    wave = 0.6 * syllables * np.sin(2 * np.pi * pitch * time)
    out = io.BytesIO()
    soundfile.write(out, wave, RATE, format="FLAC", subtype="PCM_16")
    peaks = [int(100 * float(np.abs(part).max())) for part in np.array_split(wave, 120)]
    return out.getvalue(), peaks


def keep(data: bytes) -> Blob:
    """Store bytes."""
    return blobs.keep_bytes(data=data)
