"""A small application for the tests of the server: it answers, takes bytes and hands them out."""

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from marketplace.host.asking import ASKING

SERVED = Path(os.environ.get("SERVED", "/dev/null"))


def application(environ, start_response) -> Iterable[bytes]:
    """Answer by path."""
    path, length = environ["PATH_INFO"], int(environ.get("CONTENT_LENGTH") or 0)
    if (path == "/refused" and length > 1024 * 1024) or "HTTP_TRANSFER_ENCODING" in environ:
        return say(start_response, "413 Content Too Large", b"too much")
    if ASKING in environ:
        return say(start_response, "204 No Content", b"")
    if path == "/large":
        start_response("200 OK", [("Content-Length", str(SERVED.stat().st_size))])
        return environ["wsgi.file_wrapper"](SERVED.open("rb"))
    if path == "/sink":
        digest = hashlib.sha256()
        while chunk := environ["wsgi.input"].read(65536):
            digest.update(chunk)
        return say(start_response, "200 OK", digest.hexdigest().encode())
    if path == "/wait":
        time.sleep(1.5)
    return say(start_response, "200 OK", f"{os.getpid()} {environ['REMOTE_ADDR']}".encode())


def say(start_response, status: str, body: bytes) -> list[bytes]:
    """Answer with a few bytes."""
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]
