"""A step that was taken over: run in a step's place, it tries what its parameters name.

`run` is called where a real step's is, after the process isolated itself. What an attempt came to
stands in the output: the error's name, or what it got hold of.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ingestion.pipeline.contract import Job, Result, Tool
from ingestion.pipeline.steps import __main__ as runner
from ingestion.pipeline.steps import isolation, landlock

PTRACE_ATTACH, SYS_PIDFD_OPEN, SYS_IO_URING = 16, 434, 425
LIBC = ctypes.CDLL(None, use_errno=True)


def system(call: str, *arguments: object) -> object:
    """Call libc as an attacker's machine code would; an error is raised."""
    answer = getattr(LIBC, call)(*arguments)
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def read(path: str) -> object:
    return Path(path).read_bytes()


def listed(path: str) -> object:
    return list(Path(path).iterdir())


def write(path: str) -> object:
    return Path(path).write_bytes(b"hostile")


def append(path: str) -> object:
    with Path(path).open("ab") as file:
        return file.write(b"hostile")


def empty(path: str) -> object:
    return os.open(path, os.O_RDONLY | os.O_TRUNC)


def truncate(path: str) -> object:
    os.truncate(path, 0)
    return "emptied"


def remove(path: str) -> object:
    Path(path).unlink()
    return "removed"


def rename(path: str) -> object:
    return Path(path).rename(f"{path}.gone")


def chmod(path: str) -> object:
    Path(path).chmod(0o666)
    return "opened to all"


def touch(path: str) -> object:
    os.utime(path, (0, 0))
    return "dated"


def nest(path: str) -> object:
    for _ in range(3000):
        Path("deeper").mkdir()
        os.chdir("deeper")
    return path


def link_out(path: str) -> object:
    Path("link").symlink_to(path)
    return "linked"


def link_hard(path: str) -> object:
    Path("hard").hardlink_to(path)
    return "linked"


def fifo(path: str) -> object:
    os.mkfifo(f"{path}.fifo")
    return "made"


def connect_inet(path: str) -> object:
    host, _, port = path.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=2)


def connect_unix(path: str) -> object:
    socket.socket(socket.AF_UNIX).connect(path)
    return "connected"


def look_up(path: str) -> object:
    return socket.getaddrinfo(path, 80)


def shell(path: str) -> object:
    return subprocess.run(["/bin/sh", "-c", f"touch {path}"], check=True)


def execute(path: str) -> object:
    os.execv("/bin/sh", ["sh", "-c", f"touch {path}"])  # noqa: S606 - the attack itself


def fork(path: str) -> object:
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        Path(path).touch()
    return "left behind"


def signal_parent(path: str) -> object:
    os.kill(os.getppid(), int(path))
    return "signalled"


def signal_thread(path: str) -> object:
    return system("tgkill", os.getppid(), os.getppid(), int(path))


def owner_of_signals(path: str) -> object:
    out, _ = os.pipe()
    fcntl.fcntl(out, fcntl.F_SETOWN, os.getppid())
    return path


def trace_parent(path: str) -> object:
    return system("ptrace", PTRACE_ATTACH, os.getppid(), None, None) or path


def read_memory(path: str) -> object:
    class IoVec(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    here = ctypes.create_string_buffer(64)
    mine = IoVec(ctypes.cast(here, ctypes.c_void_p), 64)
    theirs = IoVec(ctypes.c_void_p(id(here)), 64)
    return system(
        "process_vm_readv", os.getppid(), ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0
    )


def limit_parent(path: str) -> object:
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))
    return path


def slow_parent(path: str) -> object:
    os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
    return path


def handle_on_parent(path: str) -> object:
    return system("syscall", SYS_PIDFD_OPEN, os.getppid(), 0) or path


def unguarded_kernel(path: str) -> object:
    return system("syscall", SYS_IO_URING, 1, None) or path


def namespaces(path: str) -> object:
    return system("unshare", 0x10000000) or path


def outlive_parent(path: str) -> object:
    return system("prctl", 1, 0, 0, 0, 0) or path


def descriptors(path: str) -> object:
    held = [number for number in range(3, 256) if is_open(number)]
    if held:
        return held
    raise OSError(f"none is open: {path}")


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def environment(path: str) -> object:
    return sorted(os.environ)


def big_file(path: str) -> object:
    with Path("big").open("wb") as file:
        file.writelines(bytes(1 << 20) for _ in range(int(path)))
    return "written"


def many_files(path: str) -> object:
    for number in range(int(path)):
        Path(f"file{number}").touch()
    while True:
        time.sleep(1)


def fill_disk(path: str) -> object:
    for number in range(int(path)):
        Path(f"part{number}").write_bytes(bytes(1 << 20))
    while True:
        time.sleep(1)


def hidden_memory(path: str) -> object:
    return os.write(os.memfd_create("hidden"), bytes(int(path) << 20))


def hidden_file(path: str) -> object:
    return os.write(os.open(".", os.O_TMPFILE | os.O_RDWR), bytes(int(path) << 20))


def unlinked_file(path: str) -> object:
    with Path("part").open("wb") as file:
        Path("part").unlink()
        return file.write(bytes(int(path) << 20))


def replaced_file(path: str) -> object:
    with Path("part").open("wb") as file:
        Path("other").touch()
        Path("other").rename("part")
        return file.write(bytes(int(path) << 20))


def many_threads(path: str) -> object:
    wait = threading.Event()
    for number in range(int(path)):
        try:
            threading.Thread(target=wait.wait, daemon=True).start()
        except RuntimeError:
            return f"stopped at {number // 100} hundred"
    return "started all"


def open_files(path: str) -> object:
    return [os.open("/dev/null", os.O_RDONLY) for _ in range(int(path))]


def memory(path: str) -> object:
    return len(bytes(int(path) << 20))


def spin(path: str) -> object:
    while True:
        pass


def hang(path: str) -> object:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def print_last(path: str) -> object:
    """Die with a last word that no text of the database can be."""
    os.write(2, f"{path}\0\x1b[2J\u202e{path * 4000}\n".encode())
    os._exit(1)


def answer_with(path: str) -> object:
    """Write the answer that the test gives in place of an honest one."""
    Path("result.json").write_text(path)
    os._exit(0)


def run(job: Job) -> Result:
    """Try it, and say what it came to."""
    attempt: Callable[[str], object] = globals()[job.parameters["attempt"]]
    try:
        got = repr(attempt(str(job.parameters["path"])))[:200]
    except (OSError, MemoryError, RuntimeError) as error:
        got = type(error).__name__
    return Result({"got": got}, Tool("hostile", "1"))


def weaken() -> None:
    """Do as if the kernel were that of Debian 12, in a container that forbids namespaces."""
    landlock.version = lambda: 1
    isolation.CLONE_NEWUSER = 1  # No flag of unshare(2): it answers EINVAL.


if __name__ == "__main__":
    if json.loads(Path(sys.argv[1]).read_bytes())["parameters"].get("weaker"):
        weaken()
    step = ModuleType("ingestion.pipeline.steps.hostile")
    step.run = run  # type: ignore[attr-defined]
    sys.modules[step.__name__] = step
    runner.STEPS += ("hostile",)
    os._exit(runner.main(sys.argv[1:]))
