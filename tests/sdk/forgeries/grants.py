"""What an issuer with good keys may sign about a license, and a verifier must not believe."""

from datetime import timedelta

from commonhold import times

from tests.sdk import bundles
from tests.sdk.forgeries.lab import (
    GRANT,
    LICENSE,
    ODRL,
    RECORD,
    RELEASE,
    SCOPE,
    Forgery,
    add,
    drop,
    issued,
    put,
)

SECOND = f"{RELEASE}.consent.records.1"
DENIED = [*bundles.denied(bundles.GRANTED)]


def signed(name, edit, reason):
    """The issuer signs it; the statement is refused as a whole."""
    return Forgery(
        name, issued(*edit) if isinstance(edit, tuple) else issued(edit), "signature", reason
    )


def moment(**delta):
    return times.write(bundles.NOW + timedelta(**delta))


def granted(*slugs):
    return put(f"{SCOPE}.purposes", list(slugs))


def agreed_by_all(slug):
    """Both people gave a purpose; nothing of the license follows."""

    def edit(statement):
        for record in statement["predicate"]["release"]["consent"]["records"]:
            record["purposes"].append(slug)
            record["excludes"] = [one for one in record["excludes"] if one != slug]

    return edit


SCOPES = (
    *(signed(f"a grant of {slug}, which nobody gave", granted("commercial", slug), f"grants and denies {slug}") for slug in ("research", "evaluation", "language-modeling", "redistribution")),
    *(
        signed(f"{slug} granted and not denied any more", (granted("commercial", slug), put(f"{SCOPE}.denies", [one for one in DENIED if one != slug])), f"it grants {slug}, to which p-0000 did not agree")
        for slug in ("research", "evaluation", "language-modeling", "redistribution", "speech-synthesis", "speaker-identification", "biometric-surveillance")
    ),
    signed("voice cloning, which was excluded", (granted("voice-cloning"), put(f"{SCOPE}.denies", [one for one in DENIED if one != "voice-cloning"])), "it grants voice-cloning, which p-0000 excluded"),
    signed("commercial use, which one of two did not give", put(f"{SECOND}.purposes", ["speech-recognition"]), "it grants commercial, to which p-0001 did not agree"),
    signed("commercial use, which one of two excluded", (put(f"{SECOND}.purposes", ["speech-recognition"]), add(f"{SECOND}.excludes", "commercial")), "it grants commercial, which p-0001 excluded"),
    signed("a purpose that nobody knows", add(f"{SCOPE}.purposes", "mind-reading"), "its scope names “mind-reading”, which is no purpose"),
    signed("a denial that nobody knows", add(f"{SCOPE}.denies", "mind-reading"), "its scope names “mind-reading”, which is no purpose"),
    signed("a purpose granted twice", add(f"{SCOPE}.purposes", "commercial"), "its scope names commercial twice"),
    signed("a purpose denied twice", add(f"{SCOPE}.denies", "research"), "its scope names research twice"),
    signed("a purpose granted and denied", add(f"{SCOPE}.denies", "commercial"), "it both grants and denies commercial"),
    *(signed(f"{slug} passed over", put(f"{SCOPE}.denies", [one for one in DENIED if one != slug]), f"it neither grants nor denies {slug}") for slug in ("voice-cloning", "speaker-identification", "biometric-surveillance")),
    signed("no denials", drop(f"{SCOPE}.denies"), "it neither grants nor denies biometric-surveillance"),
    signed("no purposes", granted(), "$.predicate.grant.scope.purposes has fewer than 1 entries"),
    signed("a purpose in capitals", granted("Commercial"), "$.predicate.grant.scope.purposes[0] is not written as it must be"),
    signed("some files", put(f"{SCOPE}.files", "audio"), "$.predicate.grant.scope.files is not “all”"),
)  # fmt: skip

