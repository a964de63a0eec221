"""Handing out bytes: whole or in part, with validators (RFC 9110 §13, §14)."""

import os
import re
from dataclasses import dataclass
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, parse_etags

CHUNK = 256 * 1024
RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """Bytes to hand out: an open file that can seek, how many, and what they are."""

    file: BinaryIO
    size: int
    sha256: str
    media_type: str
    name: str
    inline: bool = False
    is_private: bool = False
    """Originals and signed forms: not even the browser that asked keeps a copy."""

    @property
    def etag(self) -> str:
        """The strong validator: the digest itself."""
        return f'"{self.sha256}"'


class Unsatisfiable(Exception):
    """The range begins past the end of the bytes."""


class Stretch:
    """A file that ends `length` bytes after where it stands: a server can send it by itself."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self.file, self.end = file, file.tell() + length

    def read(self, size: int = CHUNK) -> bytes:
        """Return at most `size` bytes of the stretch."""
        return self.file.read(max(min(size, self.end - self.file.tell()), 0))

    def seekable(self) -> bool:
        """A server looks ahead and goes back."""
        return True

    def tell(self) -> int:
        """Return where in the file it stands."""
        return self.file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere in the file; its end is the end of the stretch."""
        if whence == os.SEEK_END:
            return self.file.seek(self.end + offset)
        return self.file.seek(offset, whence)

    def close(self) -> None:
        """Close the file, also when nobody read to the end."""
        self.file.close()


def respond(request: HttpRequest, content: Content) -> HttpResponseBase:
    """Answer GET or HEAD for the content: 200, 206, 304, 412 or 416. Closes the file.

    Several ranges at once are answered with the whole, as RFC 9110 §14.2 allows.
    """
    status = precondition(request, content)
    if status is not None:
        return finish(close(HttpResponse(status=status), content), content)
    try:
        part = wanted(request, content)
    except Unsatisfiable:
        refusal = close(HttpResponse(status=416), content)
        refusal["Content-Range"] = f"bytes */{content.size}"
        return finish(refusal, content)
    first, last = part or (0, content.size - 1)
    response: HttpResponseBase
    if request.method == "HEAD":
        response = close(HttpResponse(status=206 if part else 200), content)
    elif part is None:
        response = FileResponse(content.file)
    else:
        content.file.seek(first)
        response = FileResponse(Stretch(content.file, last - first + 1), status=206)
    if part is not None:
        response["Content-Range"] = f"bytes {first}-{last}/{content.size}"
    response["Content-Length"] = str(last - first + 1)
    return finish(response, content)


def close(response: HttpResponse, content: Content) -> HttpResponse:
    """Close the content's file, which this response does not send."""
    content.file.close()
    return response


def finish(response: HttpResponseBase, content: Content) -> HttpResponseBase:
    """Add the headers that every answer about the content carries.

    Whatever the bytes are, a browser may not run them as a page of ours.
    """
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = content.etag
    response["Content-Type"] = content.media_type
    response["Cache-Control"] = "private, no-store" if content.is_private else "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    disposition = content_disposition_header(not content.inline, content.name)
    if disposition:
        response["Content-Disposition"] = disposition
    return response


def precondition(request: HttpRequest, content: Content) -> int | None:
    """Evaluate If-Match and If-None-Match in the order of RFC 9110 §13.2.2."""
    if (header := request.headers.get("If-Match")) is not None:
        tags = parse_etags(header)
        if tags != ["*"] and content.etag not in tags:
            return 412
    if (header := request.headers.get("If-None-Match")) is not None:
        tags = [tag.removeprefix("W/") for tag in parse_etags(header)]
        if tags == ["*"] or content.etag in tags:
            return 304
    return None


def wanted(request: HttpRequest, content: Content) -> tuple[int, int] | None:
    """Return the first and last byte asked for, or None for the whole. Raises Unsatisfiable.

    A Range that we don't understand, or on a method other than GET, is passed over (§14.2), and
    so is one whose If-Range names other bytes than these (§13.1.5).
    """
    found = RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or found is None or found[1] == found[2] == "":
        return None
    if request.headers.get("If-Range", content.etag) != content.etag:
        return None
    if not found[1]:
        first, last = max(content.size - int(found[2]), 0), content.size - 1
        if not int(found[2]):
            raise Unsatisfiable
    else:
        first, last = int(found[1]), min(int(found[2] or content.size), content.size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first >= content.size:
        raise Unsatisfiable
    return first, last
