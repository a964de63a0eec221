"""What somebody without any key may do to a download."""

import json
import os
import shutil

from commonhold import base64s, canonical, signing
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from tests.sdk import bundles
from tests.sdk.forgeries.lab import Forgery, Lab, find, put

CLIP = "audio/morning/0001.flac"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
STRANGER = signing.make_key("ES256")


def replaced(name, old, new):
    """Replace bytes of a file."""

    def make(lab: Lab) -> None:
        data = lab.read(name)
        assert old in data
        lab.write(name, data.replace(old, new, 1))

    return make


def written(name, data):
    """Write a file anew."""
    return lambda lab: lab.write(name, data)


def rewritten(name, edit):
    """Write a paper anew, canonical as before."""

    def make(lab: Lab) -> None:
        document = lab.json(name)
        edit(document)
        lab.write(name, canonical.encode(document))

    return make


def removed(*names):
    """Take files away."""

    def make(lab: Lab) -> None:
        for name in names:
            (lab.folder / name).unlink()

    return make


def linked(lab: Lab) -> None:
    shutil.copy(lab.folder / CLIP, lab.folder.parent / "outside.flac")
    (lab.folder / CLIP).unlink()
    (lab.folder / CLIP).symlink_to(lab.folder.parent / "outside.flac")


def piped(lab: Lab) -> None:
    (lab.folder / CLIP).unlink()
    os.mkfifo(lab.folder / CLIP)


def swapped(lab: Lab) -> None:
    one, other = CLIP, "audio/morning/0002.flac"
    data, others = lab.read(one), lab.read(other)
    lab.write(one, others)
    lab.write(other, data)


def resealed(change):
    """Edit what the envelope holds; the signature stays."""

    def make(lab: Lab) -> None:
        document = lab.json("manifest.dsse.json")
        statement = json.loads(base64s.decode(document["payload"]))
        change(statement)
        document["payload"] = base64s.encode(canonical.encode(statement))
        lab.write("manifest.dsse.json", canonical.encode(document))

    return make


def signature_edit(edit):
    """Write another signature into the envelope."""

    def make(lab: Lab) -> None:
        document = lab.json("manifest.dsse.json")
        one = document["signatures"][0]
        one["sig"] = base64s.encode(edit(base64s.decode(one["sig"])))
        lab.write("manifest.dsse.json", canonical.encode(document))

    return make


def mirrored(der: bytes) -> bytes:
    """The other signature that the same key would have made: (r, n - s)."""
    r, s = decode_dss_signature(der)
    return encode_dss_signature(r, P256_ORDER - s)


def by_stranger(lab: Lab) -> None:
    envelope = signing.parse_envelope(lab.read("manifest.dsse.json"))
    lab.write("manifest.dsse.json", signing.sign_payload(envelope.payload, STRANGER).to_bytes())


def by_stranger_in_our_name(lab: Lab) -> None:
    envelope = signing.sign_payload(lab.statement_bytes(), STRANGER)
    document = envelope.as_dict()
    document["signatures"][0]["keyid"] = lab.site.manifest_key.keyid
    lab.write("manifest.dsse.json", canonical.encode(document))


def typed(payload_type):
    """The issuer signs the same under another type."""
    return lambda lab: lab.sign(lab.statement_bytes(), payload_type)


def of_another_release(*names):
    """Take papers of another release of the same site."""

    def make(lab: Lab) -> None:
        other = bundles.write(lab.folder.parent / "other", lab.site)
        for name in names:
            shutil.copy(other / name, lab.folder / name)

    return make


def of_another_site(*names):
    """Take papers of another site."""

    def make(lab: Lab) -> None:
        other = bundles.write(lab.folder.parent / "other", bundles.Site())
        for name in names:
            shutil.copy(other / name, lab.folder / name)

    return make


def earlier_root(lab: Lab) -> None:
    """Of the same log and of a version before, and everything in it is somebody else's."""
    lab.trust = lab.site.trust(version=2)
    lab.write("trusted_root.json", bundles.Site().trusted_root())


def proof_line(number, line):
    """Write another line into the log proof."""

    def make(lab: Lab) -> None:
        lines = lab.read("manifest.tlog-proof").decode().split("\n")
        lines[number] = line
        lab.write("manifest.tlog-proof", "\n".join(lines).encode())

    return make


def checkpoint_edit(number, line):
    """Write another line into the checkpoint of the log proof."""

    def make(lab: Lab) -> None:
        head, gap, note = lab.read("manifest.tlog-proof").decode().partition("\n\n")
        lines = note.split("\n")
        lines[number] = line
        lab.write("manifest.tlog-proof", (head + gap + "\n".join(lines)).encode())

    return make


def copied(path, to):
    """Copy a value of the bundle to another place in it."""

    def edit(document):
        holder, last = find(document, path)
        put(to, holder[last])(document)

    return edit


ENTRY = "verificationMaterial.tlogEntries.0"
SAYS_ELSE = "manifest.sigstore.json says something else than the manifest and its proof"

