"""Clients that take their time: a header, a body or an answer, a few bytes now and then."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

DRIP_SECONDS = 0.5


class SlowClients:
    """Open connections to a server, each fed or read a byte at a time until they are closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.dripping: list[socket.socket] = []
        self.reading: list[socket.socket] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.drip, daemon=True)

    def connect(self, opening: bytes, *, receive_buffer: int = 0) -> socket.socket:
        """Open one connection and send what is sent at once."""
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        client.sendall(opening)
        return client

    def headers(self, count: int) -> None:
        """Open connections whose request line is followed by ever more header."""
        opening = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
        self.dripping += [self.connect(opening) for _ in range(count)]

    def bodies(self, count: int, path: str) -> None:
        """Open connections that announce a form of 100 kB and send it byte by byte."""
        opening = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\na="
        )
        self.dripping += [self.connect(opening.encode()) for _ in range(count)]

    def readers(self, count: int, path: str) -> None:
        """Open connections that ask for something large and read a byte of it at a time."""
        opening = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        self.reading += [self.connect(opening, receive_buffer=4096) for _ in range(count)]

    def drip(self) -> None:
        """Send and read a byte on each connection, again and again; closed ones are passed over."""
        while not self.over.wait(DRIP_SECONDS):
            for client in self.dripping:
                with contextlib.suppress(OSError):
                    client.send(b"a", socket.MSG_DONTWAIT)
            for client in self.reading:
                with contextlib.suppress(OSError):
                    client.recv(1, socket.MSG_DONTWAIT)

    def close(self) -> None:
        """Close all of them."""
        self.over.set()
        self.thread.join()
        for client in self.dripping + self.reading:
            client.close()


@contextlib.contextmanager
def slow_clients(port: int) -> Iterator[SlowClients]:
    """Clients that go on being slow within the block."""
    clients = SlowClients(port)
    clients.thread.start()
    try:
        yield clients
    finally:
        clients.close()


def seconds_of(port: int, path: str = "/healthz", *, timeout: float = 20) -> float:
    """Return how long a request takes that must answer 200; infinite when it does not in time."""
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            client.sendall(request.encode())
            answer = b""
            while data := client.recv(65536):
                answer += data
    except OSError:
        return float("inf")
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    return time.monotonic() - began