ODRLS = (
    signed("an ODRL that permits cloning", add(f"{ODRL}.permission", {"action": "ch:voice-cloning"}), "its ODRL permits voice-cloning, which it does not grant"),
    signed("an ODRL that permits anything", add(f"{ODRL}.permission", {"action": "use"}), "its ODRL permits use, which it does not grant"),
    signed("an ODRL that permits less", drop(f"{ODRL}.permission.0"), "its ODRL does not permit commercial, which it grants"),
    signed("an ODRL that permits nothing", put(f"{ODRL}.permission", []), "its ODRL does not permit commercial, which it grants"),
    signed("an ODRL without permissions", drop(f"{ODRL}.permission"), "its ODRL does not permit commercial, which it grants"),
    signed("an empty ODRL", put(ODRL, {}), "its ODRL does not permit commercial, which it grants"),
    signed("an ODRL without prohibitions", drop(f"{ODRL}.prohibition"), "its ODRL does not prohibit biometric-surveillance, which it denies"),
    signed("an ODRL that prohibits nothing", put(f"{ODRL}.prohibition", []), "its ODRL does not prohibit biometric-surveillance, which it denies"),
    signed("an ODRL that prohibits less", drop(f"{ODRL}.prohibition.0"), "its ODRL does not prohibit biometric-surveillance, which it denies"),
    signed("an ODRL that prohibits more", add(f"{ODRL}.prohibition", {"action": "ch:commercial"}), "its ODRL prohibits commercial, which it does not deny"),
    signed("an ODRL without an end", drop(f"{ODRL}.permission.0.constraint"), "its ODRL has other terms or duties than it grants under"),
    signed("an ODRL of a longer term", put(f"{ODRL}.permission.0.constraint.0.rightOperand", "P36500D"), "its ODRL has other terms or duties"),
    signed("an ODRL without its duties", drop(f"{ODRL}.permission.0.duty"), "its ODRL has other terms or duties"),
    signed("an ODRL without the duty to delete", (drop(f"{ODRL}.permission.0.duty.1"), drop(f"{ODRL}.permission.1.duty.1")), "its ODRL has other terms or duties"),
    signed("an ODRL that gives more time to delete", (put(f"{ODRL}.permission.0.duty.1.constraint.0.rightOperand", "ch:consentWithdrawn+P9999D"), put(f"{ODRL}.permission.1.duty.1.constraint.0.rightOperand", "ch:consentWithdrawn+P9999D")), "its ODRL has other terms or duties"),
    signed("an ODRL with a duty more", add(f"{ODRL}.permission.0.duty", {"action": "compensate"}), "its ODRL has other terms or duties"),
    signed("an ODRL with a refinement", put(f"{ODRL}.permission.0.target", "https://example.org"), "its ODRL has other terms or duties"),
    signed("an ODRL that permits twice", lambda one: add(f"{ODRL}.permission", one["predicate"]["license"]["odrl"]["permission"][0])(one), "its ODRL has other terms or duties"),
    signed("an ODRL of another license", put(f"{ODRL}.uid", "https://w3id.org/commonhold/licenses/CC0-1.0/1.0"), "its ODRL is not what its scope compiles to"),
    signed("an ODRL of another profile", put(f"{ODRL}.profile", "https://example.org/profile"), "its ODRL is not what its scope compiles to"),
    signed("an ODRL in another context", put(f"{ODRL}.@context", ["https://evil.example/odrl.jsonld"]), "its ODRL is not what its scope compiles to"),
    signed("an ODRL that is a set", put(f"{ODRL}.@type", "Set"), "its ODRL is not what its scope compiles to"),
    signed("an ODRL that says more", put(f"{ODRL}.obligation", [{"action": "ch:compensate"}]), "its ODRL is not what its scope compiles to"),
    signed("an ODRL in which rules are text", put(f"{ODRL}.permission", "ch:commercial"), "its ODRL does not permit commercial"),
    signed("an ODRL in which actions are objects", put(f"{ODRL}.permission.0.action", {"@id": "ch:commercial"}), "its ODRL does not permit commercial"),
    signed("an ODRL that is a list", put(ODRL, []), "$.predicate.license.odrl is not an object"),
    signed("duties that the ODRL has not", put(f"{SCOPE}.duties.deleteOnWithdrawalDays", None), "its ODRL has other terms or duties"),
    signed("no credit where the ODRL asks it", put(f"{SCOPE}.duties.attribution", value=False), "its ODRL has other terms or duties"),
    signed("duties left out, and twisted in the ODRL", (drop(f"{SCOPE}.duties"), put(f"{ODRL}.permission.1.duty", [])), "its ODRL has other terms or duties"),
    signed("duties left out, and unreadable in the ODRL", (drop(f"{SCOPE}.duties"), put(f"{ODRL}.permission.0.duty.1.constraint.0.rightOperand", "P" + "9" * 5000 + "D")), "its ODRL has other terms or duties"),
    signed("days to delete as text", put(f"{SCOPE}.duties.deleteOnWithdrawalDays", "30"), "deleteOnWithdrawalDays is not what it must be"),
)  # fmt: skip

