"""Verify a downloaded release, or a manifest alone, offline: a vector, never one boolean.

Nothing is believed before its signature is: proofs, status lists and terms are only reported for
a manifest that a trusted key signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from commonhold import manifest, pins, sigstore, standing, times, tlog
from commonhold.errors import CommonholdError
from commonhold.fetching import fetch_small
from commonhold.filecheck import PROOFS, check_files
from commonhold.manifest import Json
from commonhold.report import Check, Report, State
from commonhold.sentences import _, filled, one_after_another
from commonhold.signing import Envelope, PublicKey, parse_envelope
from commonhold.trust import PATH as ROOT_PATH
from commonhold.trust import Trust, TrustError, follow, read_trusted_root, version_path

MAX_DOCUMENT = 64 * 1024 * 1024
NOT_CHECKED = Check(State.UNKNOWN, _("Not checked, because the signature could not be relied on."))
ONLY_MANIFEST = Check(
    State.UNKNOWN, _("Not checked: only the manifest was given, without its files.")
)


class TargetError(CommonholdError):
    """There is nothing to verify where we were told to look."""

    code = "nothing-to-verify"
    status = 422


@dataclass(frozen=True)
class Documents:
    """The signed papers of a release, each as its file's bytes, or None where it is not at hand."""

    manifest: bytes | None = None
    sigstore: bytes | None = None
    proof: bytes | None = None
    consent_status: bytes | None = None
    trusted_root: bytes | None = None

    @classmethod
    def of(cls, parts: Mapping[str, bytes]) -> "Documents":
        """Take the papers from files by their usual names; other names are passed over."""
        names = (field.name for field in fields(cls))
        order = (PROOFS[0], PROOFS[1], PROOFS[2], PROOFS[3], PROOFS[4])
        return cls(**dict(zip(names, (parts.get(name) for name in order), strict=True)))


@dataclass(frozen=True)
class _Signed:
    """A statement that a trusted key signed."""

    envelope: Envelope
    key: PublicKey
    statement: Json

    @property
    def predicate(self) -> dict[str, Json]:
        return cast("dict[str, Json]", self.statement["predicate"])


def _envelope(documents: Documents) -> Envelope:
    if documents.manifest is not None:
        return parse_envelope(documents.manifest)
    if documents.sigstore is not None:
        return sigstore.parse_bundle(documents.sigstore)[0]
    raise TargetError(
        _("There is no manifest here: neither manifest.dsse.json nor manifest.sigstore.json.")
    )


def _claimed_origin(envelope: Envelope) -> str:
    """Return the log that a manifest names, before its signature is checked."""
    predicate = cast("dict[str, Json]", manifest.read(envelope.payload)["predicate"])
    return cast("str", predicate["log"]["origin"])


def _find_trust(
    given: Trust | None, envelope: Envelope, documents: Documents
) -> tuple[Trust, Check]:
    if given is not None:
        return given, Check(State.OK, _("The keys are those you gave."), {"source": "given"})
    pinned = pins.pinned(_claimed_origin(envelope))
    if pinned is not None:
        sentence = _("The keys are those you kept from an earlier download.")
        return pinned, Check(State.OK, sentence, {"source": "pinned"})
    if documents.trusted_root is None:
        raise TrustError(
            _("There are no keys to check with. Give the site's trusted_root.json with --trust.")
        )
    sentence = _(
        "The keys came with the download, so they only show that nothing was damaged. "
        "Get the site's trusted_root.json another way and give it with --trust."
    )
    trust = read_trusted_root(documents.trusted_root)
    return trust, Check(State.WARNING, sentence, {"source": "download"})


def _renewed(trust: Trust, found: Check, renew: Callable[[Trust], Trust]) -> tuple[Trust, Check]:
    """Take the site's newest keys where root keys lead from those at hand to them."""
    try:
        return renew(trust), found
    except TrustError as error:
        said = one_after_another(found.said, error.said)
        return trust, Check(State.WARNING, said, found.details)
    except CommonholdError as error:
        why = filled(_("The site could not be asked for newer ones: %(why)s"), why=error.said)
        return trust, Check(found.state, one_after_another(found.said, why), found.details)


