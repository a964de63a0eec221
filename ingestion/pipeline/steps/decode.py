"""Step 1: is the recording whole and sane; 16 kHz mono for everything that listens."""

from dataclasses import dataclass

import av
import soundfile
from commonhold.sentences import _, n_

from ingestion.archive.formats import media
from ingestion.archive.formats.containers import Header, read_header
from ingestion.pipeline.contract import Job, RefusedError, Result, Tool
from ingestion.pipeline.steps import audio, waveform

DEFAULT_MAX_HOURS = 12
MOST_SAMPLES = 2 * 96_000
"""In a second, of all channels: stereo at 96 kHz. More is refused sooner than MAX_HOURS."""
ANALYSIS_FILE = "analysis.flac"


@dataclass(slots=True)
class Decoded:
    """What passed through: samples per channel at the native rate, the outline."""

    samples: int
    peaks: list[int]


def run(job: Job) -> Result:
    """Decode the whole recording once; write analysis.flac (16 kHz, mono, 16 bit).

    Parameters: `max_hours`. Raises RefusedError for anything that isn't one whole recording.
    """
    seen = media.sniff(job.source, job.name)
    if seen.kind != "audio":
        sentence = _("«%(path)s» is text; only recordings are decoded.")
        raise RefusedError(sentence, reason="wrong-type", path=job.name)
    max_hours = int(job.parameters.get("max_hours", DEFAULT_MAX_HOURS))
    with audio.opened(job.source, name=job.name, container=seen.container) as reader:
        decoded = _decode(reader, job, max_hours)
        info, damaged = reader.info, reader.damaged
    audio.check_complete(
        declared=_header(job, seen.container).samples,
        decoded=decoded.samples,
        rate=info.sample_rate,
        name=job.name,
    )
    output = {
        "container": seen.container,
        "codec": info.codec,
        "duration_ms": decoded.samples * 1000 // info.sample_rate,
        "sample_rate": info.sample_rate,
        "channels": info.channels,
        "bits": info.bits,
        "samples": decoded.samples,
        "tags": info.tags,
        "pictures": info.pictures,
        "chapters": info.chapters,
        "damaged_packets": damaged,
        "waveform": decoded.peaks,
    }
    return Result(output, tool(), (ANALYSIS_FILE,))


def tool() -> Tool:
    """Return the decoder's name and version."""
    versions = av.library_versions["libavcodec"]
    return Tool("ffmpeg", f"libavcodec {'.'.join(map(str, versions))}, PyAV {av.__version__}")


def too_long(name: str, max_hours: int) -> RefusedError:
    """Return the refusal of a recording that goes on for too long."""
    sentence = n_(
        "«%(path)s» is longer than %(hours)s hour. Split it into several recordings.",
        "«%(path)s» is longer than %(hours)s hours. Split it into several recordings.",
        max_hours,
    )
    return RefusedError(sentence, reason="too-long", path=name, hours=max_hours)


def too_much(name: str, max_hours: int) -> RefusedError:
    """Return the refusal of a recording with more channels and samples than it has speech."""
    sentence = n_(
        "«%(path)s» holds more sound than %(hours)s hour of stereo at 96 kHz. Export it with fewer "
        "channels or a lower sample rate, or split it into several recordings.",
        "«%(path)s» holds more sound than %(hours)s hours of stereo at 96 kHz. Export it with "
        "fewer channels or a lower sample rate, or split it into several recordings.",
        max_hours,
    )
    return RefusedError(sentence, reason="too-much-sound", path=name, hours=max_hours)


def _header(job: Job, container: str) -> Header:
    with job.source.open("rb") as stream:
        size = job.source.stat().st_size
        return read_header(stream, size=size, name=job.name, container=container)


def _decode(reader: audio.Reader, job: Job, max_hours: int) -> Decoded:
    rate = reader.info.sample_rate
    outline = waveform.Outline(rate=audio.ANALYSIS_RATE)
    mixer = audio.Downmix(rate)
    samples = 0
    with soundfile.SoundFile(
        job.workdir / ANALYSIS_FILE, "w", audio.ANALYSIS_RATE, 1, "PCM_16", format="FLAC"
    ) as analysis:
        for block in reader.blocks():
            samples += len(block)
            if samples > max_hours * 3600 * rate:
                raise too_long(job.name, max_hours)
            if samples * reader.info.channels > max_hours * 3600 * MOST_SAMPLES:
                raise too_much(job.name, max_hours)
            mono = mixer.feed(block)
            analysis.write(mono)
            outline.feed(mono)
        mono = mixer.rest()
        analysis.write(mono)
        outline.feed(mono)
    return Decoded(samples, outline.peaks())
