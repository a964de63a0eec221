"""Token Status Lists (IETF draft-ietf-oauth-status-list-17): what still stands, two bits each.

0 valid · 1 withdrawn or revoked, for good · 2 expired · 3 narrowed: withdrawn for some purposes.
Every list has its full length of 2^17 entries from the start, so that its length tells nothing.
The claim `narrowed` is ours: {"<position>": [purposes]} for the entries of value 3.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey

from commonhold import base64s, canonical
from commonhold.base64s import Base64Error
from commonhold.canonical import CanonicalError
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.signing import PublicKey, Signer

VALID, WITHDRAWN, EXPIRED, NARROWED = 0, 1, 2, 3
REVOKED = WITHDRAWN
# Which status yields to which: what is withdrawn stays so, and nothing becomes valid again.
STRENGTH = {VALID: 0, NARROWED: 1, EXPIRED: 2, WITHDRAWN: 3}
BITS = 2
PER_BYTE = 8 // BITS
SIZE = 1 << 17
TYPE = "statuslist+jwt"
MAX_BYTES = 1024 * 1024
STALE_AFTER = timedelta(hours=1)
LONGEST = timedelta(hours=24)
P256_BYTES = 32
POSITION = re.compile(r"0|[1-9][0-9]{0,15}")


class StatusListError(CommonholdError):
    """A status list that is damaged, unsigned, or about something else."""

    code = "status-list-invalid"
    status = 422


@dataclass(frozen=True)
class StatusList:
    """A verified list. `data` is unpacked from zlib; entry i sits in the low bits first (§4.1).

    `narrowed` names, by position, the purposes for which an entry of value 3 no longer stands.
    """

    uri: str
    issued: datetime
    expires: datetime
    data: bytes
    keyid: str
    bits: int = BITS
    narrowed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def status(self, index: int) -> int:
        """Return the status at `index`; StatusListError if the list is shorter than that."""
        per_byte = 8 // self.bits
        if not 0 <= index < len(self.data) * per_byte:
            sentence = _("The status list has no entry %(index)s, so nothing is known about it.")
            raise StatusListError(sentence, index=index)
        shift = index % per_byte * self.bits
        return self.data[index // per_byte] >> shift & (1 << self.bits) - 1

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the list may still be relied on at `now` (aware), whatever its issuer says.

        A longer life that an issuer gives it would let an old list pass for the present state.
        """
        return now < min(self.expires, self.issued + STALE_AFTER)


def pack(statuses: Iterable[int], bits: int = BITS) -> bytes:
    """Return statuses as the list's byte array (draft §4.1), before compression."""
    packed, per_byte = bytearray(), 8 // bits
    for index, status in enumerate(statuses):
        if not 0 <= status < 1 << bits:
            sentence = _("The status %(status)s does not fit in %(bits)s bits.")
            raise StatusListError(sentence, status=status, bits=bits)
        if index % per_byte == 0:
            packed.append(0)
        packed[-1] |= status << index % per_byte * bits
    return bytes(packed)


