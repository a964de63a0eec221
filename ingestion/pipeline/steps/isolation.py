"""What a step's process does to itself before it touches a stranger's bytes."""

import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG = 1  # prctl(2)
MIB = 1024 * 1024


def die_with(*, parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends (prctl(2)).

    A parent that ended before it was asked for would not be noticed: then this process has another
    one by now, and ends at once.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def limit(*, memory_mib: int) -> None:
    """Cap the address space (0 = no cap, as CUDA needs) and leave no core file behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_mib > 0:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = memory_mib * MIB
        ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    os.umask(0o077)