def _dated(trust: Trust, found: Check, now: datetime) -> Check:
    """Warn of keys that ran out: their own validity still decides about signatures."""
    details = {**found.details, "version": trust.version, "expires": times.write(trust.expires)}
    if now < trust.expires:
        return Check(found.state, found.said, details)
    sentence = _(
        "They ran out on %(expires)s: keys that were replaced since are not known here. Get the "
        "newest trusted_root.json of %(site)s."
    )
    ended = filled(sentence, expires=details["expires"], site=trust.site)
    return Check(State.WARNING, one_after_another(found.said, ended), details)


def renew_from_site(trust: Trust) -> Trust:
    """Return the newest keys that the site of `trust` serves, or TrustError, FetchError."""
    newest = fetch_small(trust.site + ROOT_PATH)
    return follow(trust, newest, lambda version: fetch_small(trust.site + version_path(version)))


def _moment(predicate: Mapping[str, Json]) -> str:
    """Return when a statement was made, as it says itself."""
    grant = predicate.get("grant")
    return cast("str", grant["validFrom"] if grant else predicate["release"]["issued"])


def _check_signature(envelope: Envelope, trust: Trust) -> tuple[_Signed, Check]:
    key = envelope.verify(trusted.key for trusted in trust.manifest_keys)
    signed = _Signed(envelope, key, manifest.read(envelope.payload))
    moment = _moment(signed.predicate)
    covered = [
        trusted
        for trusted in trust.manifest_keys
        if trusted.key.keyid == key.keyid and trusted.covers(times.read(moment))
    ]
    if not covered:
        raise TrustError(_("The key that signed this was not in use on %(time)s."), time=moment)
    sentence = _("The manifest is signed, and nothing in it has changed since.")
    return signed, Check(State.OK, sentence, {"keyid": key.keyid, "signed_for": moment})


def _check_logged(signed: _Signed, documents: Documents, trust: Trust) -> Check:
    if documents.proof is not None:
        proof = tlog.parse_proof(documents.proof)
    elif documents.sigstore is not None:
        proof = sigstore.parse_bundle(documents.sigstore)[1]
    else:
        return Check(State.UNKNOWN, _("There is no log proof beside the manifest."))
    origin = signed.predicate["log"]["origin"]
    if origin != trust.origin:
        sentence = _("The manifest names the log %(log)s, but the keys are of %(known)s.")
        raise TrustError(sentence, log=origin, known=trust.origin)
    log = trust.log_of(proof.checkpoint)
    body = tlog.entry_body(signed.envelope, signed.key)
    checkpoint = proof.verify(body, log.verifier)
    log.require(checkpoint, made=times.read(_moment(signed.predicate)))
    if documents.sigstore is not None:
        bundle = sigstore.build_bundle(signed.envelope, proof, signed.key, log.verifier)
        if bundle != documents.sigstore:
            raise sigstore.BundleError(
                _("manifest.sigstore.json says something else than the manifest and its proof.")
            )
    sentence = _("Entry %(index)s of the public log %(origin)s, whose signed root includes it.")
    details = {"index": proof.index, "size": checkpoint.size, "root": checkpoint.root.hex()}
    return Check(State.OK, sentence, {"origin": origin, **details}, {"index": str(proof.index)})


def _about(signed: _Signed) -> Json:
    release = signed.predicate["release"]
    about: Json = {key: release[key] for key in ("dataset", "name", "version", "title", "issued")}
    about["root"] = cast("dict[str, Json]", release["files"])["merkle"]["root"]
    about["publisher"] = cast("Json", release["publisher"])["name"]
    grant = signed.predicate.get("grant")
    if grant is not None:
        about["grant"] = grant["id"]
        about["licensee"] = cast("Json", grant["licensee"])["name"]
        about["license"] = signed.predicate["license"]["name"]
        about["test"] = cast("Json", grant["price"]).get("test", False)
    return about


