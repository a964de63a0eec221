"""A recording's outline for the eye: at most 600 peaks, 0 to 100 of its own loudest."""

import numpy as np
import numpy.typing as npt

MAX_PEAKS = 600


class Outline:
    """Collects peaks as blocks pass; memory grows by one number per 10 ms of sound."""

    def __init__(self, *, rate: int) -> None:
        """Collect for sound of `rate` Hz."""
        self._step = max(1, rate // 100)
        self._peaks: list[npt.NDArray[np.int64]] = []
        self._rest = np.zeros(0, np.int64)

    def feed(self, block: npt.NDArray[np.integer]) -> None:
        """Take one channel's samples."""
        loud = np.concatenate([self._rest, np.abs(block.astype(np.int64))])
        whole = len(loud) // self._step * self._step
        if whole:
            self._peaks.append(loud[:whole].reshape(-1, self._step).max(axis=1))
        self._rest = loud[whole:]

    def peaks(self) -> list[int]:
        """Return at most 600 integers 0..100, where 100 is the recording's own loudest sample."""
        rest = [self._rest.max(keepdims=True)] if len(self._rest) else []
        loud = np.concatenate([*self._peaks, *rest]) if self._peaks or rest else np.zeros(0)
        top = int(loud.max()) if len(loud) else 0
        if top == 0:
            return [0] * min(len(loud), MAX_PEAKS)
        edges = np.linspace(0, len(loud), min(len(loud), MAX_PEAKS) + 1).astype(int)[:-1]
        return [int(peak) for peak in np.maximum.reduceat(loud, edges) * 100 // top]
