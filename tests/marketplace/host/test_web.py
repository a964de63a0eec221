"""The web server: slow clients hold nothing, refused bodies are not received, a stop drains."""

import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.running import ROOT, free_port
from tests.slow import seconds_of, slow_clients

MIB = 1024 * 1024


class Server:
    """gunicorn with the site's configuration and the small application beside this file."""

    def __init__(self, folder) -> None:
        self.port = free_port()
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        self.served = folder / "served"
        self.served.write_bytes(os.urandom(MIB) * 8)
        environment = os.environ | {
            "PORT": str(self.port),
            "SERVED": str(self.served),
            "TMPDIR": str(self.tmp),
        }
        command = [sys.executable, "-m", "gunicorn", "-c", "python:marketplace.host.gunicorn_conf"]
        self.process = subprocess.Popen(
            [*command, "tests.marketplace.host.app:application"], cwd=ROOT, env=environment
        )
        while seconds_of(self.port) == float("inf"):
            assert self.process.poll() is None
            time.sleep(0.1)

    def ask(self, method, path, body=None, headers=None):
        """Return status and body of a request."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as answer:
                return answer.status, answer.read()

    def spooled(self) -> int:
        """Bytes of files, named or not, that the server has open in its temporary folder."""
        total = 0
        for process in psutil.Process(self.process.pid).children():
            for link in Path(f"/proc/{process.pid}/fd").iterdir():
                try:
                    if str(link.readlink()).startswith(str(self.tmp)):
                        total += link.stat().st_size
                except OSError:
                    continue
        return total


@pytest.fixture
def server(tmp_path):
    started = Server(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.terminate()
        started.process.wait(30)


def test_slow_headers_bodies_and_readers_hold_no_thread(server):
    with slow_clients(server.port) as slow:
        slow.headers(80)
        slow.bodies(80, "/sink")
        slow.readers(40, "/large")
        assert all(seconds_of(server.port) < 20 for _ in range(10))


def test_where_one_process_hangs_another_answers(server):
    first = int(server.ask("GET", "/")[1].split()[0])
    os.kill(first, signal.SIGSTOP)
    try:
        assert int(server.ask("GET", "/")[1].split()[0]) != first
    finally:
        os.kill(first, signal.SIGCONT)


def test_a_large_body_arrives_whole_and_is_not_kept_in_memory(server):
    data = os.urandom(MIB) * 24
    assert server.ask("PUT", "/sink", data)[1].decode() == hashlib.sha256(data).hexdigest()
    for process in psutil.Process(server.process.pid).children():
        assert process.memory_info().rss < 24 * MIB + 60 * MIB


@pytest.mark.parametrize("announced", [2 * MIB, 200 * MIB])
def test_a_refused_body_is_answered_before_it_comes_and_never_received(server, announced):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            f"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n".encode()
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_client_that_sends_its_refused_body_all_the_same_reads_why(server):
    assert server.ask("POST", "/refused", b"a" * 30 * MIB) == (413, b"too much")
    assert server.spooled() == 0


def test_a_client_that_waits_for_a_word_is_refused_without_it(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            b"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_client_that_waits_for_a_word_gets_it_once_the_body_is_taken(server):
    data = os.urandom(MIB) * 2
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        head = f"PUT /sink HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
        client.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 100")
        client.sendall(data)
        answer = b""
        while hashlib.sha256(data).hexdigest().encode() not in answer:
            answer += (more := client.recv(65536))
            assert more, answer


def test_a_body_without_a_length_is_not_received(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(b"POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 413")


def test_what_follows_a_refused_body_is_no_request(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            b"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
            b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        answer = b""
        while data := client.recv(65536):
            answer += data
    assert answer.count(b"HTTP/1.1 ") == 1


def test_asked_to_stop_it_finishes_what_is_under_way(server):
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(server.ask("GET", "/wait")[0]))
    waiting.start()
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    waiting.join(30)
    assert answers == [200]
    assert server.process.wait(30) == 0
    assert seconds_of(server.port) == float("inf")