FILES = (
    *(Forgery(f"a byte of {name} changed", replaced(name, old, new), "files", f"“{name}” was changed") for name, old, new in (
        ("README.md", b"# K", b"# k"), ("metadata.jsonl", b"Guten", b"guten"), (CLIP, b"\0", b"\1"),
        ("text/notes.jsonl", b"aus", b"AUS"), ("LICENSE.txt", b"may", b"MAY"), ("croissant.json", b"kurz", b"lang"),
    )),
    *(Forgery(f"{name} emptied", written(name, b""), "files", f"“{name}”") for name in ("README.md", CLIP, "LICENSE.txt")),
    *(Forgery(f"{name} taken away", removed(name), "files", f"“{name}” is missing") for name in (
        "README.md", CLIP, "metadata.jsonl", "LICENSE.txt", "croissant.json", "files.jsonl", "manifest.sigstore.json", "trusted_root.json",
    )),
    *(Forgery(f"a file more: {name!r}", written(name, b"extra"), "files", "is not part of the release") for name in (
        "more.flac", "audio/morning/0003.flac", ".hidden", "audio/.DS_Store", "manifest.dsse.json.bak", "readme.md", ".git/config",
    )),
    Forgery("a file more with a bidirectional name", written("audio/\u202ecalf", b"x"), "files", "“audio/\\u{202e}calf” is not part of the release"),
    Forgery("a file more with a terminal's escape", written("audio/\x1b[2J", b"x"), "files", "“audio/\\u{001b}[2J” is not part of the release"),
    Forgery("a link in place of a clip", linked, "files", "is a link or a device"),
    Forgery("a pipe in place of a clip", piped, "files", "is a link or a device"),
    Forgery("two clips swapped", swapped, "files", f"“{CLIP}” was changed"),
    Forgery("a clip one byte longer", lambda lab: lab.write(CLIP, lab.read(CLIP) + b"\0"), "files", "has 65 bytes instead of 64"),
    Forgery("a line of the index taken away", lambda lab: lab.write("files.jsonl", b"".join(lab.read("files.jsonl").splitlines(keepends=True)[1:])), "files", "was changed"),
    Forgery("a line of the index changed", replaced("files.jsonl", b"audio/flac", b"audio/mpeg"), "files", "“files.jsonl” was changed"),
    Forgery("the index of another release", lambda lab: lab.write("files.jsonl", b""), "files", "was changed"),
)  # fmt: skip

ENVELOPES = (
    *(Forgery(f"unsigned: {name}", resealed(edit), "signature", "The signature does not match") for name, edit in (
        ("another title", put("predicate.release.title", "Other")),
        ("another licensee", put("predicate.grant.licensee.name", "Mallory")),
    )),
    Forgery("another payload type, unsigned", rewritten("manifest.dsse.json", put("payloadType", "text/plain")), "signature", "What is signed calls itself text/plain"),
    *(Forgery(f"signed as {kind!r}", typed(kind), "signature", "not application/vnd.in-toto+json") for kind in (
        "application/json", "", "application/vnd.in-toto+json ", "APPLICATION/VND.IN-TOTO+JSON", "application/vnd.in-toto+json; charset=utf-8",
    )),
    Forgery("signed by a stranger", by_stranger, "signature", "which nobody here vouches for"),
    Forgery("signed by a stranger in our name", by_stranger_in_our_name, "signature", "The signature does not match"),
    Forgery("an empty signature", signature_edit(lambda _sig: b""), "signature", "The signature does not match"),
    Forgery("a signature of zeros", signature_edit(lambda sig: bytes(len(sig))), "signature", "The signature does not match"),
    Forgery("a signature with a byte behind it", signature_edit(lambda sig: sig + b"\0"), "signature", "The signature does not match"),
    Forgery("the mirrored signature", signature_edit(mirrored), "logged", "this entry is not in that log"),
    Forgery("no signature", rewritten("manifest.dsse.json", put("signatures", [])), "signature", "a DSSE envelope with one signature was expected"),
    Forgery("two signatures", rewritten("manifest.dsse.json", lambda one: one["signatures"].append(one["signatures"][0])), "signature", "a DSSE envelope with one signature was expected"),
    Forgery("an envelope with more to it", rewritten("manifest.dsse.json", put("note", "x")), "signature", "a DSSE envelope with one signature was expected"),
    Forgery("a signature with more to it", rewritten("manifest.dsse.json", put("signatures.0.cert", "x")), "signature", "a DSSE envelope with one signature was expected"),
    Forgery("an envelope that is a list", written("manifest.dsse.json", b"[]"), "signature", "a DSSE envelope with one signature was expected"),
    Forgery("an envelope with a space", lambda lab: lab.write("manifest.dsse.json", lab.read("manifest.dsse.json") + b" "), "signature", "not in its canonical form"),
    Forgery("an envelope that names its payload twice", lambda lab: lab.write("manifest.dsse.json", b'{"payload":"",' + lab.read("manifest.dsse.json")[1:]), "signature", "The JSON names “payload” twice"),
    Forgery("an envelope cut in half", lambda lab: lab.write("manifest.dsse.json", lab.read("manifest.dsse.json")[:200]), "signature", "This is not JSON: it can't be read from character"),
    Forgery("an envelope that is no text", written("manifest.dsse.json", b"\x80\x81"), "signature", "This is not text in UTF-8: it breaks off at byte 0"),
    Forgery("an envelope nested beyond all", written("manifest.dsse.json", b"[" * 100_000), "signature", "nested too deeply"),
    Forgery("an empty envelope", written("manifest.dsse.json", b""), "signature", "This is not JSON"),
    Forgery("a payload in loose base64", rewritten("manifest.dsse.json", lambda one: put("payload", one["payload"] + "\n")(one)), "signature", "A base64 value is damaged"),
    Forgery("a payload that is no statement", lambda lab: lab.sign(b"{}"), "signature", "$ lacks “_type”"),
    Forgery("a payload that is a list", lambda lab: lab.sign(b"[]"), "signature", "$ is not an object"),
    Forgery("a payload that is no text", lambda lab: lab.sign(b"\xff"), "signature", "This is not text in UTF-8"),
    Forgery("a payload in another spelling", lambda lab: lab.sign(json.dumps(lab.statement()).encode()), "signature", "not in its canonical form"),
    Forgery("a payload with half a character", lambda lab: lab.sign(b'{"x":"\\ud800"}'), "signature", "a lone surrogate"),
    Forgery("the manifest of another release", of_another_release("manifest.dsse.json"), "logged", "this entry is not in that log"),
    Forgery("the manifest of another site", of_another_site("manifest.dsse.json"), "signature", "which nobody here vouches for"),
)  # fmt: skip

