"""seccomp: the system calls that a step may still make; every other one is refused with EPERM.

libseccomp makes the filter: it knows each architecture's numbers and shuts the calls of foreign
ones (x32, int 0x80). Debian has it wherever it has apt. Source: seccomp(2), seccomp_rule_add(3).
"""

import ctypes
import errno
import fcntl
import os
import termios
from collections.abc import Iterator
from typing import NamedTuple

LIBRARY = "libseccomp.so.2"
ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(0)
EQUAL, MASKED_EQUAL = 4, 7  # enum scmp_compare
CLONE_THREAD = 0x00010000
PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 15, 16, 0x53564D41

MEMORY = (
    "brk mmap munmap mremap mprotect madvise mincore mlock munlock msync membarrier get_mempolicy "
    "pkey_alloc pkey_free pkey_mprotect"
)
"""Not memfd_create: its pages count towards no limit."""
FILES = (
    "read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 close close_range "
    "lseek stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat "
    "statfs fstatfs getcwd chdir getdents getdents64 ftruncate fallocate fsync fdatasync fadvise64 "
    "copy_file_range sendfile flock dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 "
    "epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 umask"
)
"""Not unlink and rename: a file without a name takes room where nobody counts it."""
ITSELF = (
    "futex futex_waitv set_robust_list set_tid_address rseq arch_prctl restart_syscall exit "
    "exit_group gettid getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups "
    "getpgrp uname sysinfo getrlimit setrlimit getrusage times getcpu sched_yield capget "
    "sched_get_priority_max sched_get_priority_min rt_sigaction rt_sigprocmask rt_sigreturn "
    "rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack wait4 waitid"
)
TIME = "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getrandom"
ALWAYS = f"{MEMORY} {FILES} {ITSELF} {TIME}".split()

FCNTL = (
    fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL,
    fcntl.F_SETFL, fcntl.F_GETLK, fcntl.F_SETLK, fcntl.F_SETLKW,
)  # fmt: skip
"""Not F_SETOWN and F_SETSIG, which send signals to other processes."""
NAMELESS = os.O_TMPFILE & ~os.O_DIRECTORY
"""The flag by which open(2) makes a file without a name."""


class Compared(ctypes.Structure):
    """struct scmp_arg_cmp: an argument of a call, and what it is held against."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


class Rule(NamedTuple):
    """A call that is allowed if (arguments[which] & mask) == value; without `which`, always."""

    call: str
    which: int | None = None
    value: int = 0
    mask: int | None = None


def rules(*, devices: bool) -> Iterator[Rule]:
    """Yield what a step may do. Devices are spoken to by ioctl(2) in numbers of their own."""
    own = os.getpid()
    yield from (Rule(call) for call in ALWAYS)
    # Threads, never processes. clone3 hides its flags in memory; glibc falls back to clone.
    yield Rule("clone", 0, CLONE_THREAD, CLONE_THREAD)
    yield Rule("tgkill", 0, own)
    for process in (0, own):
        yield Rule("prlimit64", 0, process)
        yield Rule("sched_getaffinity", 0, process)
    for option in (PR_SET_NAME, PR_GET_NAME, PR_SET_VMA):
        yield Rule("prctl", 0, option)
    for command in FCNTL:
        yield Rule("fcntl", 1, command)
    # Before its version 3 (Linux 6.2) Landlock lets a file be emptied by whoever may read it.
    for call, flags in (("open", 1), ("openat", 2)):
        yield Rule(call, flags, 0, os.O_TRUNC | NAMELESS)
        for access in (os.O_WRONLY, os.O_RDWR):
            yield Rule(call, flags, access, os.O_ACCMODE | NAMELESS)
    if devices:
        yield Rule("ioctl")
        yield Rule("mlock2")
        # A driver may want it, and what computes on a device has no limit that it could pass.
        yield Rule("memfd_create")
    else:
        for request in (termios.TCGETS, termios.FIOCLEX, termios.FIONREAD):
            yield Rule("ioctl", 1, request, 0xFFFFFFFF)


def library() -> ctypes.CDLL:
    """Return libseccomp. Raises OSError where it is not installed."""
    found = ctypes.CDLL(LIBRARY)
    found.seccomp_init.restype = ctypes.c_void_p
    found.seccomp_init.argtypes = [ctypes.c_uint32]
    found.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    found.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Compared),
    ]  # fmt: skip
    for name in ("seccomp_load", "seccomp_release"):
        getattr(found, name).argtypes = [ctypes.c_void_p]
    return found


def restrict(*, devices: bool = False) -> None:
    """Refuse every system call but those of `rules`, in this process, from now on and for ever.

    Call it before the first thread. Sets no_new_privs. Raises OSError where the library or the
    kernel's filter is missing.
    """
    made = library()
    filtered = made.seccomp_init(REFUSE | errno.EPERM)
    if not filtered:
        raise OSError(errno.ENOMEM, "seccomp_init failed")
    try:
        _add(made, filtered, Rule("clone3"), REFUSE | errno.ENOSYS)
        for rule in rules(devices=devices):
            _add(made, filtered, rule, ALLOW)
        _check(made.seccomp_load(filtered))
    finally:
        made.seccomp_release(filtered)


def _add(made: ctypes.CDLL, filtered: int, rule: Rule, action: int) -> None:
    number = made.seccomp_syscall_resolve_name(rule.call.encode())
    if number < 0:  # This architecture has no such call (arm64: open, stat, pipe …).
        return
    count, compared = 0, None
    if rule.which is not None:
        count = 1
        compared = (
            Compared(rule.which, EQUAL, rule.value, 0)
            if rule.mask is None
            else Compared(rule.which, MASKED_EQUAL, rule.mask, rule.value)
        )
    given = ctypes.byref(compared) if compared else None
    _check(made.seccomp_rule_add_array(filtered, action, number, count, given))


def _check(answer: int) -> None:
    if answer < 0:
        raise OSError(-answer, f"libseccomp: {os.strerror(-answer)}")