def empty() -> bytes:
    """Return the byte array of a list in which everything is valid."""
    return bytes(SIZE // PER_BYTE)


def read(data: bytes | bytearray, position: int) -> int:
    """Return the status at a position of a byte array."""
    return data[position // PER_BYTE] >> position % PER_BYTE * BITS & 0b11


def settle(data: bytearray, position: int, status: int) -> bool:
    """Write a status unless a stronger one stands there; return whether anything changed."""
    before = read(data, position)
    if STRENGTH[status] <= STRENGTH[before]:
        return False
    data[position // PER_BYTE] ^= (before ^ status) << position % PER_BYTE * BITS
    return True


def narrowed_claim(narrowed: Mapping[int, Iterable[str]]) -> dict[str, list[str]]:
    """Return the claim `narrowed` of a list."""
    return {str(position): sorted(purposes) for position, purposes in narrowed.items()}


def build_status_list(
    *,
    data: bytes,
    uri: str,
    signer: Signer,
    issued: datetime,
    narrowed: Mapping[int, Iterable[str]] | None = None,
    lifetime: timedelta = STALE_AFTER,
    ttl: timedelta = timedelta(minutes=1),
) -> str:
    """Return the signed list as a JWT (draft §5.1), ES256; `data` comes from `pack`.

    `lifetime` sets `exp`, after which the list is stale; `ttl` says when to ask again.
    """
    claims: dict[str, object] = {
        "sub": uri,
        "iat": int(issued.timestamp()),
        "exp": int((issued + lifetime).timestamp()),
        "ttl": int(ttl.total_seconds()),
        "status_list": {"bits": BITS, "lst": base64s.encode_url(zlib.compress(data, 9))},
    }
    if narrowed:
        claims["narrowed"] = narrowed_claim(narrowed)
    header = {"alg": "ES256", "kid": signer.keyid, "typ": TYPE}
    parts = (canonical.encode(part) for part in (header, claims))
    signed = ".".join(base64s.encode_url(part) for part in parts)
    return f"{signed}.{base64s.encode_url(_jws_signature(signer.sign(signed.encode())))}"


def _jws_signature(der: bytes) -> bytes:
    """Return an ECDSA signature in DER as JWS wants it: r and s, 32 bytes each (RFC 7518 §3.4)."""
    return b"".join(part.to_bytes(P256_BYTES, "big") for part in decode_dss_signature(der))


def check_status_lists(lines: bytes, keys: Sequence[PublicKey]) -> dict[str, StatusList]:
    """Verify consent-status.jwt, one JWT on each line, and return the lists by their addresses."""
    text = lines.decode("ascii", "replace")
    if not text.endswith("\n"):
        raise StatusListError(_("The status lists are cut short: each line ends with a newline."))
    lists: dict[str, StatusList] = {}
    for token in text[:-1].split("\n"):
        found = check_status_list(token, keys)
        if found.uri in lists:
            sentence = _("The status list %(uri)s is there twice, so two readers could differ.")
            raise StatusListError(sentence, uri=found.uri)
        lists[found.uri] = found
    return lists


def check_status_list(token: str, keys: Sequence[PublicKey], uri: str | None = None) -> StatusList:
    """Verify a status list's JWT and return it; StatusListError says what is wrong.

    `uri`: what the list must be about. Being out of date is no error: ask `is_fresh`.
    """
    try:
        status_list = _verified(token, {key.keyid: key for key in keys})
    except KeyError as error:
        raise StatusListError(
            _("The status list is signed by a key that nobody here vouches for.")
        ) from error
    except BadSignatureError as error:
        sentence = _("The status list was changed: its signature does not match.")
        raise StatusListError(sentence) from error
    except (Base64Error, CanonicalError) as error:
        sentence = _("The status list is damaged: %(why)s")
        raise StatusListError(sentence, why=error.said) from error
    except (JoseError, ValueError, TypeError) as error:
        sentence = _("The status list is not a token of the form that such lists have.")
        raise StatusListError(sentence) from error
    if uri is not None and status_list.uri != uri:
        sentence = _("The status list is about %(list)s, not about %(uri)s.")
        raise StatusListError(sentence, list=status_list.uri, uri=uri)
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
        raise StatusListError(_("This token is signed, but it is not a status list."))
    return _claims(canonical.decode_exact(verified.payload), key.keyid)


def _claims(claims: object, keyid: str) -> StatusList:
    match claims:
        case {
            "sub": str(uri),
            "iat": int(issued),
            "exp": int(expires),
            "status_list": {"bits": 1 | 2 | 4 | 8 as bits, "lst": str(packed)},
            **others,
        }:
            found = StatusList(
                uri=uri,
                issued=_moment(issued),
                expires=_moment(expires),
                data=_unpack(packed),
                keyid=keyid,
                bits=bits,
                narrowed=_narrowed(others.get("narrowed", {})),
            )
            _require_consistent(found)
            return found
    raise StatusListError(_("The status list is signed, but lacks what a status list must say."))


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        sentence = _("The status list is dated to a time that no calendar has.")
        raise StatusListError(sentence) from error


def _unpack(packed: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(base64s.decode_url(packed), MAX_BYTES)
    except zlib.error as error:
        raise StatusListError(_("The bits of the status list can't be unpacked.")) from error
    if unpacker.unconsumed_tail:
        sentence = _("The status list is larger than any list is: over %(most)s bytes.")
        raise StatusListError(sentence, most=MAX_BYTES)
    if not unpacker.eof or unpacker.unused_data:
        raise StatusListError(_("The bits of the status list are cut short, or too many."))
    return data


def _require_consistent(found: StatusList) -> None:
    if found.expires <= found.issued:
        raise StatusListError(_("The status list ends before it begins."))
    if found.expires - found.issued > LONGEST:
        sentence = _(
            "The status list says that it holds for %(hours)s hours. More than %(most)s is too "
            "long: a withdrawal would go unseen."
        )
        hours = (found.expires - found.issued) // timedelta(hours=1)
        raise StatusListError(sentence, hours=hours, most=LONGEST // timedelta(hours=1))
    for position in found.narrowed:
        if found.status(position) != NARROWED:
            sentence = _("The status list narrows entry %(index)s, and has another status for it.")
            raise StatusListError(sentence, index=position)


def _narrowed(claim: object) -> dict[int, tuple[str, ...]]:
    if not isinstance(claim, dict) or not all(map(_is_narrowing, claim, claim.values())):
        raise StatusListError(
            _("The status list says in a form that can't be read what was narrowed.")
        )
    return {int(position): tuple(purposes) for position, purposes in claim.items()}


def _is_narrowing(position: str, purposes: object) -> bool:
    named = isinstance(purposes, list) and all(isinstance(one, str) for one in purposes)
    return named and POSITION.fullmatch(position) is not None
