"""Putting a release together: clips, texts, their descriptions, and the consents behind each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commonhold.errors import CommonholdError
from commonhold.index import IndexRow
from commonhold.sentences import _

from ingestion.archive import blobs
from ingestion.models import Blob, ConsentRecord, File, Recording, ReleaseFile, StepRun, Version
from ingestion.releases import cards, manifests, scrubbing, words
from ingestion.review import hearing
from ingestion.review.voices import Piece, Scene, scenes

AUDIO_STEPS = ("decode", "vad", "text", "detect", "redact", "strip", "quality")
TEXT_STEPS = ("text", "detect", "redact")
Named = tuple[int, int, int | None, int | None]
"""A piece by its segment's position, its part, and from when until when it is."""


class SealRefused(CommonholdError):
    """The version can't be sealed as it is."""

    code = "seal-refused"
    status = 409


@dataclass(frozen=True)
class Bar:
    """One redaction: half-open ms in the clip, or no times in a text."""

    kind: str
    method: str
    is_labeled: bool
    """Whether a label of its kind stands in the text: not where it reaches in from beside."""
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass
class Entry:
    """A file of the release."""

    path: str
    kind: ReleaseFile.Kind
    blob: Blob
    media_type: str
    consents: tuple[int, ...]
    acts: tuple[str, ...]
    recording: Recording | None = None
    told: dict[str, Any] | None = None
    words: list[dict[str, Any]] | None = None
    peaks: list[int] | None = None
    bars: tuple[Bar, ...] = ()
    labels: tuple[str, ...] = ()
    """The kinds of what a label stands for in its text, in order."""

    @property
    def row(self) -> IndexRow:
        """Its line in files.jsonl."""
        return IndexRow(
            path=self.path, size=self.blob.size, sha256=self.blob.sha256,
            media_type=self.media_type, source="src-0", consents=self.consents,
            activities=self.acts,
        )  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What the runs after a review made of a recording."""

    segments: Sequence[Mapping[str, Any]]
    decisions: Mapping[int, list[dict[str, Any]]]
    """By the number of their segment."""
    files: Mapping[str, Any]
    method: str
    outlines: Mapping[str, list[int]]


@dataclass
class Contents:
    """A release as it is put together."""

    version: Version
    pieces: list[Piece]
    records: list[ConsentRecord]
    acts: Mapping[str, str]
    entries: list[Entry] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    unwritten: int = 0
    """Stretches of speech without text that are covered in clips."""

    def number(self, records: Iterable[ConsentRecord]) -> tuple[int, ...]:
        """Return the manifest's numbers of some consents."""
        places = {record.pk: place for place, record in enumerate(self.records)}
        return tuple(sorted({places[record.pk] for record in records}))

    def acts_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the manifest's names of some activities."""
        return tuple(self.acts[name] for name in names if name in self.acts)

    @property
    def clips(self) -> list[dict[str, Any]]:
        """The rows of metadata.jsonl."""
        return [
            {**entry.told, "words": words.told(entry.words or [])}
            for entry in self.entries
            if entry.told is not None
        ]


def put_together(*, version: Version) -> Contents:
    """Collect what a reviewed version publishes. Raises SealRefused."""
    stage = scenes(version=version)
    pieces = [piece for scene in stage for piece in scene.published()]
    records = {record.pk: record for piece in pieces for record in piece.records}
    contents = Contents(
        version=version,
        pieces=pieces,
        records=sorted(
            records.values(),
            key=lambda one: (one.speaker.pseudonym, one.given_on, one.status_index),
        ),
        acts={
            activity["type"]: activity["id"] for activity in manifests.activities(steps_of(version))
        },
    )
    places = {
        place.recording_id: place
        for place in version.files.select_related("final").prefetch_related("final__steps")
    }
    for scene in stage:
        add_recording(contents=contents, scene=scene, place=places[scene.recording.pk])
    contents.counts = totals(contents, places=list(places.values()))
    contents.counts["scrubbing"] = scrubbing.looked_for(scene.recording for scene in stage)
    describe(contents)
    contents.entries.sort(key=lambda entry: entry.path.encode())
    return contents


