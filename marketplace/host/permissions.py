"""Who may look into DATA_DIR: its owner, and nobody else on the machine."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

OTHERS = 0o077
PASSAGE = 0o710
# The database keeps its own folder closed, and refuses to start where it is not.
NOT_OURS = frozenset({"postgres", "postgres.unfinished"})
# May hold millions of files, all made closed: looked through only if it is found open itself.
LARGE = frozenset({"blobs"})


def keep_private() -> None:
    """Make whatever this process writes from now on its owner's alone (umask(2))."""
    os.umask(OTHERS)


def close(data_dir: Path) -> int:
    """Close DATA_DIR and all in it to others, and return how many files and folders were open.

    A folder that lets a group pass, but not look (0710), stays as it is: as root without user
    namespaces, the database runs in another account and has to reach its own folder through it.
    """
    is_passage = stat.S_IMODE(data_dir.stat().st_mode) == PASSAGE
    found = [*([] if is_passage else [data_dir]), *inside(data_dir, top=True)]
    return sum(map(close_one, found))


def inside(folder: Path, *, top: bool = False) -> Iterator[Path]:
    """Yield what lies in a folder, however deep, but no links."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.is_symlink() or (top and entry.name in NOT_OURS):
                continue
            is_large = top and entry.name in LARGE
            if entry.is_dir() and (not is_large or is_open(path)):
                yield from inside(path)
            yield path


def is_open(path: Path) -> bool:
    """Tell whether others may do anything with a file or folder."""
    return bool(path.stat().st_mode & OTHERS)


def close_one(path: Path) -> bool:
    """Close a file or folder to others; tell whether it was open."""
    if not is_open(path):
        return False
    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
    return True


def let_pass(data_dir: Path, *, group: int) -> None:
    """Let a group pass through DATA_DIR to what it has in there, and look at nothing."""
    os.chown(data_dir, -1, group)
    data_dir.chmod(PASSAGE)
