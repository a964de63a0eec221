"""What a step may take, from the bytes that it is given and the operator's settings.

Never from what a file says of itself: a header may declare a hundred days of sound.
"""

from typing import NamedTuple

from django.conf import settings

BASE_SECONDS = 5 * 60
LEAST_BYTES_PER_SECOND = 750
"""Opus at 6 kbit/s, the leanest that people record with."""
SECONDS_PER_AUDIO_SECOND = {"decode": 0.25, "vad": 0.25, "text": 5.0, "strip": 0.25}
OTHERWISE = 1.0
FILE_MIB = 2048
"""Twelve hours of what listeners are given (16 kHz, 16 bit) are 1.3 GiB before they are packed."""
MOST_OUTPUTS = 100_000


class Budget(NamedTuple):
    """Seconds by the clock and of one processor; MiB of memory, of each file, and of all files."""

    seconds: int
    memory_mib: int
    file_mib: int
    disk_mib: int


def of(*, step: str, size: int, decoded_ms: int | None) -> Budget:
    """Return what a step may take over `size` bytes; `decoded_ms` once the sound was decoded.

    So many bytes hold only so much sound, and more than STEP_MAX_HOURS is refused anyway. Sound
    that packs better than speech (silence) has BASE_SECONDS, in which hours of it are decoded.
    """
    held = size / LEAST_BYTES_PER_SECOND if decoded_ms is None else decoded_ms / 1000
    sound = min(max(0.0, held), settings.STEP_MAX_HOURS * 3600)
    seconds = BASE_SECONDS + sound * SECONDS_PER_AUDIO_SECOND.get(step, OTHERWISE)
    return Budget(int(seconds) + 1, settings.STEP_MEMORY_MIB, FILE_MIB, settings.STEP_DISK_MIB)
