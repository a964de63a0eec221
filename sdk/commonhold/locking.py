"""One at a time: a lock on an open file, which ends with the process that holds it."""

import sys

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int, *, wait: bool) -> None:
        while True:
            try:
                # LK_LOCK gives up after ten seconds.
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError as error:
                if not wait:
                    raise BlockingIOError from error
            else:
                return

else:
    import fcntl

    def _take(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def take(descriptor: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed; return False if another holds it and we don't wait."""
    try:
        _take(descriptor, wait=wait)
    except BlockingIOError:
        return False
    return True
