"""What anybody may hear of a sealed release: its first clips, one minute in all.

Text and sound are those of the release, scrubbed; only the times of the words come from the
pipeline's rows, and only where they spell the published text.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Prefetch

from ingestion import coverage, pipeline, releases
from ingestion.models import File, Finding, PipelineRun, Segment, StepRun, Version
from ingestion.storage import blob_store

PREVIEW_MS = 60_000
EXCERPTS = 5
METADATA = "metadata.jsonl"


@dataclass(frozen=True)
class Clip:
    """A clip to listen to. `words` and `bars` are in milliseconds of the clip."""

    number: int
    path: str
    text: str
    speaker: str
    duration_ms: int
    bars: list[list[Any]]
    words: list[dict[str, Any]]
    peaks: list[int]


def rows(version: Version) -> list[dict[str, Any]]:
    """Return the metadata of the clips that may be heard: the first ones, PREVIEW_MS in all.

    The first clip always may, unless it alone is longer. None while a consent is withdrawn or
    expired.
    """
    if not version.is_sealed or coverage.state(version=version) != "given":
        return []
    found: list[dict[str, Any]] = []
    left = PREVIEW_MS
    for line in lines(version, METADATA):
        row = json.loads(line)
        left -= row["duration_ms"]
        if left < 0:
            break
        found.append(row)
    return found


def lines(version: Version, path: str) -> Iterator[bytes]:
    """Yield the lines of a published file, read as far as they are asked for."""
    file = releases.files(version=version).filter(path=path).first()
    if file is None:
        return
    with blob_store().open(file.blob_id) as data:
        yield from data


def audio_file(version: Version, number: int) -> File | None:
    """Return the file of preview clip `number` (from 1), or None if it may not be heard."""
    heard = rows(version)
    if not 1 <= number <= len(heard):
        return None
    return releases.files(version=version).filter(path=heard[number - 1]["file_name"]).first()


def clips(version: Version) -> list[Clip]:
    """Return the clips that anybody may hear, with words in time and waveforms."""
    heard = rows(version)
    if not heard:
        return []
    sources = list(pipeline.sources(version=version))
    segments = segments_of(sources, heard)
    waveforms = waveforms_of(sources)
    return [
        Clip(
            number=number,
            path=row["file_name"],
            text=row["text"],
            speaker=row["speaker"] or "",
            duration_ms=row["duration_ms"],
            bars=row["redactions"],
            words=words(row, segments.get(place(row))),
            peaks=waveforms.get(place(row), []),
        )
        for number, row in enumerate(heard, start=1)
    ]


def place(row: dict[str, Any]) -> tuple[int, int]:
    """Return which recording (from 0) and which segment of it (from 0) a clip was cut from."""
    _, recording, name = row["file_name"].split("/")
    return int(recording[1:]) - 1, int(name.partition(".")[0]) - 1


def segments_of(
    sources: Sequence[File], heard: Sequence[dict[str, Any]]
) -> dict[tuple[int, int], Segment]:
    """Return the segments of the clips, by their place."""
    confirmed = Finding.objects.filter(state=Finding.State.CONFIRMED).order_by("start_char")
    numbers = {file.pk: number for number, file in enumerate(sources)}
    found = Segment.objects.filter(
        file__in={sources[place(row)[0]] for row in heard},
        position__in={place(row)[1] for row in heard},
    ).prefetch_related(Prefetch("findings", queryset=confirmed, to_attr="confirmed"))
    return {(numbers[segment.file_id], segment.position): segment for segment in found}


def waveforms_of(sources: Sequence[File]) -> dict[tuple[int, int], list[int]]:
    """Return the peaks that the quality step drew for each clip."""
    numbers = {file.pk: number for number, file in enumerate(sources)}
    steps = StepRun.objects.filter(
        run__file__in=sources, run__phase=PipelineRun.Phase.FINAL, name="quality"
    ).values_list("run__file_id", "output")
    return {
        (numbers[file_id], int(name.rpartition("/")[2].partition(".")[0]) - 1): peaks
        for file_id, output in steps
        for name, peaks in ((output or {}).get("waveforms") or {}).items()
    }


def words(row: dict[str, Any], segment: Segment | None) -> list[dict[str, Any]]:
    """Return the published words with their times in the clip, or none where they don't agree."""
    if segment is None:
        return []
    found: list[dict[str, Any]] = []
    said = 0
    for word in segment.words:
        finding = covering(segment, word)
        if finding is None:
            found.append(timed(word["text"], word, row))
            continue
        if finding.start_char < said:
            found[-1]["end_ms"] = timed("", word, row)["end_ms"]
            continue
        found.append(timed(f"[{finding.kind.upper()}]", word, row))
        said = finding.end_char
    spelled = "".join(word["text"] for word in found)
    same = letters(spelled) == letters(row["text"])
    return found if same else []


def covering(segment: Segment, word: dict[str, Any]) -> Finding | None:
    """Return the confirmed finding that a word lies in."""
    confirmed: list[Finding] = segment.confirmed  # type: ignore[attr-defined]  # a prefetch's name
    for finding in confirmed:
        if finding.start_char < word["end_char"] and finding.end_char > word["start_char"]:
            return finding
    return None


def timed(text: str, word: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return a word in the time of its clip."""
    known = word.get("timed") and word.get("start_ms") is not None
    return {
        "text": text,
        "start_ms": max(0, word["start_ms"] - row["start_ms"]) if known else None,
        "end_ms": min(row["duration_ms"], word["end_ms"] - row["start_ms"]) if known else None,
    }


def letters(text: str) -> str:
    """Return a text without its spaces and punctuation, for comparing what is spelled."""
    return "".join(character for character in text if character.isalnum())


def excerpts(version: Version) -> list[str]:
    """Return the first rows of a release of text, for reading."""
    if not version.is_sealed or coverage.state(version=version) != "given":
        return []
    first = releases.files(version=version).filter(path__startswith="text/").first()
    if first is None:
        return []
    return [json.loads(line)["text"] for line in islice(lines(version, first.path), EXCERPTS)]
