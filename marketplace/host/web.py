"""Serving the site so that nobody's slowness holds a thread: waitress under gunicorn's processes.

gunicorn loads the application, forks, restarts what dies and stops what is asked to; in each of its
processes waitress's loop receives whole requests and sends whole answers, and a thread is taken
only for the time that the application works. Before a large body is received the application is
asked, with the headers alone, whether it takes it (docs/decisions/0022-web-server.md).
"""

import contextlib
import io
import os
import resource
import socket
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, TcpWSGIServer, UnixWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

from marketplace.host.asking import ASKING

ASKED_ABOVE = 1024 * 1024
"""Bytes of a body that are received without asking."""
HEADER_SECONDS = 20
LINGER_SECONDS = 5
IDLE_SECONDS = 60
CONNECTIONS = 1000
"""Connections that one process keeps open; each is a file descriptor, its bodies two more."""
MAX_HEADER = 64 * 1024
OPTIONS = {
    "channel_timeout": IDLE_SECONDS,
    "cleanup_interval": 5,
    # The application reads what a proxy says, and believes as many as TRUST_PROXY counts.
    "clear_untrusted_proxy_headers": False,
    "connection_limit": CONNECTIONS,
    "ident": "",
    "log_socket_errors": False,
    "max_request_header_size": MAX_HEADER,
    "recv_bytes": 256 * 1024,
}


class Request(HTTPRequestParser):
    """A request on its way in, which stops at the end of its headers if its body is large."""

    expect_continue: bool = False
    asks = False
    """Nobody has said yet whether the body is taken."""
    early = b""
    """What came of the body together with the headers."""
    continues = False
    """The client waits for a word before it sends the body."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.begun = time.monotonic()

    def received(self, data: bytes) -> int:
        """Take bytes as they come; return how many were this request's."""
        if self.asks:
            self.early += data
            return len(data)
        was_in_headers = not self.headers_finished
        consumed: int = super().received(data)
        is_large = self.chunked or self.content_length > ASKED_ABOVE
        if was_in_headers and self.headers_finished and is_large and self.error is None:
            self.asks = True
            self.continues, self.expect_continue = self.expect_continue, False
        return consumed

    def accept(self) -> None:
        """Go on receiving the body."""
        self.asks = False
        early, self.early = self.early, b""
        if early:
            self.received(early)
        self.expect_continue = self.continues

    def refuse(self) -> None:
        """Leave the body unread: the application tells why, and the connection ends with that."""
        self.asks, self.early = False, b""
        self.body_rcv = None
        self.completed = True
        self.headers["CONNECTION"] = "close"
        if self.chunked:
            # waitress takes it away, because it would have taken the chunks apart.
            self.headers["TRANSFER_ENCODING"] = "chunked"


class Question:
    """Asks the application, in one of its threads, whether it takes a body that is to come."""

    def __init__(self, channel: "Channel", request: Request) -> None:
        self.channel, self.request = channel, request

    def service(self) -> None:
        """Ask, and let the channel go on accordingly. An application that fails takes nothing."""
        try:
            is_taken = self.is_taken()
        except Exception:
            # The server's edge: an application may fail of anything. It fails again when it is
            # asked without a body, and then its own answer to that is sent.
            self.channel.logger.exception("Asking whether a body is taken failed")
            is_taken = False
        self.channel.go_on(self.request, is_taken=is_taken)

    def is_taken(self) -> bool:
        """Whether the application takes it; a refusal, or a way elsewhere, needs no body."""
        environ = WSGITask(self.channel, self.request).get_environment()
        environ |= {ASKING: True, "wsgi.input": io.BytesIO()}
        if self.request.chunked:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        statuses: list[str] = []
        answer = self.channel.server.application(
            environ, lambda status, _headers, _error=None: statuses.append(status)
        )
        try:
            for _chunk in answer:
                pass
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return int(statuses[0].split()[0]) < 300

    def cancel(self) -> None:
        """Answer nothing: the process is ending."""
        self.channel.cancel()


