"""Whose keys count: trusted_root.json, written, read, and followed from version to version.

It is Sigstore's trusted root (for cosign and sigstore-js) plus our block `commonhold`. The site's
root keys sign the whole. Each version lists the root key that the next one must be signed by, so
whoever believes one version can follow a site to its newest (as in TUF, "Update root"); whether
to believe a first one is settled elsewhere, by pinning or by `--trust`.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from commonhold import base64s, canonical, notes, times
from commonhold.addresses import is_host
from commonhold.errors import CommonholdError
from commonhold.paths import visible
from commonhold.sentences import _
from commonhold.signing import PublicKey, SignatureError, Signer
from commonhold.tlog import KEY_DETAILS

MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNED_PREFIX = b"commonhold/trusted-root/v2\n"
PATH = "/.well-known/commonhold/trusted_root.json"
LONGEST_CHAIN = 1000
MAX_BYTES = 1024 * 1024
MAX_SHOWN = 100
# RFC 3986 §3.2: a name or an IPv4 or bracketed IPv6 address, and a port; no user, no path.
SITE = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")

Json = dict[str, object]


class TrustError(CommonholdError):
    """A trusted root that is damaged or incomplete."""

    code = "trusted-root-invalid"
    status = 422


class TrustGoesBackError(TrustError):
    """A trusted root older than one that was seen before: somebody may be replaying it."""

    code = "trusted-root-goes-back"
    status = 409


class TrustExpiredError(TrustError):
    """A site serves a trusted root that it should have renewed."""

    code = "trusted-root-expired"
    status = 409


class NotVouchedError(TrustError):
    """A trusted root that the root key known so far did not sign."""

    code = "trusted-root-not-vouched-for"
    status = 409


def _period(start: datetime, end: datetime | None) -> dict[str, str]:
    period = {"start": times.write(start)}
    return period if end is None else period | {"end": times.write(end)}


@dataclass(frozen=True)
class TrustedKey:
    """A public key and the time in which its signatures count; no `end` means until further."""

    key: PublicKey
    start: datetime
    end: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Tell whether the key was in use at `moment` (aware)."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def as_dict(self) -> Json:
        """Return the JSON form, the key as PEM beside its keyid."""
        period = _period(self.start, self.end)
        return {"keyid": self.key.keyid, "pem": self.key.pem, "validFor": period}


@dataclass(frozen=True)
class TrustedLog:
    """A key of the log, as the vkey that C2SP's tools read.

    A retired one has an `end`, and `size`: how many entries the log had in its last checkpoint.
    """

    verifier: str
    start: datetime
    end: datetime | None = None
    size: int | None = None

    def require(self, checkpoint: notes.Checkpoint, *, made: datetime | None = None) -> None:
        """Raise TrustError if this key was retired before it could sign `checkpoint`.

        A checkpoint bears no date. But it is younger than what it holds, which was `made` at some
        time, and a larger one is younger than a smaller one.
        """
        if self.end is not None and made is not None and made >= self.end:
            sentence = _(
                "The checkpoint holds what was made on %(made)s, but its key was retired on "
                "%(retired)s."
            )
            raise TrustError(sentence, made=times.write(made), retired=times.write(self.end))
        if self.size is not None and checkpoint.size > self.size:
            sentence = _(
                "The checkpoint has %(entries)s entries, but its key was retired when the log had "
                "%(retired)s."
            )
            raise TrustError(sentence, entries=checkpoint.size, retired=self.size)

    def as_dict(self) -> Json:
        """Return the JSON form."""
        found: Json = {"vkey": self.verifier, "validFor": _period(self.start, self.end)}
        return found if self.size is None else found | {"size": self.size}


@dataclass(frozen=True)
class Trust:
    """What a trusted root says. In each list of keys, the one without an end is in use.

    `site` is the site's address, `origin` the log's name, `instance` a URN that outlives both.
    """

    version: int
    expires: datetime
    instance: str
    site: str
    origin: str
    log_keys: tuple[TrustedLog, ...]
    manifest_keys: tuple[TrustedKey, ...]
    status_keys: tuple[TrustedKey, ...]
    root_keys: tuple[TrustedKey, ...]

    @property
    def log_vkey(self) -> str:
        """The verifier key that signs the log's checkpoints now."""
        return next(log.verifier for log in self.log_keys if log.end is None)

    @property
    def root(self) -> PublicKey:
        """The root key in use: it must have signed this version, and signs the next."""
        return next(trusted.key for trusted in self.root_keys if trusted.end is None)

    def log_of(self, note: str) -> TrustedLog:
        """Return the log key that a checkpoint says it is signed by, or NoteError."""
        logs = {log.verifier: log for log in self.log_keys}
        return logs[notes.signer_of(note, logs)]