TIMES = (
    signed("accepted tomorrow", put(f"{GRANT}.acceptance.at", moment(days=1)), "the license begins before its terms were accepted"),
    signed("accepted after it began", put(f"{GRANT}.acceptance.at", moment(minutes=6)), "the license begins before its terms were accepted"),
    signed("accepted before there was a release", put(f"{GRANT}.acceptance.at", moment(days=-1)), "terms were accepted before the release was issued"),
    signed("accepted on no day", put(f"{GRANT}.acceptance.at", "2026-02-30T00:00:00Z"), "is not a time of the form"),
    signed("granted last year", put(f"{GRANT}.validFrom", moment(days=-10)), "the license begins before its terms were accepted"),
    signed("a license that ends before it begins", put(f"{GRANT}.validUntil", moment(days=-1)), "the license ends before it begins"),
    signed("a license that ends as it begins", put(f"{GRANT}.validUntil", moment()), "the license ends before it begins"),
    signed("a license that ends on no day", put(f"{GRANT}.validUntil", "2027-00-01T00:00:00Z"), "is not a time of the form"),
    signed("a license that is longer than its ODRL", put(f"{GRANT}.validUntil", moment(days=366)), "its ODRL has other terms or duties"),
    signed("a license for good whose ODRL ends", put(f"{GRANT}.validUntil", None), "its ODRL has other terms or duties"),
    signed("a license of half a day more", put(f"{GRANT}.validUntil", moment(days=365, hours=12)), "the license does not run for whole days"),
    signed("a consent that ran out before the license began", (put(f"{RECORD}.expires", moment(days=20)[:10]), put(f"{GRANT}.validFrom", moment(days=25)), put(f"{GRANT}.validUntil", moment(days=390))), "consent 0 had run out when the license was granted"),
    signed("all of it dated next year", (put(f"{RELEASE}.issued", moment(days=365)), put(f"{GRANT}.acceptance.at", moment(days=365)), put(f"{GRANT}.validFrom", moment(days=365)), put(f"{GRANT}.validUntil", moment(days=730))), "which is yet to come"),
    signed("all of it dated in an hour and a quarter", (put(f"{RELEASE}.issued", moment(minutes=75)), put(f"{GRANT}.acceptance.at", moment(minutes=75)), put(f"{GRANT}.validFrom", moment(minutes=75)), put(f"{GRANT}.validUntil", moment(days=365, minutes=75))), "which is yet to come"),
    Forgery("a license that begins next week", issued(put(f"{GRANT}.validFrom", moment(days=7)), put(f"{GRANT}.validUntil", moment(days=372))), "license", "begins only on"),
    Forgery("a license of before the key", issued(put(f"{RELEASE}.issued", moment(days=-40)), put(f"{GRANT}.acceptance.at", moment(days=-40)), put(f"{GRANT}.validFrom", moment(days=-40)), put(f"{GRANT}.validUntil", moment(days=325))), "signature", "was not in use on"),
    Forgery(
        "a license that ended",
        issued(put(f"{RELEASE}.issued", moment(days=-20)), put(f"{GRANT}.acceptance.at", moment(days=-20)), put(f"{GRANT}.validFrom", moment(days=-20)), put(f"{GRANT}.validUntil", moment(days=-5)), *(put(f"{ODRL}.permission.{rule}.constraint.0.rightOperand", "P15D") for rule in (0, 1))),
        "license",
        "ended on",
    ),
)  # fmt: skip

