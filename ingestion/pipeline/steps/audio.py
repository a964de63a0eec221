"""Sound as blocks of whole samples, read with FFmpeg (PyAV) and never all at once.

Every step that touches samples reads them here, so that one timeline holds for all of them:
sample n of this reader is sample n everywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from commonhold.sentences import _

from ingestion.archive.formats.containers import several_tracks, truncated, unsupported_codec, video
from ingestion.archive.formats.media import MAX_CHANNELS, MAX_RATE, MIN_RATE
from ingestion.pipeline.contract import RefusedError

Samples = npt.NDArray[np.int32]
"""Shape (samples, channels), left-justified: full scale is ±2^31 at any depth."""

DEMUXERS = {"wav": "wav", "flac": "flac", "mp3": "mp3", "ogg": "ogg", "m4a": "mov"}
ANALYSIS_RATE = 16_000
MAX_DAMAGED = 10
LOSSLESS_FLOAT = frozenset({"pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"})


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the opened file says. `bits` (16 or 24) is what its samples are kept with."""

    codec: str
    sample_rate: int
    channels: int
    bits: int
    tags: int
    pictures: int
    chapters: int


@dataclass(slots=True)
class Reader:
    """An opened recording. `damaged` counts the packets that could not be decoded."""

    name: str
    container: InputContainer
    stream: AudioStream
    info: AudioInfo
    packets: int = 0
    damaged: int = 0

    def blocks(self) -> Iterator[Samples]:
        """Yield the recording's samples in order.

        Raises RefusedError `damaged` when more than 10 packets and 1 % can't be decoded, and
        `changes-format` when rate or channels change midway.
        """
        for frame in self._frames():
            if (
                frame.sample_rate != self.info.sample_rate
                or frame.layout.nb_channels != self.info.channels
            ):
                sentence = _(
                    "«%(path)s» changes its sample rate or channels in the middle. "
                    "Export it again as one recording with one format."
                )
                raise RefusedError(sentence, reason="changes-format", path=self.name)
            if frame.samples:
                yield _left_justified(frame, self.info.channels, self.info.bits)

    def _frames(self) -> Iterator[AudioFrame]:
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                raise damaged(self.name) from error
            self.packets += 1
            try:
                yield from packet.decode()
            except av.error.FFmpegError as error:
                self.damaged += 1
                if self.damaged > max(MAX_DAMAGED, self.packets // 100):
                    raise damaged(self.name) from error


def damaged(name: str) -> RefusedError:
    """Return the refusal of a file whose sound can't be decoded."""
    sentence = _(
        "«%(path)s» is damaged: parts of it can't be decoded. "
        "Copy it from the recorder again, or export it anew."
    )
    return RefusedError(sentence, reason="damaged", path=name)


@contextmanager
def opened(path: Path, *, name: str, container: str) -> Iterator[Reader]:
    """Open a recording whose container is known from its bytes.

    The demuxer is named and reads one Python file, so that no playlist or reference inside the
    file can make FFmpeg open something else. Raises RefusedError.
    """
    with path.open("rb") as stream:
        try:
            source = av.open(
                stream, format=DEMUXERS[container], metadata_errors="replace", mode="r"
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise damaged(name) from error
        with source:
            yield _reader(source, name)


def _reader(source: InputContainer, name: str) -> Reader:
    pictures = [stream for stream in source.streams.video if _is_picture(stream)]
    if len(pictures) < len(source.streams.video):
        raise video(name)
    if len(source.streams.audio) != 1:
        raise several_tracks(name, len(source.streams.audio))
    stream = source.streams.audio[0]
    context = stream.codec_context
    if context is None:
        raise unsupported_codec(name, _("unknown"))
    if not stream.rate or context.format is None:
        raise damaged(name)
    rate, channels = stream.rate, stream.channels
    if not (1 <= channels <= MAX_CHANNELS and MIN_RATE <= rate <= MAX_RATE):
        raise damaged(name)
    info = AudioInfo(
        codec=context.name,
        sample_rate=rate,
        channels=channels,
        bits=_kept_bits(context),
        tags=len(source.metadata) + sum(len(part.metadata) for part in source.streams),
        pictures=len(pictures),
        chapters=len(source.chapters()),
    )
    return Reader(name, source, stream, info)


def _is_picture(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _kept_bits(context: Any) -> int:
    """Return 24 where the source has more than 16 bits of its own, else 16 (lossy codecs too)."""
    kind = context.format.name.rstrip("p")
    if kind in {"flt", "dbl"}:
        return 24 if context.name in LOSSLESS_FLOAT else 16
    return 24 if kind == "s32" else 16


def _left_justified(frame: AudioFrame, channels: int, bits: int) -> Samples:
    raw = frame.to_ndarray()
    data = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    kind = frame.format.name.rstrip("p")
    if kind == "s16":
        return data.astype(np.int32) << 16
    if kind == "u8":
        return (data.astype(np.int32) - 128) << 24
    if kind == "s32":
        # FLAC as written here ends at 24 bits; deeper samples lose their lowest bits once, here.
        return data.astype(np.int32) & np.int32(-1 << (32 - bits))
    full = 1 << (bits - 1)
    scaled = np.rint(np.nan_to_num(data.astype(np.float64)) * full)
    return np.clip(scaled, -full, full - 1).astype(np.int32) << (32 - bits)


@dataclass(slots=True)
class Downmix:
    """Turns native blocks into 16 kHz mono 16-bit blocks, by the mean of all channels."""

    rate: int
    resampler: AudioResampler | None = None

    def __post_init__(self) -> None:
        """Start the resampler."""
        self.resampler = AudioResampler(format="s16", layout="mono", rate=ANALYSIS_RATE)

    def feed(self, block: Samples) -> npt.NDArray[np.int16]:
        """Take a native block, return what is ready at 16 kHz."""
        mean = (block.mean(axis=1) / 2**31).astype(np.float32).reshape(1, -1)
        frame = AudioFrame.from_ndarray(mean, format="flt", layout="mono")
        frame.sample_rate = self.rate
        return self._resample(frame)

    def rest(self) -> npt.NDArray[np.int16]:
        """Return what the resampler still holds at the end."""
        return self._resample(None)

    def _resample(self, frame: AudioFrame | None) -> npt.NDArray[np.int16]:
        if self.resampler is None:
            return np.zeros(0, np.int16)
        parts = [part.to_ndarray().reshape(-1) for part in self.resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def check_complete(*, declared: int | None, decoded: int, rate: int, name: str) -> None:
    """Compare the samples that the header declares with those that were decoded.

    A codec's delay may cost a fraction of a second; more is missing sound. Raises RefusedError.
    """
    if decoded == 0:
        sentence = _("«%(path)s» holds no sound. Check the recording and upload it again.")
        raise RefusedError(sentence, reason="empty", path=name)
    if declared is not None and declared - decoded > rate // 4:
        raise truncated(name)