def version_path(version: int) -> str:
    """Return the path at which a site serves a version of its trusted root for good."""
    return f"{PATH.removesuffix('.json')}/{version}.json"


def log_address(site: str, origin: str) -> str:
    """Return where the log is, in an address whose host is the log's name.

    Sigstore's verifiers take the host for the name that a checkpoint is signed under.
    """
    return f"{site}/log" if urlsplit(site).hostname == origin else f"https://{origin}/log"


def _tlog(trust: Trust, log: TrustedLog) -> Json:
    name, key = notes.parse_vkey(log.verifier)
    keyid = {"keyId": base64s.encode(notes.key_hash(name, key))}
    return {
        "baseUrl": log_address(trust.site, trust.origin),
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64s.encode(key.der),
            "keyDetails": KEY_DETAILS[key.algorithm],
            "validFor": _period(log.start, log.end),
        },
        "logId": keyid,
        "checkpointKeyId": keyid,
    }


def _document(trust: Trust) -> Json:
    """Return the trusted root's JSON without its signatures."""
    block: Json = {
        "version": trust.version,
        "expires": times.write(trust.expires),
        "instance": trust.instance,
        "site": trust.site,
        "origin": trust.origin,
        "logKeys": [log.as_dict() for log in trust.log_keys],
        "manifestKeys": [key.as_dict() for key in trust.manifest_keys],
        "statusKeys": [key.as_dict() for key in trust.status_keys],
        "rootKeys": [key.as_dict() for key in trust.root_keys],
    }
    return {
        "mediaType": MEDIA_TYPE,
        "tlogs": [_tlog(trust, log) for log in trust.log_keys],
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [],
        "commonhold": block,
    }


def build_trusted_root(trust: Trust, signers: Sequence[Signer]) -> bytes:
    """Return trusted_root.json (JCS bytes), signed by each of `signers`: root keys that it lists.

    The version that brings a new root key is signed by the old and by the new one.
    """
    document = _document(trust)
    signed = SIGNED_PREFIX + canonical.encode(document)
    cast("Json", document["commonhold"])["signatures"] = [
        {"keyid": signer.keyid, "sig": base64s.encode(signer.sign(signed))} for signer in signers
    ]
    return canonical.encode(document)


def read_trusted_root(data: bytes) -> Trust:
    """Read trusted_root.json strictly and check its own signatures, or TrustError."""
    return _guarded(data)[0]


def _guarded(data: bytes) -> tuple[Trust, frozenset[str]]:
    """Return what a trusted root says, and the keyids whose signatures on it hold."""
    try:
        return _read(data)
    except TrustError:
        raise
    except CommonholdError as error:
        sentence = _("The trusted root can't be used, it is damaged: %(why)s")
        raise TrustError(sentence, why=error.said) from error
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        sentence = _("The trusted root can't be used, it lacks what a trusted root must say.")
        raise TrustError(sentence) from error


def _read(data: bytes) -> tuple[Trust, frozenset[str]]:
    if len(data) > MAX_BYTES:
        sentence = _("The trusted root is larger than any is: over %(most)s bytes.")
        raise TrustError(sentence, most=MAX_BYTES)
    document = cast("Json", canonical.decode_exact(data))
    block = cast("Json", document["commonhold"])
    signatures = cast("list[dict[str, str]]", block.pop("signatures"))
    trust = Trust(
        version=_count(block["version"], 1),
        expires=times.read(_text(block["expires"])),
        instance=_text(block["instance"]),
        site=_address(_text(block["site"])),
        origin=_text(block["origin"]),
        log_keys=_logs(block["logKeys"], _text(block["origin"])),
        manifest_keys=_keys(block["manifestKeys"]),
        status_keys=_keys(block["statusKeys"]),
        root_keys=_keys(block["rootKeys"]),
    )
    signers = _signers(trust, signatures, SIGNED_PREFIX + canonical.encode(document))
    if trust.root.keyid not in signers:
        raise TrustError(_("The trusted root is not signed by its own root key."))
    if _document(trust) != document:
        raise TrustError(
            _("The trusted root says one thing to Sigstore's tools and another to ours.")
        )
    return trust, signers