TERMS = (
    signed("one license granted, another shown", put(f"{GRANT}.license", bundles.LICENSE_ID[:-3] + "2.0"), "it grants one license and shows another"),
    signed("a license of two versions", put(f"{LICENSE}.version", "2.0"), "its license is of one version by its number and of another by its identifier"),
    signed("a license of nobody's", (put(f"{LICENSE}.id", "https://example.org/license/1.0"), put(f"{GRANT}.license", "https://example.org/license/1.0")), "$.predicate.license.id is not written as it must be"),
    signed("another text accepted", put(f"{GRANT}.acceptance.termsDigest.sha256", "0" * 64), "the text accepted is not the license's text"),
    signed("another text shown", put(f"{LICENSE}.text.digest.sha256", "0" * 64), "the text accepted is not the license's text"),
    signed("another text's path", put(f"{LICENSE}.text.path", "../LICENSE.txt"), "$.predicate.license.text.path is not “LICENSE.txt”"),
    signed("a grant without a license", drop(LICENSE), "$.predicate has one of license and grant without the other"),
    signed("a license without a grant", drop(GRANT), "$.predicate has one of license and grant without the other"),
    signed("shares of less than all", put(f"{GRANT}.revenueShares.0.bps", 6999), "its revenue shares do not add up"),
    signed("shares of more than all", put(f"{GRANT}.revenueShares.0.bps", 7001), "its revenue shares do not add up"),
    signed("a negative share", put(f"{GRANT}.revenueShares.0.bps", -1), "$.predicate.grant.revenueShares[0].bps is less than 0"),
    signed("a share of more than all", put(f"{GRANT}.revenueShares.0.bps", 10_001), "$.predicate.grant.revenueShares[0].bps is more than 10,000"),
    signed("money for nobody", put(f"{GRANT}.revenueShares", []), "its revenue shares do not add up"),
    signed("a price that is a number", put(f"{GRANT}.price.amount", 490), "$.predicate.grant.price.amount is not text"),
    signed("a price with a comma", put(f"{GRANT}.price.amount", "490,00"), "$.predicate.grant.price.amount is not written as it must be"),
    signed("a negative price", put(f"{GRANT}.price.amount", "-1"), "$.predicate.grant.price.amount is not written as it must be"),
    signed("a currency of nobody's", put(f"{GRANT}.price.currency", "euro"), "$.predicate.grant.price.currency is not written as it must be"),
    signed("a short nonce", put(f"{GRANT}.nonce", "00"), "$.predicate.grant.nonce is not written as it must be"),
    signed("a grant at an address", put(f"{GRANT}.id", "https://evil.example/g"), "$.predicate.grant.id is not written as it must be"),
    signed("a licensee without a name", put(f"{GRANT}.licensee", {}), "$.predicate.grant.licensee lacks “name”"),
    signed("a grant with more to it", put(f"{GRANT}.extra", 1), "$.predicate.grant has “extra”, which does not belong there"),
    signed("a status of no place", put(f"{GRANT}.status.idx", -1), "$.predicate.grant.status.idx is less than 0"),
    signed("a status where a consent's is", put(f"{GRANT}.status", {"uri": bundles.CONSENT_URI, "idx": 5}), "the license and a consent have one place in a status list"),
    signed("a sublicense that may be", put(f"{SCOPE}.sublicense", "maybe"), "$.predicate.grant.scope.sublicense is neither true nor false"),
    Forgery("another log", issued(put("predicate.log.origin", "log.other.example")), "logged", "The manifest names the log log.other.example, but the keys are of"),
)  # fmt: skip

GRANTS = SCOPES + ODRLS + TIMES + TERMS
