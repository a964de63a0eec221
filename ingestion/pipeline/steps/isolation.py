"""What a step's process does to itself before it touches a stranger's bytes.

It takes its own rights away: three guards of the kernel, each used wherever the kernel has it, so
that a file which takes the process over finds nothing but the files it was called for
(docs/decisions/0019-steps-are-alone.md).
"""

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import commonhold
from commonhold.errors import CommonholdError
from commonhold.sentences import _

from ingestion.pipeline.contract import Job
from ingestion.pipeline.steps import landlock, seccomp

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # prctl(2)
CLONE_NEWUTS, CLONE_NEWIPC = 0x04000000, 0x08000000  # unshare(2)
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CAPABILITY_VERSION_3 = 0x20080522  # capset(2)
MIB = 1024 * 1024
MOST_FILES, MOST_THREADS = 256, 64
SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    "/etc/ssl/openssl.cnf", "/usr/share/zoneinfo", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system/cpu", "/dev/urandom",
)  # fmt: skip
"""What libraries read when they are loaded: the same on every machine, nobody's secret."""
ACCELERATOR = ("/proc/driver/nvidia", "/proc/devices", "/sys/devices", "/sys/bus/pci")
"""What CUDA reads beside its devices."""


MISSING = {
    "landlock": _(
        "Nothing is processed, because steps can't be isolated here: the kernel has no Landlock. "
        "Use Linux 5.13 or newer with Landlock switched on, or take landlock out of STEP_ISOLATION."
    ),
    "namespaces": _(
        "Nothing is processed, because steps can't be isolated here: user namespaces are "
        "forbidden. Allow them, or take namespaces out of STEP_ISOLATION."
    ),
    "seccomp": _(
        "Nothing is processed, because steps can't be isolated here: there is no seccomp filter. "
        "Install libseccomp2, or take seccomp out of STEP_ISOLATION."
    ),
}


class NotIsolatedError(CommonholdError):
    """The kernel does not give what a step must have around it."""

    code: ClassVar[str] = "step-not-isolated"
    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class Guards:
    """What stands around a process: `landlock` is the kernel's version of it, 0 for none."""

    namespaces: bool
    landlock: int
    seccomp: bool

    def __str__(self) -> str:
        """Say it as an operator reads it: namespaces yes, Landlock 7, seccomp yes."""
        namespaces, calls = ("yes" if one else "no" for one in (self.namespaces, self.seccomp))
        return f"namespaces {namespaces}, Landlock {self.landlock or 'no'}, seccomp {calls}"

    @property
    def standing(self) -> frozenset[str]:
        """Return the names of those that stand."""
        return frozenset(
            name for name in ("namespaces", "landlock", "seccomp") if getattr(self, name)
        )


def die_with(*, parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends (prctl(2)).

    A parent that ended before it was asked for would not be noticed: then this process has another
    one by now, and ends at once.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def limit(*, memory_mib: int, cpu_seconds: int = 0, file_mib: int = 0) -> None:
    """Cap address space, processor time and the size of each file (0 = no cap); no core file.

    CUDA needs an address space without a cap.
    """
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_NOFILE, MOST_FILES)
    for which, most in (
        (resource.RLIMIT_AS, memory_mib * MIB),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_mib * MIB),
    ):
        if most > 0:
            _cap(which, most)
    # A file that grows too large is an error to the step, not its death.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.umask(0o077)


def _cap(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    ceiling = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (ceiling, ceiling))


def enter(job: Job) -> Guards:
    """Leave this process its job's files and nothing else.

    Call it before the first thread and the first library. Raises NotIsolatedError when a guard is
    missing that the job asks for.
    """
    return isolate(
        reads=(*code(), *inputs(job)),
        writes=(job.workdir,),
        devices=job.devices,
        required=job.isolation,
    )


def isolate(
    *,
    reads: Iterable[Path],
    writes: Iterable[Path],
    devices: Iterable[Path] = (),
    required: Iterable[str],
) -> Guards:
    """Raise every guard that the kernel has. Raises NotIsolatedError when a required one lacks."""
    devices = tuple(devices)
    namespaces = _leave_namespaces()
    _drop_capabilities()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    abi = landlock.version()
    if abi:
        beside = [Path(name) for name in ACCELERATOR if devices]
        present = [path for path in beside if path.exists()]
        shared = Path("/dev/null")
        landlock.restrict(reads=(*reads, *present), writes=writes, devices=(shared, *devices))
    guards = Guards(namespaces, abi, _filter_calls(devices=bool(devices)))
    require(guards, required=required)
    return guards


def require(guards: Guards, *, required: Iterable[str]) -> None:
    """Raise NotIsolatedError, which says what to do, when a required guard does not stand."""
    for name in sorted(set(required) - guards.standing):
        raise NotIsolatedError(MISSING[name])


def code() -> list[Path]:
    """Return the files and folders that programs are loaded from: never the whole checkout."""
    known = sysconfig.get_paths()
    python = [known[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    found = {Path(name) for name in (*SYSTEM, *python)}
    found |= {Path(sys.base_prefix) / "lib", Path(__file__).parents[2]}
    found.add(Path(commonhold.__file__).parent)
    return [path for path in sorted(found) if path.exists()]


def inputs(job: Job) -> Iterator[Path]:
    """Yield the files that a job's step is there to read."""
    yield job.source
    if job.transcript is not None:
        yield job.transcript
    for files in job.input_files.values():
        yield from files.values()
    checkpoint = Path(str(job.parameters.get("checkpoint") or ""))
    if checkpoint.is_file():
        yield checkpoint


def _leave_namespaces() -> bool:
    """Go where there is no network, no shared memory and no host name; False if forbidden."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0:
        return False
    # Counted in the new user namespace, so that nobody else's processes use it up.
    _cap(resource.RLIMIT_NPROC, MOST_THREADS)
    return True


def _drop_capabilities() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")


def _filter_calls(*, devices: bool) -> bool:
    try:
        seccomp.restrict(devices=devices)
    except OSError:  # libseccomp or the kernel's filter is missing: the caller says so.
        return False
    return True


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
