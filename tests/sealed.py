"""A sealed release without the minutes that a pipeline takes: the rows it would have left, then
the real seal. Every clip is a second or more of a modulated tone, as FLAC."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import soundfile
from django.utils import timezone

from accounts.models import Organization, User
from ingestion import consent, datasets, recipes, releases
from ingestion.models import (
    Blob,
    Dataset,
    File,
    Finding,
    PipelineRun,
    Segment,
    Speaker,
    StepRun,
    Version,
)
from ingestion.storage import blob_store
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
    """Seal a version of the dataset in which `said` was said."""
    of = of or dataset()
    by = factories.owner_of(of.organization)
    draft = datasets.open_draft(dataset=of, by=by)
    file = source(draft, duration_ms=sum(one.duration_ms for one in said))
    speakers = {name: speaker(of, name) for name in dict.fromkeys(one.speaker for one in said)}
    segments = list(write_segments(file, said, speakers))
    for name, person in speakers.items():
        stretches = [
            consent.Stretch(file, segment.start_ms, segment.end_ms)
            for segment, one in zip(segments, said, strict=True)
            if one.speaker == name
        ]
        consent.record(
            speaker=person,
            notice=consent.Notice("We publish the show as training data.", "en", "1"),
            terms=consent.Terms(
                tuple(purposes), date(2026, 3, 3), "KE", tuple(excluded), expires_on
            ),
            stretches=stretches,
            by=by,
        )
    write_runs(file, segments, by)
    draft.state = Version.State.REVIEW
    draft.review_finished_at, draft.review_finished_by = timezone.now(), by
    draft.save()
    return releases.seal(version=draft)


def source(of: Version, *, path: str = "morning.wav", duration_ms: int = 12_000) -> File:
    """An original recording. Its bytes are never read here."""
    return File.objects.create(
        version=of,
        role=File.Role.SOURCE,
        kind=File.Kind.AUDIO,
        path=path,
        path_key=path,
        blob=keep(f"original {next(factories.numbers)}".encode()),
        media_type="audio/wav",
        duration_ms=duration_ms,
    )


def speaker(of: Dataset, name: str) -> Speaker:
    """A person who is heard."""
    return consent.add_speaker(
        dataset=of, person=consent.Person(name, f"{name.lower()}@example.org")
    )


def write_segments(file: File, said: Sequence[Said], speakers: dict[str, Speaker]):
    """Write down what was said, evenly timed, with confirmed findings."""
    start = 0
    for position, one in enumerate(said):
        segment = Segment.objects.create(
            file=file,
            position=position,
            start_ms=start,
            end_ms=start + one.duration_ms,
            speaker=speakers[one.speaker],
            text=one.text,
            words=list(timed_words(one.text, start, one.duration_ms)),
        )
        start += one.duration_ms
        if one.finding:
            write_finding(segment, one)
        yield segment


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
        decided_by=factories.owner_of(segment.file.version.dataset.organization),
    )


def write_runs(file: File, segments: Sequence[Segment], by: User) -> None:
    """The runs of the pipeline, done: intake, and what the review changed."""
    clips, stored, waveforms = [], {}, {}
    for segment in segments:
        name = f"clips/{segment.position + 1:04d}.flac"
        duration = segment.end_ms - segment.start_ms
        data, waveforms[name] = tone(duration, 120 + 20 * segment.position)
        blob = keep(data)
        stored[name] = {"sha256": blob.sha256, "size": blob.size}
        clips.append(clip(segment, name))
    total = file.duration_ms or 0
    outputs = {
        "redact": {"clips": clips},
        "quality": {
            "duration_ms": total,
            "speech_ms": total,
            "clips_ms": total,
            "redacted_ms": sum(bar[1] - bar[0] for one in clips for bar in one["bars"]),
            "words": sum(len(segment.words) for segment in segments),
            "words_timed": sum(len(segment.words) for segment in segments),
            "snr_db": 24,
            "rms_dbfs": -19,
            "waveforms": waveforms,
        },
    }
    for phase in (PipelineRun.Phase.INTAKE, PipelineRun.Phase.FINAL):
        recipe = recipes.choose(file=file, phase=phase)
        run = PipelineRun.objects.create(
            file=file, recipe=recipe, phase=phase, state=PipelineRun.State.DONE
        )
        for position, step in enumerate(recipe.steps):
            done(run, position, step, outputs.get(step["name"], {}), stored)


def done(run: PipelineRun, position: int, step: dict, output: dict, stored: dict) -> None:
    """One step, done."""
    now = timezone.now()
    tool, tool_version = TOOLS[step["name"]]
    StepRun.objects.create(
        run=run,
        position=position,
        name=step["name"],
        parameters=step["parameters"],
        state=StepRun.State.DONE,
        tool=tool,
        tool_version=tool_version,
        input_sha256=hashlib.sha256(b"in").hexdigest(),
        output_sha256=hashlib.sha256(b"out").hexdigest(),
        output=output,
        files=stored if step["name"] in {"redact", "strip"} else {},
        started_at=now - timedelta(seconds=2),
        ended_at=now,
    )


def clip(segment: Segment, name: str) -> dict:
    """What the redact step says of a clip."""
    text, bars = segment.text, []
    for finding in segment.findings.order_by("-start_char"):
        label = f"[{finding.kind.upper()}]"
        text = text[: finding.start_char] + label + text[finding.end_char :]
        start = max(0, finding.start_ms - recipes.PAD_MS - segment.start_ms)
        end = min(segment.end_ms, finding.end_ms + recipes.PAD_MS) - segment.start_ms
        bars.append([start, end, finding.kind])
    return {
        "segment": segment.position,
        "file": name,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
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
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        sha256, size = blob_store().put(Path(file.name))
    blob, _ = Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
    return blob
