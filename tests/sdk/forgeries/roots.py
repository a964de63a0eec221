"""What a site may sign as its trusted root, and a verifier must not take for one."""

from commonhold import base64s, canonical, notes, signing, trust

from tests.sdk import bundles
from tests.sdk.forgeries.lab import Forgery, Lab, add, drop, put

OTHER = bundles.Site()
BLOCK = "commonhold"
OTHER_VKEY = notes.vkey(bundles.ORIGIN, OTHER.log_key.public)
RAW = base64s.encode(OTHER.log_key.public.der)


def signed(name, edits, reason):
    """The site's own root key signs it, and it lies in the download."""

    def make(lab: Lab) -> None:
        document = lab.json("trusted_root.json")
        del document[BLOCK]["signatures"]
        for edit in edits if isinstance(edits, tuple) else (edits,):
            edit(document)
        lab.write("trusted_root.json", resigned(document, lab.site.root_key))

    return Forgery(name, make, "files", reason)


def resigned(document, *keys: signing.SigningKey) -> bytes:
    payload = trust.SIGNED_PREFIX + canonical.encode(document)
    document[BLOCK]["signatures"] = [
        {"keyid": key.keyid, "sig": base64s.encode(key.sign(payload))} for key in keys
    ]
    return canonical.encode(document)


def unsigned(name, make, reason):
    """Somebody without a key writes it."""
    return Forgery(name, make, "files", reason)


def edited(edit):
    def make(lab: Lab) -> None:
        document = lab.json("trusted_root.json")
        edit(document)
        lab.write("trusted_root.json", canonical.encode(document))

    return make


TWO_FACES = "says one thing to Sigstore's tools and another to ours"
LACKS = "it lacks what a trusted root must say"

ROOTS = (
    signed("another log for Sigstore's tools", put("tlogs.0.publicKey.rawBytes", RAW), TWO_FACES),
    signed("another log id for Sigstore's tools", put("tlogs.0.logId.keyId", base64s.encode(bytes(4))), TWO_FACES),
    signed("another log's checkpoints for Sigstore's tools", put("tlogs.0.checkpointKeyId.keyId", base64s.encode(bytes(4))), TWO_FACES),
    signed("another log's address", put("tlogs.0.baseUrl", "https://evil.example/log"), TWO_FACES),
    signed("another log's kind of key", put("tlogs.0.publicKey.keyDetails", "PKIX_RSA"), TWO_FACES),
    signed("a log that counts from earlier", put("tlogs.0.publicKey.validFor.start", "2020-01-01T00:00:00Z"), TWO_FACES),
    signed("a second log for Sigstore's tools", lambda one: add("tlogs", one["tlogs"][0])(one), TWO_FACES),
    signed("no log for Sigstore's tools", put("tlogs", []), TWO_FACES),
    signed("a certificate authority", put("certificateAuthorities", [{"uri": "https://evil.example"}]), TWO_FACES),
    signed("a timestamp authority", put("timestampAuthorities", [{"uri": "https://evil.example"}]), TWO_FACES),
    signed("another media type", put("mediaType", "application/json"), TWO_FACES),
    signed("a block with more to it", put(f"{BLOCK}.more", 1), TWO_FACES),
    signed("a log key that Sigstore's tools don't have", put(f"{BLOCK}.logKeys.0.vkey", OTHER_VKEY), TWO_FACES),
    signed("a log key of another log", put(f"{BLOCK}.logKeys.0.vkey", notes.vkey("log.other.example", OTHER.log_key.public)), "gives a key of another"),
    signed("a log key that is none", put(f"{BLOCK}.logKeys.0.vkey", "x+y+z"), "base64 value is damaged"),
    signed("a key under another's id", put(f"{BLOCK}.manifestKeys.0.keyid", "0" * 64), "under a keyid that is not its own"),
    signed("a key that is none", put(f"{BLOCK}.manifestKeys.0.pem", "-----BEGIN"), "This is not a public key in PEM form"),
    signed("a key in another spelling", lambda one: put(f"{BLOCK}.statusKeys.0.pem", one[BLOCK]["statusKeys"][0]["pem"] + "\n")(one), "not in its usual form"),
    signed("two manifest keys in use", lambda one: add(f"{BLOCK}.manifestKeys", one[BLOCK]["statusKeys"][0])(one), "must list one key in use of each kind"),
    signed("no manifest key in use", put(f"{BLOCK}.manifestKeys", []), "must list one key in use of each kind"),
    signed("no status key in use", put(f"{BLOCK}.statusKeys", []), "must list one key in use of each kind"),
    signed("no log key in use", (put(f"{BLOCK}.logKeys", []), put("tlogs", [])), "must list one key in use of each kind"),
    signed("another root key", put(f"{BLOCK}.rootKeys.0", trust.TrustedKey(OTHER.root_key.public, bundles.SINCE).as_dict()), LACKS),
    signed("version nought", put(f"{BLOCK}.version", 0), "has 0 where a number from 1 was expected"),
    signed("a version that is true", put(f"{BLOCK}.version", value=True), "where a number from 1 was expected"),
    signed("a version in words", put(f"{BLOCK}.version", "1"), "where a number from 1 was expected"),
    signed("an end on no day", put(f"{BLOCK}.expires", "2027-02-30T00:00:00Z"), "is not a time of the form"),
    signed("a site that is a number", put(f"{BLOCK}.site", 5), "has 5 where text was expected"),
    signed("an instance that is a list", put(f"{BLOCK}.instance", []), "has [] where text was expected"),
    signed("an origin that is an object", put(f"{BLOCK}.origin", {}), "has {} where text was expected"),
    signed("a site that is no address", put(f"{BLOCK}.site", "javascript:alert(1)"), "is not the address of a site"),
    signed("a site with a path", put(f"{BLOCK}.site", "https://commonhold.example/a/"), "is not the address of a site"),
    signed("a site with a name and a password", put(f"{BLOCK}.site", "https://a:b@commonhold.example"), "is not the address of a site"),
    signed("a site whose host is none", put(f"{BLOCK}.site", "https://commonhold..example"), "is not the address of a site"),
    signed("keys that are no list", put(f"{BLOCK}.statusKeys", {"pem": 1}), LACKS),
    signed("keys that are text", put(f"{BLOCK}.manifestKeys", ["x"]), LACKS),
    signed("a key without a time", drop(f"{BLOCK}.manifestKeys.0.validFor"), LACKS),
    unsigned("a root that was changed", edited(put(f"{BLOCK}.site", "https://evil.example")), "its own signature does not match"),
    unsigned("a root that nobody signed", edited(put(f"{BLOCK}.signatures", [])), "not signed by its own root key"),
    unsigned("a root without signatures", edited(drop(f"{BLOCK}.signatures")), LACKS),
    unsigned("a root without our block", edited(drop(BLOCK)), LACKS),
    unsigned("a signature of another shape", edited(put(f"{BLOCK}.signatures.0.x", 1)), "has a signature of another shape"),
    unsigned("a root that is a list", lambda lab: lab.write("trusted_root.json", b"[]"), LACKS),
    unsigned("a root that is no JSON", lambda lab: lab.write("trusted_root.json", b"{"), "This is not JSON"),
    unsigned("a root of two megabytes", lambda lab: lab.write("trusted_root.json", b'"' + b"x" * 2_000_000 + b'"'), "larger than any is"),
)  # fmt: skip
