"""Landlock: the kernel's list of what a process may open, which it can shorten and never lengthen.

Source: include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst. Its three system
calls have no wrapper in glibc; their numbers are the same on every architecture.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_REG = 1 << 8
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15

FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files the kernel knows, by the version that brought them."""
NET_SINCE, NET = 4, 0b11
"""Binding and connecting TCP ports."""
SCOPES_SINCE, SCOPES = 6, 0b11
"""Abstract unix sockets and signals, beyond the processes that are restricted likewise."""


class RulesetAttr(ctypes.Structure):
    """struct landlock_ruleset_attr: what is refused unless a rule allows it."""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class PathBeneathAttr(ctypes.Structure):
    """struct landlock_path_beneath_attr: rights on a file, or on all that lies in a folder."""

    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(ctypes.c_long(number), *arguments)
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


def version() -> int:
    """Return the version of Landlock that the kernel speaks, 0 where it has none."""
    try:
        return _call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(ASK_VERSION))
    except OSError:  # Not built in, switched off, or refused by a container's filter.
        return 0


def restrict(
    *, reads: Iterable[Path], writes: Iterable[Path], devices: Iterable[Path] = ()
) -> None:
    """Let this process open nothing but these files and folders, from now on and for ever.

    `writes` are folders to read, write and make files in, but no folders: who clears up would lose
    its way in a million of them, each in the other. A file stays there once it is made, or what is
    open and has no name would take room that nobody counts. Nothing may be executed anywhere. Needs
    no_new_privs, and a version of at least 1. Raises OSError, also for a path that is not there.
    """
    abi = version()
    handled = (1 << max(bits for since, bits in FILE_RIGHTS.items() if since <= abi)) - 1
    attr = RulesetAttr(
        handled_access_fs=handled,
        handled_access_net=NET if abi >= NET_SINCE else 0,
        scoped=SCOPES if abi >= SCOPES_SINCE else 0,
    )
    size = ctypes.c_size_t(ctypes.sizeof(attr))
    ruleset = _call(CREATE_RULESET, ctypes.byref(attr), size, ctypes.c_uint32(0))
    write = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG
    for rights, paths in (
        (READ_FILE | READ_DIR, reads),
        (write, writes),
        (READ_FILE | WRITE_FILE | IOCTL_DEV, devices),
    ):
        for path in paths:
            _allow(ruleset, path, rights & handled)
    _call(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
    rule = PathBeneathAttr(allowed_access=rights, parent_fd=place)
    _call(
        ADD_RULE,
        ctypes.c_int(ruleset),
        ctypes.c_int(PATH_BENEATH),
        ctypes.byref(rule),
        ctypes.c_uint32(0),
    )
    os.close(place)
