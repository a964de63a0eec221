"""Token Status Lists (IETF draft-ietf-oauth-status-list-17): what still stands, two bits each.

For consents: 0 valid, 1 withdrawn, 2 expired. For grants: 0 in force, 1 revoked.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from commonhold import base64s, canonical
from commonhold.base64s import Base64Error
from commonhold.canonical import CanonicalError
from commonhold.errors import CommonholdError
from commonhold.signing import PublicKey, SigningKey

VALID, WITHDRAWN, EXPIRED = 0, 1, 2
REVOKED = 1
BITS = 2
TYPE = "statuslist+jwt"
MAX_BYTES = 64 * 1024 * 1024
DAY = timedelta(hours=24)


class StatusListError(CommonholdError):
    """A status list that is damaged, unsigned, or about something else."""

    code = "status-list-invalid"
    status = 422


@dataclass(frozen=True)
class StatusList:
    """A verified list. `data` is unpacked from zlib; entry i sits in the low bits first (§4.1)."""

    uri: str
    issued: datetime
    expires: datetime
    data: bytes
    bits: int = BITS

    def status(self, index: int) -> int:
        """Return the status at `index`; StatusListError if the list is shorter than that."""
        per_byte = 8 // self.bits
        if not 0 <= index < len(self.data) * per_byte:
            message = f"The status list has no entry {index}, so nothing is known about it."
            raise StatusListError(message, index=index)
        shift = index % per_byte * self.bits
        return self.data[index // per_byte] >> shift & (1 << self.bits) - 1

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the list may still be relied on at `now` (aware)."""
        return now < self.expires


def pack(statuses: Iterable[int], bits: int = BITS) -> bytes:
    """Return statuses as the list's byte array (draft §4.1), before compression."""
    packed, per_byte = bytearray(), 8 // bits
    for index, status in enumerate(statuses):
        if not 0 <= status < 1 << bits:
            message = f"The status {status} does not fit in {bits} bits."
            raise StatusListError(message)
        if index % per_byte == 0:
            packed.append(0)
        packed[-1] |= status << index % per_byte * bits
    return bytes(packed)


def build_status_list(
    *,
    statuses: Iterable[int],
    uri: str,
    key: SigningKey,
    issued: datetime,
    lifetime: timedelta = DAY,
    ttl: timedelta = timedelta(minutes=1),
) -> str:
    """Return the signed list as a JWT (draft §5.1), ES256.

    `lifetime` sets `exp`, after which the list is stale; `ttl` says when to ask again.
    """
    claims = {
        "sub": uri,
        "iat": int(issued.timestamp()),
        "exp": int((issued + lifetime).timestamp()),
        "ttl": int(ttl.total_seconds()),
        "status_list": {
            "bits": BITS,
            "lst": base64s.encode_url(zlib.compress(pack(statuses), 9)),
        },
    }
    header = {"alg": "ES256", "kid": key.keyid, "typ": TYPE}
    return jws.serialize_compact(
        header, canonical.encode(claims), ECKey.import_key(key.pem), algorithms=["ES256"]
    )


def check_status_list(token: str, keys: Sequence[PublicKey], uri: str | None = None) -> StatusList:
    """Verify a status list's JWT and return it; StatusListError says what is wrong.

    `uri`: what the list must be about. Being out of date is no error: ask `is_fresh`.
    """
    try:
        status_list = _verified(token, {key.keyid: key for key in keys})
    except KeyError as error:
        message = "The status list is signed by a key that nobody here vouches for."
        raise StatusListError(message) from error
    except (JoseError, Base64Error, CanonicalError, ValueError, TypeError, zlib.error) as error:
        message = f"The status list is damaged, or its signature does not match: {error}"
        raise StatusListError(message) from error
    if uri is not None and status_list.uri != uri:
        message = f"The status list is about {status_list.uri}, not about {uri}."
        raise StatusListError(message)
    return status_list


def _verified(token: str, keys: dict[str, PublicKey]) -> StatusList:
    for part in token.split("."):
        base64s.decode_url(part)
    header = jws.extract_compact(token.encode()).headers()
    key = keys[str(header.get("kid"))]
    verified = jws.deserialize_compact(
        token, ECKey.import_key(key.pem.encode()), algorithms=["ES256"]
    )
    if header.get("typ") != TYPE:
        message = "This token is signed, but it is not a status list."
        raise StatusListError(message)
    return _claims(canonical.decode_exact(verified.payload))


def _claims(claims: object) -> StatusList:
    match claims:
        case {
            "sub": str(uri),
            "iat": int(issued),
            "exp": int(expires),
            "status_list": {"bits": 1 | 2 | 4 | 8 as bits, "lst": str(packed)},
        }:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(base64s.decode_url(packed), MAX_BYTES)
            if unpacker.eof and not unpacker.unused_data:
                return StatusList(
                    uri=uri,
                    issued=datetime.fromtimestamp(issued, UTC),
                    expires=datetime.fromtimestamp(expires, UTC),
                    data=data,
                    bits=bits,
                )
    message = "The status list is signed, but lacks what a status list must say."
    raise StatusListError(message)
