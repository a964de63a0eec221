"""What a dishonest status list may say: of consents beside the papers, of licenses when asked."""

import json
import zlib
from datetime import timedelta

from commonhold import base64s, canonical, statuslist

from tests.sdk import bundles
from tests.sdk.forgeries.lab import Forgery, Lab

FINE = [0] * 8
HOUR = timedelta(hours=1)
OTHER_URI = f"{bundles.SITE}/status/consent/18"


def beside(name, make_token, reason):
    """The list that came with the download is another one."""

    def make(lab: Lab) -> None:
        lab.write("consent-status.jwt", bundles.lines(make_token(lab.site)))

    return Forgery(name, make, "consent", reason)


def raw(name, data, reason):
    """The file that came with the download holds other bytes."""
    return Forgery(name, lambda lab: lab.write("consent-status.jwt", data(lab)), "consent", reason)


def asked(name, make_token, reason, uri=bundles.GRANT_URI):
    """The site answers with another list of licenses."""

    def make(lab: Lab) -> None:
        lab.answers = {
            bundles.CONSENT_URI: lab.site.consent_status(FINE).encode(),
            bundles.GRANT_URI: lab.site.grant_status([0] * 4).encode(),
        }
        lab.answers[uri] = make_token(lab.site).encode()

    return Forgery(name, make, "license" if uri == bundles.GRANT_URI else "consent", reason)


def token(changes=None, header=None, key="status_key"):
    """A list whose claims or header are not those that our code writes."""

    def make(site):
        claims = {
            "sub": bundles.CONSENT_URI,
            "iat": int(bundles.NOW.timestamp()),
            "exp": int((bundles.NOW + HOUR).timestamp()),
            "ttl": 60,
            "status_list": {"bits": 2, "lst": base64s.encode_url(zlib.compress(bytes(2), 9))},
        }
        for name, value in (changes or {}).items():
            claims[name] = value
            if value is None:
                del claims[name]
        return signed(getattr(site, key), claims, header or {})

    return make


def signed(key, claims, header):
    head = {"alg": "ES256", "kid": key.keyid, "typ": "statuslist+jwt"} | header
    parts = [base64s.encode_url(canonical.encode(part)) for part in (head, claims)]
    body = ".".join(parts)
    signature = statuslist._jws_signature(key.sign(body.encode()))
    return f"{body}.{base64s.encode_url(signature)}"


def packed(data, bits=2):
    return {"status_list": {"bits": bits, "lst": base64s.encode_url(data)}}


def signed_raw(site, claims):
    key = site.status_key
    head = canonical.encode({"alg": "ES256", "kid": key.keyid, "typ": "statuslist+jwt"})
    body = ".".join(base64s.encode_url(part) for part in (head, claims))
    return f"{body}.{base64s.encode_url(statuslist._jws_signature(key.sign(body.encode())))}"


def ahead(**delta):
    moment = bundles.NOW + timedelta(**delta)
    return {"iat": int(moment.timestamp()), "exp": int((moment + HOUR).timestamp())}


def unsigned(site):
    header, claims, _signature = site.consent_status(FINE).split(".")
    none = base64s.encode_url(json.dumps({"alg": "none", "typ": "statuslist+jwt"}).encode())
    return f"{none}.{claims}." if header else ""


DATES = (
    beside("a list of tomorrow", token(ahead(days=1)), "which is yet to come"),
    beside("a list of 300 days ahead", token(ahead(days=300)), "which is yet to come"),
    beside("a list of an hour and a quarter ahead", token(ahead(minutes=75)), "which is yet to come"),
    beside("a list for fifty years", token({"exp": int((bundles.NOW + timedelta(days=18_250)).timestamp())}), "says that it holds for 438,000 hours"),
    beside("a list for a day and an hour", token({"exp": int((bundles.NOW + 25 * HOUR).timestamp())}), "says that it holds for 25 hours. More than 24 is too long"),
    beside("a list that ends before it begins", token({"exp": int((bundles.NOW - HOUR).timestamp())}), "The status list ends before it begins"),
    beside("a list that ends as it begins", token({"exp": int(bundles.NOW.timestamp())}), "The status list ends before it begins"),
    beside("a list of before its key", token(ahead(days=-40)), "dated to a time when its key was not in use"),
    beside("a list of no calendar", token({"iat": 2**52, "exp": 2**52 + 1}), "dated to a time that no calendar has"),
    beside("a list without a date", token({"iat": None}), "lacks what a status list must say"),
    beside("a list without an end", token({"exp": None}), "lacks what a status list must say"),
    beside("a list with a date in words", token({"iat": "now"}), "lacks what a status list must say"),
    beside("a list about nothing", token({"sub": None}), "lacks what a status list must say"),
    beside("a list without a list", token({"status_list": None}), "lacks what a status list must say"),
)  # fmt: skip