def _signers(trust: Trust, signatures: list[dict[str, str]], signed: bytes) -> frozenset[str]:
    roots = {trusted.key.keyid: trusted.key for trusted in trust.root_keys}
    for signature in signatures:
        if signature.keys() != {"keyid", "sig"}:
            raise TrustError(_("The trusted root has a signature of another shape."))
        try:
            roots[signature["keyid"]].verify(base64s.decode(signature["sig"]), signed)
        except SignatureError as error:
            raise TrustError(
                _("The trusted root was changed: its own signature does not match.")
            ) from error
    return frozenset(signature["keyid"] for signature in signatures)


def _count(value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        sentence = _("The trusted root has %(value)s where a number from %(least)s was expected.")
        raise TrustError(sentence, value=repr(value), least=least)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        sentence = _("The trusted root has %(value)s where text was expected.")
        raise TrustError(sentence, value=json.dumps(value)[:MAX_SHOWN])
    return value


def _address(site: str) -> str:
    """Return the address of a site, which is a scheme and a host, and nothing that follows it."""
    if not SITE.fullmatch(site) or not is_host(urlsplit(site).hostname or ""):
        sentence = _("The trusted root names “%(site)s”, which is not the address of a site.")
        raise TrustError(sentence, site=visible(site[:MAX_SHOWN]))
    return site


def _require_one_in_use(ends: list[datetime | None]) -> None:
    if ends.count(None) != 1:
        raise TrustError(
            _("The trusted root must list one key in use of each kind, and its retired ones.")
        )


def _span(entry: Json) -> tuple[datetime, datetime | None]:
    period = cast("dict[str, str]", entry["validFor"])
    return times.read(period["start"]), times.read(period["end"]) if "end" in period else None


def _logs(entries: object, origin: str) -> tuple[TrustedLog, ...]:
    logs = []
    for entry in cast("list[Json]", entries):
        start, end = _span(entry)
        size = _count(entry["size"], 0) if "size" in entry else None
        log = TrustedLog(str(entry["vkey"]), start, end, size)
        if notes.parse_vkey(log.verifier)[0] != origin:
            sentence = _("The trusted root names the log %(log)s, but gives a key of another.")
            raise TrustError(sentence, log=origin)
        logs.append(log)
    _require_one_in_use([log.end for log in logs])
    return tuple(logs)


def _keys(entries: object) -> tuple[TrustedKey, ...]:
    keys = []
    for entry in cast("list[Json]", entries):
        key = TrustedKey(PublicKey.from_pem(str(entry["pem"])), *_span(entry))
        if key.as_dict() != entry:
            raise TrustError(_("The trusted root lists a key under a keyid that is not its own."))
        keys.append(key)
    _require_one_in_use([key.end for key in keys])
    return tuple(keys)


def follow(trust: Trust, newest: bytes, fetch: Callable[[int], bytes]) -> Trust:
    """Return what a site's newest trusted root says, if root keys lead there from `trust`.

    `fetch` returns the bytes of an earlier version by its number: where the root key changed more
    than once, each version is followed in turn. Raises TrustGoesBackError, NotVouchedError.
    """
    target, signers = _guarded(newest)
    if target.origin != trust.origin:
        sentence = _("The trusted root is of the log %(log)s, not of %(known)s.")
        raise NotVouchedError(sentence, log=target.origin, known=trust.origin)
    require_onward(trust, target)
    for version in range(trust.version + 1, min(target.version, trust.version + LONGEST_CHAIN)):
        if trust.root.keyid in signers:
            break
        trust = _next(trust, fetch(version), version)
    if trust.root.keyid not in signers:
        sentence = _(
            "Version %(version)s of the trusted root of %(log)s is not signed by the root key "
            "that you know."
        )
        raise NotVouchedError(sentence, version=target.version, log=target.origin)
    return target


def require_onward(seen: Trust, shown: Trust) -> None:
    """Raise TrustGoesBackError if a trusted root is older than one that was seen."""
    if shown.version < seen.version:
        sentence = _(
            "The site shows version %(shown)s of its trusted root, but you have seen version "
            "%(seen)s. Somebody may be showing you keys that are withdrawn."
        )
        raise TrustGoesBackError(sentence, shown=shown.version, seen=seen.version)


def _next(trust: Trust, data: bytes, version: int) -> Trust:
    step, signers = _guarded(data)
    if (step.version, step.origin) != (version, trust.origin) or trust.root.keyid not in signers:
        sentence = _(
            "Version %(version)s of the trusted root of %(log)s is not signed by the root key of "
            "the version before it."
        )
        raise NotVouchedError(sentence, version=version, log=trust.origin)
    return step
