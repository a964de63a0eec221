"""Two at once: a call in a thread with its own connection, up to the lock that it waits for."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection


class Call:
    """A call that goes on elsewhere; `result` gives what it returned or raises what it raised."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.backend: int | None = None
        self.returned: Any = None
        self.raised: BaseException | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Call the function."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self.backend,) = cursor.fetchone()
            self.returned = self.function()
        except BaseException as error:  # noqa: BLE001 - told by `result`
            self.raised = error
        finally:
            connection.close()

    def waits_for_a_lock(self) -> bool:
        """Whether the database lets it wait for somebody else."""
        with connection.cursor() as cursor:
            # pg_stat_activity would say the same until the end of the transaction of who asks.
            cursor.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [self.backend])
            return cursor.fetchone() is not None

    def until_it_waits(self, seconds: float = 20) -> "Call":
        """Return once it waits for a lock; fail if it ends before."""
        deadline = time.monotonic() + seconds
        while not self.waits_for_a_lock():
            assert self.thread.is_alive(), f"it ended: {self.raised or self.returned!r}"
            assert time.monotonic() < deadline, "it waits for nobody"
            time.sleep(0.01)
        return self

    def result(self, seconds: float = 30) -> Any:
        """Wait until it ends."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "it goes on and on"
        if self.raised is not None:
            raise self.raised
        return self.returned


def all_of(*functions: Callable[[], Any]) -> list[Any]:
    """Let several calls run at once; return what each returned, or the error that it raised."""
    calls = [Call(function) for function in functions]
    ended = []
    for call in calls:
        try:
            ended.append(call.result())
        except Exception as error:  # noqa: BLE001 - handed to the test
            ended.append(error)
    return ended
