"""Base64 that has one spelling: decoding refuses what encoding would write otherwise.

Lenient decoders skip stray characters and ignore unused bits (RFC 4648 §3.3, §3.5), so a
changed character could go unnoticed.
"""

import base64
import binascii

from commonhold.errors import CommonholdError
from commonhold.sentences import _


class Base64Error(CommonholdError):
    """Text that is not the one base64 spelling of any bytes."""

    code = "invalid-base64"
    status = 422


def encode(data: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def decode(text: object) -> bytes:
    """Return the bytes of standard base64 with padding, or Base64Error."""
    try:
        data = base64.b64decode(str(text).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        data = None
    if data is None or encode(data) != text:
        raise Base64Error(
            _("A base64 value is damaged: it has characters or bits that do not belong there.")
        )
    return data


def encode_url(data: bytes) -> str:
    """Return URL-safe base64 without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_url(text: str) -> bytes:
    """Return the bytes of URL-safe base64 without padding, or Base64Error."""
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        data = None
    if data is None or encode_url(data) != text:
        raise Base64Error(
            _("A base64url value is damaged: it has characters or bits that do not belong.")
        )
    return data