def _failed(error: CommonholdError) -> Check:
    return Check(State.FAILED, error.said, {"code": error.code})


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except CommonholdError as error:
        return _failed(error)


def verify_documents(
    documents: Documents,
    *,
    trust: Trust | None = None,
    now: datetime | None = None,
    fetch: Callable[[str], bytes] | None = None,
    renew: Callable[[Trust], Trust] | None = None,
    files: Callable[[Json, frozenset[int]], Check] | None = None,
) -> Report:
    """Return the vector for the papers of a release. Raises TargetError without any manifest.

    `trust`: whose keys count; else those pinned for the log, else those in the papers (a warning).
    `fetch` returns the bytes at a URL, to ask for fresh status lists; without it nothing is asked.
    `renew` returns the newest keys of a site, followed from older ones; without it those count.
    `files` checks the data against the statement and the withdrawn consents' numbers.
    """
    now = now or datetime.now(UTC)
    found = Check(State.UNKNOWN, _("No keys were settled on."))
    try:
        envelope = _envelope(documents)
        trust, found = _find_trust(trust, envelope, documents)
        if renew is not None:
            trust, found = _renewed(trust, found, renew)
        found = _dated(trust, found, now)
        signed, signature = _check_signature(envelope, trust)
    except TargetError:
        raise
    except CommonholdError as error:
        rest = NOT_CHECKED
        return Report(_failed(error), rest, rest, rest, rest, found)
    ask = standing.Asker(trust, now, fetch)
    grant = signed.predicate.get("grant")
    granted = cast("dict[str, list[str]]", grant["scope"])["purposes"] if grant else []
    consent, withdrawn = standing.check_consent(
        signed.predicate["release"], documents.consent_status, granted, ask
    )
    return Report(
        signature=signature,
        logged=_guarded(lambda: _check_logged(signed, documents, trust)),
        files=ONLY_MANIFEST if files is None else files(signed.statement, withdrawn),
        license=standing.check_license(grant, signed.predicate.get("license"), ask),
        consent=consent,
        trust=found,
        about=_about(signed),
    )


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_DOCUMENT:
        sentence = _("%(path)s is far too large to be what its name says.")
        raise TargetError(sentence, path=str(path))
    return path.read_bytes()


def _documents_at(target: Path) -> Documents:
    folder = target if target.is_dir() else target.parent
    if not target.exists():
        raise TargetError(_("There is nothing at %(path)s."), path=str(target))
    parts: dict[str, bytes] = {}
    if target.is_dir() or target.name in PROOFS:
        parts = {name: _read(folder / name) for name in PROOFS if (folder / name).is_file()}
    if target.is_file() and target.name not in PROOFS:
        data = _read(target)
        is_bundle = b'"dsseEnvelope"' in data
        parts = {"manifest.sigstore.json" if is_bundle else "manifest.dsse.json": data}
    return Documents.of(parts)


def verify(
    target: Path | str,
    trust: Path | str | Trust | None = None,
    offline: bool = True,  # noqa: FBT001, FBT002 (a public flag with a name of its own)
    now: datetime | None = None,
) -> Report:
    """Verify a downloaded folder or a manifest file and return the vector.

    `trust`: a trusted_root.json (or its contents read) whose keys count. `offline=False` asks
    the site for its newest keys and for fresh status lists. Raises TargetError or TrustError if
    there is nothing to check or to check with.
    """
    target = Path(target)
    if isinstance(trust, str | Path):
        trust = read_trusted_root(_read(Path(trust)))
    files = None
    if target.is_dir():

        def files(statement: Json, withdrawn: frozenset[int]) -> Check:
            return check_files(target, statement, withdrawn)

    return verify_documents(
        _documents_at(target),
        trust=trust,
        now=now,
        fetch=None if offline else fetch_small,
        renew=None if offline else renew_from_site,
        files=files,
    )