SIGNATURES = (
    beside("a list by another key", lambda _site: bundles.Site().consent_status(FINE), "signed by a key that nobody here vouches for"),
    beside("a list by the manifest's key", token(key="manifest_key"), "signed by a key that nobody here vouches for"),
    beside("a list by a stranger under our key's name", lambda site: signed(bundles.Site().status_key, {"sub": bundles.CONSENT_URI}, {"kid": site.status_key.keyid}), "its signature does not match"),
    beside("a list that nobody signed", unsigned, "signed by a key that nobody here vouches for"),
    beside("a list of no algorithm", token(header={"alg": "none"}), "not a token of the form"),
    beside("a list with the public key as a password", token(header={"alg": "HS256"}), "not a token of the form"),
    beside("a list of another type", token(header={"typ": "JWT"}), "it is not a status list"),
    beside("a list with an embedded key", token(header={"kid": "0" * 64}), "signed by a key that nobody here vouches for"),
    beside("a list whose last letter differs", lambda site: site.consent_status(FINE)[:-2] + "AA", "its signature does not match"),
    beside("a list of two parts", lambda site: site.consent_status(FINE).rpartition(".")[0], "not a token of the form"),
    beside("a list in another alphabet", lambda site: site.consent_status(FINE).replace(".", "=.", 1), "base64url value is damaged"),
    raw("no list", lambda _lab: b"", "each line ends with a newline"),
    raw("a list cut short", lambda lab: lab.read("consent-status.jwt")[:-1], "each line ends with a newline"),
    raw("a list that is there twice", lambda lab: lab.read("consent-status.jwt") * 2, "is there twice, so two readers could differ"),
    raw("a list that is not text", lambda _lab: b"\xff\xfe\n", "base64url value is damaged"),
    raw("a list and an empty line", lambda lab: lab.read("consent-status.jwt") + b"\n", "not a token of the form"),
)  # fmt: skip

CONTENTS = (
    beside("a consent that was withdrawn", lambda site: site.consent_status([0] * 5 + [1, 0, 0]), "Consent was withdrawn by p-0000"),
    beside("a consent that has run out", lambda site: site.consent_status([0, 0, 2, 0, 0, 0, 0, 0]), "The consent of p-0001 has expired"),
    beside("a consent without commercial use", lambda site: site.consent_status([0] * 5 + [3, 0, 0], narrowed={5: ["commercial"]}), "Consent was withdrawn for commercial by p-0000"),
    beside("a consent narrowed to nothing", lambda site: site.consent_status([0] * 5 + [3, 0, 0]), "Consent was withdrawn by p-0000"),
    beside("a list that is too short", lambda site: site.consent_status([0] * 4), "has no entry 5"),
    beside("a list about something else", lambda site: site.status_list(FINE, OTHER_URI), "which this manifest does not name"),
    beside("a list that narrows what is valid", lambda site: site.consent_status(FINE, narrowed={5: ["commercial"]}), "narrows entry 5, and has another status for it"),
    beside("a list that narrows in words", token({"narrowed": "all"}), "in a form that can't be read what was narrowed"),
    beside("a list that narrows a place of no number", token({"narrowed": {"05": ["commercial"]}}), "in a form that can't be read what was narrowed"),
    beside("a list that narrows by numbers", token({"narrowed": {"5": [1]}}), "in a form that can't be read what was narrowed"),
    beside("a list of a status that means nothing", token(packed(zlib.compress(b"\0\0\x40\0", 9), bits=4)), "the status 4, which has no meaning"),
    beside("a list of three bits", token(packed(zlib.compress(bytes(2), 9), bits=3)), "lacks what a status list must say"),
    beside("a list that is not packed", token(packed(bytes(8))), "can't be unpacked"),
    beside("a list that is packed and cut", token(packed(zlib.compress(bytes(2), 9)[:-3])), "cut short, or too many"),
    beside("a list with bytes behind it", token(packed(zlib.compress(bytes(2), 9) + b"x")), "cut short, or too many"),
    beside("a list that unpacks without end", token(packed(zlib.compress(bytes(4 * 1024 * 1024), 1))), "larger than any list is"),
    beside("a list with a fraction", lambda site: signed_raw(site, b'{"exp":1.5}'), "holds the number 1.5"),
    beside("a list that is not canonical", lambda site: signed_raw(site, b'{"sub": "x"}'), "not in its canonical form"),
)  # fmt: skip


ASKED = (
    asked("a license that was revoked", lambda site: site.grant_status([0, 1, 0, 0]), "The site has revoked this license"),
    asked("a license of a status that means nothing", lambda site: site.grant_status([0, 3, 0, 0]), "The site has revoked this license"),
    asked("a withdrawal that the snapshot lacks", lambda site: site.consent_status([0] * 5 + [1, 0, 0], issued=bundles.NOW + timedelta(minutes=1)), "Consent was withdrawn by p-0000", bundles.CONSENT_URI),
    asked("an expiry that the snapshot lacks", lambda site: site.consent_status([0] * 5 + [2, 0, 0], issued=bundles.NOW + timedelta(minutes=1)), "The consent of p-0000 has expired", bundles.CONSENT_URI),
)  # fmt: skip

LISTS = DATES + SIGNATURES + CONTENTS + ASKED
