"""The walk through the services, with real recordings and the real steps."""

import base64
import hashlib
import io
import re
from datetime import date
from pathlib import Path

import numpy as np
import soundfile

from accounts.models import User
from ingestion import consent, review
from ingestion.archive import uploads
from ingestion.models import Finding, PipelineRun, Recording, Segment, Upload, Version
from ingestion.pipeline import jobs
from tests import factories, sealed

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
NAME = "sense_and_sensibility_01_austen_64kb-{}.wav"
SHORT = "0880"
"""«he was not an ill disposed young man», the shortest of the recordings."""


def editor(version: Version) -> User:
    """Somebody who may work on the version."""
    return factories.owner_of(version.dataset.organization)


def draft(**particulars) -> Version:
    """A new dataset's empty draft."""
    return sealed.dataset(**particulars).versions.get()


def recording(number: str = SHORT) -> bytes:
    """A LibriVox recording: 16 kHz mono WAV."""
    return (LIBRIVOX / NAME.format(number)).read_bytes()


def words_of(number: str = SHORT) -> str:
    """What is said in it."""
    found = re.search(rf"<s> (.*) </s> \(.*-{number}\)", (LIBRIVOX / "transcription").read_text())
    assert found is not None
    return found[1]


def samples(data: bytes) -> np.ndarray:
    """The samples of an audio file, 16 bit."""
    return soundfile.read(io.BytesIO(data), dtype="int16")[0]


def begin(version: Version, path: str, data: bytes) -> Upload:
    """Announce a file."""
    return uploads.begin(version=version, path=path, size=len(data), by=editor(version))


def upload(version: Version, path: str, data: bytes, *, part_size: int = 8 * 2**20) -> Upload:
    """Send a file in parts, and complete it."""
    begun = begin(version, path, data)
    Upload.objects.filter(pk=begun.pk).update(part_size=part_size)
    begun.refresh_from_db()
    for part in uploads.part_states(upload=begun):
        piece = data[part.offset : part.offset + part.size]
        send(begun, part.number, piece)
    return uploads.complete(
        upload=begun, by=begun.created_by, sha256=hashlib.sha256(data).hexdigest()
    )


def send(to: Upload, number: int, piece: bytes) -> None:
    """Send one part with its checksum."""
    checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    uploads.receive_part(upload=to, number=number, chunks=[piece], checksum=checksum)


def agree(
    version: Version,
    path: str,
    *stretch: int,
    name: str = "The Reader",
    purposes=sealed.OPEN,
) -> None:
    """Record that somebody who is heard in a recording agreed."""
    consent.enter(
        dataset=version.dataset,
        person=consent.Person(name, role="reader"),
        notice=consent.Notice("We publish this reading.", "en"),
        terms=consent.Terms(tuple(purposes), date(2026, 3, 3), "US", ("voice-cloning",)),
        stretches=[consent.Stretch(named(version, path), *stretch)],
        by=editor(version),
    )


def named(version: Version, path: str) -> Recording:
    """The version's recording of this name."""
    return Recording.objects.get(files__version=version, name=path)


def process(version: Version) -> Version:
    """Run the pipeline to its end."""
    for run in jobs.start(version=version, by=editor(version)):
        jobs.execute(run_id=run.pk)
    version.refresh_from_db()
    return version


def hear_everything(version: Version) -> None:
    """Confirm every finding and read every stretch; speech without text is left out."""
    by = editor(version)
    review.leave_out_unwritten(version=version, by=by)
    for finding in Finding.objects.of(version).open():
        review.decide(finding=finding, redact=True, by=by)
    for segment in Segment.objects.of(version).standing().unread():
        review.review_segment(segment=segment, by=by)


def finish(version: Version) -> list[PipelineRun]:
    """Finish the review and apply its decisions."""
    runs = review.finish(version=version, by=editor(version))
    done = [jobs.execute(run_id=run.pk) for run in runs]
    version.refresh_from_db()
    return [run for run in done if run is not None]