def steps_of(version: Version) -> list[StepRun]:
    """Return the steps whose work stands in the release: intake, and what the review changed."""
    finals = list(version.files.exclude(final__isnull=True).select_related("final"))
    done = StepRun.objects.filter(state=StepRun.State.DONE).select_related("run")
    applied = done.filter(run__in=[place.final_id for place in finals])
    intake = done.filter(run__in=[place.final.after_id for place in finals if place.final])
    found = [*intake.exclude(name__in=("redact", "strip", "quality")), *applied]
    order = {place.recording_id: number for number, place in enumerate(finals)}
    return sorted(
        found,
        key=lambda step: (step.run.phase == "final", step.position, order[step.run.recording_id]),
    )


def add_recording(*, contents: Contents, scene: Scene, place: File) -> None:
    """Add the clips of a recording, or the rows of a text; nothing, where all is left out.

    Recordings are numbered, not named: a name may say who speaks.
    """
    pieces = {
        (one.segment.position, one.part, one.start_ms, one.end_ms): one for one in scene.published()
    }
    if place.final is None:
        require_same(scene, set(pieces), set())
        return
    steps = {step.name: step for step in place.final.steps.all()}
    clips = (steps["redact"].output or {})["clips"]
    segments = place.final.inputs["segments"]
    chosen = [segments[clip["segment"]] for clip in clips]
    named = [
        (segment["position"], segment["part"], segment["start_ms"], segment["end_ms"])
        for segment in chosen
    ]
    require_same(scene, set(pieces), set(named))
    decisions: dict[int, list[dict[str, Any]]] = {}
    for one in place.final.inputs["decisions"]:
        decisions.setdefault(one["segment"], []).append(one)
    found = [(clip, pieces[name]) for clip, name in zip(clips, named, strict=True)]
    if scene.recording.kind == Recording.Kind.AUDIO:
        made = Made(
            segments=segments,
            decisions=decisions,
            files=steps["strip"].files,
            method=str((steps["redact"].output or {}).get("method", "tone")),
            outlines=(steps["quality"].output or {}).get("waveforms", {}),
        )
        contents.unwritten += covered(place.final.inputs, steps["redact"].output or {})
        for clip, piece in found:
            add_clip(contents, scene.recording, piece, clip, made)
    elif found:
        add_text(contents, scene.recording, found, decisions)


def covered(inputs: Mapping[str, Any], redacted: Mapping[str, Any]) -> int:
    """Count the stretches without text that are covered in a recording's clips."""
    pad = redacted["pad_ms"]
    return sum(
        any(
            clip["start_ms"] < end + pad and start - pad < clip["end_ms"]
            for clip in redacted["clips"]
        )
        for start, end in inputs.get("unwritten", ())
    )


def require_same(scene: Scene, now: set[Named], applied: set[Named]) -> None:
    """Raise SealRefused if what would be published changed after the review was applied."""
    if now != applied:
        sentence = _(
            "What is published of «%(path)s» changed after the review was finished: a consent was "
            "recorded, changed or ended. Look at it again and finish the review."
        )
        raise SealRefused(sentence, path=scene.recording.name)


def add_clip(
    contents: Contents,
    recording: Recording,
    piece: Piece,
    clip: dict[str, Any],
    made: Made,
) -> None:
    """Add one clip."""
    source = f"r{recording.number:04d}"
    part = f"-{piece.part}" if piece.part else ""
    path = f"audio/{source}/{piece.segment.position + 1:04d}{part}.flac"
    stored = made.files[clip["file"]]
    segment, decisions = made.segments[clip["segment"]], made.decisions.get(clip["segment"], [])
    labels = labels_of(decisions)
    contents.entries.append(
        Entry(
            path=path,
            kind=ReleaseFile.Kind.CLIP,
            blob=Blob(sha256=stored["sha256"], size=stored["size"]),
            media_type="audio/flac",
            consents=contents.number(piece.records),
            acts=contents.acts_of(AUDIO_STEPS),
            recording=recording,
            told=clip_row(path=path, clip=clip, piece=piece, source=source),
            words=words.published(clip=clip, segment=segment, decisions=decisions),
            peaks=made.outlines.get(clip["file"]),
            bars=tuple(
                Bar(kind, made.method, kind in labels, start, end)
                for start, end, kind in clip["bars"]
            ),
            labels=labels,
        )
    )