class Channel(HTTPChannel):
    """A connection."""

    parser_class = Request
    request: Request | None = None
    will_close: bool = False
    unread = False
    """A body is on its way that nobody will read."""
    lingers_until = 0.0

    def readable(self) -> bool:
        """Whether to look for bytes: not while the application is being asked."""
        if self.lingers_until:
            return True
        asks = self.request is not None and self.request.asks
        return bool(super().readable()) and not asks and not self.unread

    def received(self, data: bytes) -> bool:
        """Take bytes, and ask the application where a large body begins."""
        done = bool(super().received(data))
        request = self.request
        if request is not None and request.asks:
            self.server.add_task(Question(self, request))
        return done

    def go_on(self, request: Request, *, is_taken: bool) -> None:
        """Receive the body that the application takes, or let it tell why not."""
        with self.requests_lock:
            if is_taken:
                request.accept()
                if request.expect_continue:
                    self.send_continue()
            else:
                request.refuse()
                self.unread = True
                self.request = None
                self.requests.append(request)
                self.server.add_task(self)
        self.last_activity = time.time()
        self.server.pull_trigger()

    def handle_read(self) -> None:
        """Read; after an answer that came before the body, read it away and close in the end."""
        if not self.lingers_until:
            super().handle_read()
            return
        with contextlib.suppress(OSError):
            self.recv(self.adj.recv_bytes)
        if time.monotonic() > self.lingers_until:
            self.handle_close()

    def handle_close(self) -> None:
        """Close; where a body is still coming, first let the answer arrive (RFC 9112 §9.6).

        A socket that is closed with bytes unread takes back what it has sent.
        """
        if self.unread and self.will_close and not self.lingers_until and self.connected:
            self.lingers_until = time.monotonic() + LINGER_SECONDS
            self.will_close = False
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_close()

    @property
    def is_busy(self) -> bool:
        """Whether something is being received, answered or sent."""
        return bool(self.request is not None or self.requests or self.total_outbufs_len)

    def is_overdue(self, now: float) -> bool:
        """Whether a header should have come by now, or a client gone."""
        if self.lingers_until:
            return now > self.lingers_until
        request = self.request
        return (
            request is not None
            and not request.headers_finished
            and now - request.begun > HEADER_SECONDS
        )


class Maintained:
    """Of a listening server: closes the connections whose time is over."""

    channel_class = Channel

    def maintenance(self, now: float) -> None:
        """Close what has been idle, and what drips a header."""
        super().maintenance(now)  # type: ignore[misc]  # of the class that this is mixed into
        for channel in list(self.active_channels.values()):  # type: ignore[attr-defined]  # as above
            if channel.is_overdue(time.monotonic()):
                channel.unread = False
                channel.will_close = True


class TcpServer(Maintained, TcpWSGIServer):
    """What listens on a port."""


class UnixServer(Maintained, UnixWSGIServer):
    """What listens on a socket in the file system."""


class WebWorker(Worker):
    """One of gunicorn's processes, with a loop of waitress's and its threads."""

    def run(self) -> None:
        """Serve until asked to stop; then take nothing new, and finish what is under way."""
        _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        sockets: dict[int, Any] = {}
        servers = [self.listen(one.sock, sockets, dispatcher) for one in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self.turn(sockets)
        for server in servers:
            wasyncore.dispatcher.close(server)
        deadline = time.monotonic() + self.cfg.graceful_timeout - 1
        while close_idle(sockets) and time.monotonic() < deadline:
            self.turn(sockets)
        dispatcher.shutdown(timeout=1)

    def listen(
        self, listening: socket.socket, sockets: dict[int, Any], dispatcher: ThreadedTaskDispatcher
    ) -> BaseWSGIServer:
        """Return the server of a socket that gunicorn has bound."""
        name = (listening.family, listening.type, listening.proto, listening.getsockname())
        kind = UnixServer if listening.family == socket.AF_UNIX else TcpServer
        return kind(
            self.wsgi,
            sockets,
            _sock=listening,
            dispatcher=dispatcher,
            adj=Adjustments(sockets=[listening], **OPTIONS),
            sockinfo=name,
            bind_socket=False,
        )

    def turn(self, sockets: dict[int, Any]) -> None:
        """Do what can be done now, and tell gunicorn that this process lives."""
        self.notify()
        wasyncore.loop(timeout=0.3, use_poll=True, map=sockets, count=1)


def close_idle(sockets: dict[int, Any]) -> int:
    """Close the connections on which nothing happens; return how many are left."""
    channels = [one for one in sockets.values() if isinstance(one, Channel)]
    busy = [channel for channel in channels if channel.is_busy]
    for channel in channels:
        if not channel.is_busy:
            channel.handle_close()
    return len(busy)
