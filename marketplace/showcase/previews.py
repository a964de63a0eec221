"""What anybody may hear of an offered release: its first clips, one minute in all.

Text, words and sound are those of the release, scrubbed, as they were sealed.
"""

from dataclasses import dataclass
from typing import Any

from ingestion import releases
from ingestion.archive.blobs import BytesDamaged
from ingestion.models import ReleaseFile, Version

PREVIEW_MS = 60_000
MOST_CLIPS = 200
EXCERPTS = 5


@dataclass(frozen=True)
class Clip:
    """A clip to listen to. `words` and `bars` are in milliseconds of the clip."""

    number: int
    file: ReleaseFile
    path: str
    text: str
    language: str
    speaker: str
    duration_ms: int
    bars: list[list[Any]]
    words: list[dict[str, Any]]
    peaks: list[int]


def clips(*, version: Version) -> list[Clip]:
    """Return the clips that may be heard: the first ones, PREVIEW_MS in all.

    The first clip always may, unless it alone is longer. None while a consent is withdrawn or
    expired.
    """
    if not may_be_heard(version):
        return []
    found: list[Clip] = []
    left = PREVIEW_MS
    first = releases.files(version=version).filter(kind=ReleaseFile.Kind.CLIP)
    for file in first[:MOST_CLIPS]:
        clip = clip_of(file, number=len(found) + 1)
        left -= clip.duration_ms
        if left < 0:
            break
        found.append(clip)
    return found


def may_be_heard(version: Version) -> bool:
    """Whether anything of a version is played to visitors now."""
    return version.is_sealed and version.consent_state == Version.Consent.GIVEN


def clip_of(file: ReleaseFile, *, number: int) -> Clip:
    """Return a clip as a page plays it."""
    told = file.told or {}
    return Clip(
        number=number,
        file=file,
        path=file.path,
        text=told["text"],
        language=told["language"],
        speaker=told["speaker"] or "",
        duration_ms=told["duration_ms"],
        bars=[[bar["start_ms"], bar["end_ms"], bar["label"]] for bar in told["redactions"]],
        words=file.words or [],
        peaks=file.peaks or [],
    )


def audio_file(*, version: Version, number: int) -> ReleaseFile | None:
    """Return the file of preview clip `number` (from 1), or None if it may not be heard."""
    heard = clips(version=version)
    return heard[number - 1].file if 1 <= number <= len(heard) else None


def excerpts(*, version: Version) -> list[str]:
    """Return the first rows of a release of text, for reading."""
    if not may_be_heard(version):
        return []
    first = releases.files(version=version).filter(kind=ReleaseFile.Kind.TEXT).first()
    try:
        return releases.first_texts(file=first, count=EXCERPTS) if first else []
    except BytesDamaged:
        return []  # Its owner and the operator are told; the page has nothing to read out.