def labels_of(decisions: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the kinds of what a label stands for in the text of a clip, or of a row."""
    return tuple(one.kind for one in words.labels(decisions))


def clip_row(*, path: str, clip: dict[str, Any], piece: Piece, source: str) -> dict[str, Any]:
    """Return a clip's row of metadata.jsonl."""
    return {
        "file_name": path,
        "text": clip["text"],
        "language": piece.segment.recording.spoken,
        "speaker": piece.speaker.pseudonym if piece.speaker else None,
        "start_ms": clip["start_ms"],
        "end_ms": clip["end_ms"],
        "duration_ms": clip["end_ms"] - clip["start_ms"],
        "source": source,
        "redactions": [
            {"start_ms": start, "end_ms": end, "label": kind} for start, end, kind in clip["bars"]
        ],
    }


def add_text(
    contents: Contents,
    recording: Recording,
    rows: list[tuple[dict[str, Any], Piece]],
    decisions: Mapping[int, list[dict[str, Any]]],
) -> None:
    """Add the rows of a text as one file."""
    numbers = [clip["segment"] for clip, _piece in rows]
    labels = [kind for number in numbers for kind in labels_of(decisions.get(number, []))]
    data = cards.metadata(
        [{"text": clip["text"], "language": recording.spoken} for clip, _piece in rows]
    )
    contents.entries.append(
        Entry(
            path=f"text/t{recording.number:04d}.jsonl",
            kind=ReleaseFile.Kind.TEXT,
            blob=blobs.keep_bytes(data=data),
            media_type="application/jsonl",
            consents=contents.number(record for _clip, piece in rows for record in piece.records),
            acts=contents.acts_of(TEXT_STEPS),
            recording=recording,
            bars=tuple(Bar(kind, "label", is_labeled=True) for kind in labels),
            labels=tuple(labels),
        )
    )


def describe(contents: Contents) -> None:
    """Add metadata.jsonl and the card."""
    everybody = tuple(range(len(contents.records)))
    version, counts = contents.version, contents.counts
    described = {
        "metadata.jsonl": (
            cards.metadata(contents.clips), "application/jsonl", contents.acts_of(TEXT_STEPS)
        ),
        "README.md": (cards.readme(version=version, counts=counts), "text/markdown", ()),
    }  # fmt: skip
    for path, (data, media_type, acts) in described.items():
        contents.entries.append(
            Entry(
                path=path,
                kind=ReleaseFile.Kind.DESCRIPTION,
                blob=blobs.keep_bytes(data=data),
                media_type=media_type,
                consents=everybody,
                acts=acts,
            )
        )


def totals(contents: Contents, *, places: list[File]) -> dict[str, Any]:
    """Add up the quality figures of the recordings; levels are means weighted by nothing."""
    quality = [
        step.output
        for place in places
        if place.final
        for step in place.final.steps.all()
        if step.name == "quality" and step.output
    ]
    counts = {
        key: sum(one.get(key) or 0 for one in quality)
        for key in ("duration_ms", "speech_ms", "clips_ms", "redacted_ms", "words", "words_timed")
    }
    for key in ("snr_db", "rms_dbfs"):
        known = [one[key] for one in quality if one.get(key) is not None]
        counts[key] = sum(known) // len(known) if known else None
    kinds: dict[str, int] = {}
    for kind in (kind for entry in contents.entries for kind in entry.labels):
        kinds[kind] = kinds.get(kind, 0) + 1
    recordings = {
        entry.recording.pk for entry in contents.entries if entry.recording and entry.told
    }
    return {
        **counts,
        **vars(hearing.of_pieces(contents.pieces)),
        "recordings": len(recordings),
        "clips": len(contents.clips),
        "speakers": len({record.speaker_id for record in contents.records}),
        "redactions": sum(kinds.values()),
        "redactions_by_kind": kinds,
        "unwritten": contents.unwritten,
    }
