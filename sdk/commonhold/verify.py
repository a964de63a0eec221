"""Verify a downloaded release, or a manifest alone, offline: a vector, never one boolean.

Nothing is believed before its signature is: proofs, status lists and terms are only reported for
a manifest that a trusted key signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

from commonhold import keyring, manifest, sigstore, standing, times, tlog
from commonhold.consistency import Json, require_past
from commonhold.errors import CommonholdError
from commonhold.fetching import fetch_below
from commonhold.filecheck import LARGEST, MAX_PAPER, check_files
from commonhold.manifest import PROOFS
from commonhold.report import Check, Report, State
from commonhold.sentences import Sentence, _, filled, one_after_another
from commonhold.signing import Envelope, PublicKey, parse_envelope
from commonhold.trust import Trust, TrustError, read_trusted_root
from commonhold.vouching import Vouched

NOT_CHECKED = Check(State.UNKNOWN, _("Not checked, because the signature could not be relied on."))
ROOT = "trusted_root.json"
Memory = Callable[[Vouched, str], Sentence | None]
ONLY_MANIFEST = Check(
    State.UNKNOWN, _("Not checked: only the manifest was given, without its files.")
)
NO_KEYS = Check(State.UNKNOWN, _("No keys were settled on."))
NOTHING_KNOWN = _("Nothing is known, because nobody vouched for the keys.")
BY_NOBODY = {
    "signature": _("It fits the keys that came with it, for which nobody vouched."),
    "files": _("They are what this manifest says, but nobody vouched for the keys that signed it."),
}


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


def _moment(predicate: Mapping[str, Json]) -> str:
    """Return when a statement was made, as it says itself."""
    grant = predicate.get("grant")
    return cast("str", grant["validFrom"] if grant else predicate["release"]["issued"])


def _check_signature(envelope: Envelope, trust: Trust, now: datetime) -> tuple[_Signed, Check]:
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
    require_past(signed.predicate, now)
    sentence = _("The manifest is signed, and nothing in it has changed since.")
    return signed, Check(State.OK, sentence, {"keyid": key.keyid, "signed_for": moment})


def _check_logged(
    signed: _Signed,
    documents: Documents,
    keys: Vouched,
    remembered: Memory | None,
) -> Check:
    trust = keys.trust
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
    known = None if remembered is None else remembered(keys, proof.checkpoint)
    if documents.sigstore is not None:
        bundle = sigstore.build_bundle(signed.envelope, proof, signed.key, log.verifier)
        if bundle != documents.sigstore:
            raise sigstore.BundleError(
                _("manifest.sigstore.json says something else than the manifest and its proof.")
            )
    sentence = _("Entry %(index)s of the public log %(origin)s, whose signed root includes it.")
    said = filled(sentence, origin=origin, index=str(proof.index))
    details = {"index": proof.index, "size": checkpoint.size, "root": checkpoint.root.hex()}
    whole = said if known is None else one_after_another(said, known)
    return Check(State.OK, whole, {"origin": origin, **details})


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
    trust: Trust | Vouched | None = None,
    now: datetime | None = None,
    online: bool = False,
    first_use: bool = False,
    fetch: Callable[[str], bytes] | None = None,
    renew: Callable[[Trust], Trust] | None = None,
    files: Callable[[Json, Trust, frozenset[int]], Check] | None = None,
    remembered: Memory | None = None,
) -> Report:
    """Return the vector for the papers of a release. Raises TargetError without any manifest.

    `trust`: whose keys count; else those pinned, else those in the papers, for which nobody
    vouches: then nothing is `ok` and nothing is asked, unless `first_use` believes them.
    `online` asks the site for newer keys and fresh status lists. Who has them at hand gives
    `fetch`, which returns the bytes at a URL, and `renew`, which returns a site's newest keys.
    `files` checks the data against the statement, the keys and the withdrawn consents' numbers;
    `remembered` holds a log's checkpoint against those that the caller keeps, and says how that
    went.
    """
    now = now or datetime.now(UTC)
    found = NO_KEYS
    try:
        envelope = _envelope(documents)
        keys = keyring.find(trust, envelope, documents.trusted_root, first_use=first_use)
        found = keys.check()
        renew = partial(keyring.renew_from, keys.sites) if online else renew
        keys, found = keyring.renewed(keys, found, renew)
        found = keyring.dated(keys.trust, found, now)
        signed, signature = _check_signature(envelope, keys.trust, now)
    except TargetError:
        raise
    except CommonholdError as error:
        rest = NOT_CHECKED
        return Report(_failed(error), rest, rest, rest, rest, found)
    fetch = partial(fetch_below, keys.sites) if online else fetch
    ask = standing.Asker(keys.trust, now, fetch if keys.counts else None, keys.sites)
    consent, withdrawn = _check_consent(signed, documents, ask)
    report = Report(
        signature=signature,
        logged=_guarded(lambda: _check_logged(signed, documents, keys, remembered)),
        files=ONLY_MANIFEST if files is None else files(signed.statement, keys.trust, withdrawn),
        license=_check_license(signed, ask),
        consent=consent,
        trust=found,
        about=_about(signed),
    )
    return report if keys.counts else _nobody_vouched(report)


def _check_license(signed: _Signed, ask: standing.Asker) -> Check:
    predicate = signed.predicate
    return standing.check_license(predicate.get("grant"), predicate.get("license"), ask)


def _check_consent(
    signed: _Signed, documents: Documents, ask: standing.Asker
) -> tuple[Check, frozenset[int]]:
    grant = signed.predicate.get("grant")
    granted = cast("dict[str, list[str]]", grant["scope"])["purposes"] if grant else []
    release = signed.predicate["release"]
    return standing.check_consent(release, documents.consent_status, granted, ask)


def _nobody_vouched(report: Report) -> Report:
    """Return what is left of a report whose keys nobody vouched for: faults, and no claims."""
    changed = {
        name: Check(State.UNKNOWN, BY_NOBODY.get(name, NOTHING_KNOWN))
        for name, check in report.vector.items()
        if check.state is not State.FAILED and check is not ONLY_MANIFEST
    }
    return replace(report, **changed, about={})


def _read(path: Path, most: int = MAX_PAPER) -> bytes:
    with path.open("rb") as file:
        data = file.read(most + 1)
    # Of keys that are too large, who reads them says so.
    if len(data) > most and path.name != ROOT:
        sentence = _("%(path)s is far too large to be what its name says.")
        raise TargetError(sentence, path=str(path))
    return data


def papers_in(folder: Path) -> dict[str, bytes]:
    """Return the papers of a release that lie in a folder, by their names, or TargetError."""
    there = [name for name in PROOFS if (folder / name).is_file()]
    return {name: _read(folder / name, LARGEST[name]) for name in there}


def documents_at(target: Path) -> Documents:
    """Return the papers at a path: of a folder, or of one paper there; a manifest by any name."""
    if not target.exists():
        raise TargetError(_("There is nothing at %(path)s."), path=str(target))
    parts: dict[str, bytes] = {}
    if target.is_dir() or target.name in PROOFS:
        parts = papers_in(target if target.is_dir() else target.parent)
    if target.is_file() and target.name not in PROOFS:
        data = _read(target)
        is_bundle = b'"dsseEnvelope"' in data
        parts = {"manifest.sigstore.json" if is_bundle else "manifest.dsse.json": data}
    return Documents.of(parts)


def read_root(path: Path) -> Trust:
    """Return the keys in a file that somebody gives, or TrustError, TargetError."""
    with path.open("rb") as file:
        return read_trusted_root(file.read(LARGEST[ROOT] + 1))


def verify(
    target: Path | str,
    trust: Path | str | Trust | Vouched | None = None,
    offline: bool = True,  # noqa: FBT001, FBT002 (a public flag with a name of its own)
    *,
    now: datetime | None = None,
    first_use: bool = False,
    remembered: Memory | None = None,
) -> Report:
    """Verify a downloaded folder or a manifest file and return the vector.

    `trust`: a trusted_root.json (or its contents read) whose keys count; else those pinned.
    `first_use` believes those of the folder where nobody vouches for them. `offline=False` asks
    the site for its newest keys and for fresh status lists. Raises TargetError or TrustError if
    there is nothing to check or to check with.
    """
    target = Path(target)
    if isinstance(trust, str | Path):
        trust = read_root(Path(trust))
    return verify_documents(
        documents_at(target),
        trust=trust,
        now=now,
        online=not offline,
        first_use=first_use,
        files=partial(check_files, target) if target.is_dir() else None,
        remembered=remembered,
    )
