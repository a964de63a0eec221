"""Whose keys count: trusted_root.json, written, read and pinned.

It is Sigstore's trusted root (for cosign and sigstore-js) plus our block `commonhold` with the
keys of manifests and status lists. The log's key signs the whole, so that damage shows; whether
to believe that key at all is for the reader to settle elsewhere, by pinning or by `--trust`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from commonhold import base64s, canonical, notes, times
from commonhold.errors import CommonholdError
from commonhold.signing import PublicKey, SignatureError, SigningKey
from commonhold.tlog import KEY_DETAILS

MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNED_PREFIX = b"commonhold/trusted-root/v1\n"


class TrustError(CommonholdError):
    """A trusted root that is damaged or incomplete."""

    code = "trusted-root-invalid"
    status = 422


@dataclass(frozen=True)
class TrustedKey:
    """A public key and the time in which its signatures count; no `end` means until further."""

    key: PublicKey
    start: datetime
    end: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Tell whether the key was in use at `moment` (aware)."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form, the key as PEM beside its keyid."""
        period = {"start": times.write(self.start)}
        if self.end is not None:
            period["end"] = times.write(self.end)
        return {"keyid": self.key.keyid, "pem": self.key.pem, "validFor": period}


@dataclass(frozen=True)
class Trust:
    """The keys of one deployment. `log_vkey` names its log and the log's key (c2sp.org)."""

    origin: str
    log_vkey: str
    manifest_keys: tuple[TrustedKey, ...]
    status_keys: tuple[TrustedKey, ...]


def build_trusted_root(
    *,
    log_key: SigningKey,
    origin: str,
    log_url: str,
    log_start: datetime,
    manifest_keys: Sequence[TrustedKey],
    status_keys: Sequence[TrustedKey],
) -> bytes:
    """Return trusted_root.json: JCS bytes, the same for the same keys.

    `origin` names the log in its checkpoints, `log_url` is where its tiles are served.
    """
    block: dict[str, object] = {
        "origin": origin,
        "logVkey": notes.vkey(origin, log_key.public),
        "manifestKeys": [key.as_dict() for key in manifest_keys],
        "statusKeys": [key.as_dict() for key in status_keys],
    }
    tlog = {
        "baseUrl": log_url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64s.encode(log_key.public.der),
            "keyDetails": KEY_DETAILS[log_key.public.algorithm],
            "validFor": {"start": times.write(log_start)},
        },
        "logId": {"keyId": base64s.encode(notes.key_hash(origin, log_key.public))},
    }
    document: dict[str, object] = {
        "mediaType": MEDIA_TYPE,
        "tlogs": [tlog],
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [],
        "commonhold": block,
    }
    signature = log_key.sign(SIGNED_PREFIX + canonical.encode(document))
    block["signature"] = base64s.encode(signature)
    return canonical.encode(document)


def read_trusted_root(data: bytes) -> Trust:
    """Read trusted_root.json strictly and check its own signature, or TrustError."""
    try:
        return _read(data)
    except TrustError:
        raise
    except (CommonholdError, KeyError, TypeError, AttributeError) as error:
        message = f"The trusted root can't be used, it is damaged or incomplete: {error}"
        raise TrustError(message) from error


def _read(data: bytes) -> Trust:
    document = cast("dict[str, object]", canonical.decode_exact(data))
    block = cast("dict[str, object]", document["commonhold"])
    origin, log_vkey = str(block["origin"]), str(block["logVkey"])
    signature = base64s.decode(block.pop("signature"))
    name, log_key = notes.parse_vkey(log_vkey)
    try:
        log_key.verify(signature, SIGNED_PREFIX + canonical.encode(document))
    except SignatureError as error:
        message = "The trusted root was changed: its own signature does not match."
        raise TrustError(message) from error
    if name != origin:
        message = f"The trusted root names the log {origin}, but gives the key of {name}."
        raise TrustError(message)
    return Trust(
        origin=origin,
        log_vkey=log_vkey,
        manifest_keys=_keys(block["manifestKeys"]),
        status_keys=_keys(block["statusKeys"]),
    )


def _keys(entries: object) -> tuple[TrustedKey, ...]:
    keys = []
    for entry in cast("list[dict[str, object]]", entries):
        period = cast("dict[str, str]", entry["validFor"])
        end = times.read(period["end"]) if "end" in period else None
        key = TrustedKey(PublicKey.from_pem(str(entry["pem"])), times.read(period["start"]), end)
        if key.as_dict() != entry:
            message = "The trusted root lists a key under a keyid that is not its own."
            raise TrustError(message)
        keys.append(key)
    if not keys:
        message = "The trusted root lists no key, so nothing could be checked with it."
        raise TrustError(message)
    return tuple(keys)