PROOFS = (
    Forgery("the proof of another release", of_another_release("manifest.tlog-proof"), "logged", "this entry is not in that log"),
    Forgery("the proof of another site", of_another_site("manifest.tlog-proof"), "logged", "not signed by any key that this log has had"),
    Forgery("the proof of an entry before", proof_line(1, "index 0"), "logged", "this entry is not in that log"),
    Forgery("the proof of an entry beyond", proof_line(1, "index 999999"), "logged", "999,999"),
    Forgery("a proof of another kind", proof_line(0, "c2sp.org/tlog-proof@v2"), "logged", "The log proof can't be read"),
    Forgery("a proof with its index in words", proof_line(1, "index one"), "logged", "The log proof can't be read"),
    Forgery("a proof with a leading zero", proof_line(1, "index 03"), "logged", "The log proof can't be read"),
    Forgery("a proof with a hash of zeros", proof_line(2, base64s.encode(bytes(32))), "logged", "this entry is not in that log"),
    Forgery("a proof with a short hash", proof_line(2, base64s.encode(bytes(31))), "logged", "a hash of the wrong length"),
    Forgery("a proof with a damaged hash", proof_line(2, "!" * 44), "logged", "A base64 value is damaged"),
    Forgery("an empty proof", written("manifest.tlog-proof", b""), "logged", "The log proof can't be read"),
    Forgery("a proof that is no text", written("manifest.tlog-proof", b"\xff\n\n"), "logged", "The log proof can't be read"),
    Forgery("a checkpoint of another log", checkpoint_edit(0, "log.other.example"), "logged", "The log's signature does not match"),
    Forgery("a checkpoint of another size", checkpoint_edit(1, "7"), "logged", "The log's signature does not match"),
    Forgery("a checkpoint of another root", checkpoint_edit(2, base64s.encode(bytes(32))), "logged", "The log's signature does not match"),
    Forgery("a checkpoint that nobody signed", checkpoint_edit(4, ""), "logged", "it has no signature below its text"),
    Forgery("the trusted root of another site", of_another_site("trusted_root.json"), "files", "“trusted_root.json” is not the one of the keys that count here"),
    Forgery("an earlier trusted root by another root key", earlier_root, "files", "It names keys that the later one does not know"),
    Forgery("a bundle of another release", of_another_release("manifest.sigstore.json"), "logged", SAYS_ELSE),
    Forgery("a bundle cut short", lambda lab: lab.write("manifest.sigstore.json", lab.read("manifest.sigstore.json")[:-9]), "logged", SAYS_ELSE),
    *(Forgery(f"a bundle with another {path}", rewritten("manifest.sigstore.json", put(path, value)), "logged", SAYS_ELSE) for path, value in (
        ("mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.1"),
        ("verificationMaterial.publicKey.hint", "0" * 64),
        (f"{ENTRY}.logIndex", "0"), (f"{ENTRY}.integratedTime", "1700000000"), (f"{ENTRY}.logId.keyId", base64s.encode(bytes(4))),
        (f"{ENTRY}.canonicalizedBody", base64s.encode(b"{}")), (f"{ENTRY}.inclusionProof.rootHash", base64s.encode(bytes(32))),
        (f"{ENTRY}.inclusionProof.treeSize", "1"), (f"{ENTRY}.kindVersion.version", "0.0.1"),
        ("dsseEnvelope.payloadType", "application/json"),
    )),
)  # fmt: skip

OUTSIDE = FILES + ENVELOPES + PROOFS
