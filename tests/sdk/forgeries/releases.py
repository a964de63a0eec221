"""What an issuer with good keys may sign about a release, and a verifier must not believe."""

from datetime import timedelta

from commonhold import times

from tests.sdk import bundles
from tests.sdk.forgeries.lab import RECORD, RELEASE, Forgery, add, drop, issued, put, signed_only

TODAY = bundles.NOW.date()
SECOND = f"{RELEASE}.consent.records.1"
SUMMARY = f"{RELEASE}.consent.summary"
ACTIVITY = f"{RELEASE}.processing.0"


def signed(name, edit, reason):
    """The issuer signs it; the statement is refused as a whole."""
    return Forgery(
        name, issued(*edit) if isinstance(edit, tuple) else issued(edit), "signature", reason
    )


def day(days):
    return (TODAY + timedelta(days=days)).isoformat()


def moment(**delta):
    return times.write(bundles.NOW + timedelta(**delta))


CONSENTS = (
    signed("no consent at all", (put(f"{RELEASE}.consent.records", []), put(f"{SUMMARY}.subjects", 0)), "rests on nobody's consent"),
    signed("a withdrawn consent", put(f"{RECORD}.state", "dpv:ConsentWithdrawn"), "consent 0 did not stand when it was issued: its state is dpv:ConsentWithdrawn"),
    signed("an expired consent by its state", put(f"{SECOND}.state", "dpv:ConsentExpired"), "consent 1 did not stand when it was issued: its state is dpv:ConsentExpired"),
    signed("a refused consent", put(f"{RECORD}.state", "dpv:ConsentRefused"), "its state is dpv:ConsentRefused"),
    signed("a consent that was only asked for", put(f"{RECORD}.state", "dpv:ConsentRequested"), "its state is dpv:ConsentRequested"),
    signed("a consent of an unheard-of state", put(f"{RECORD}.state", "dpv:ConsentGiven "), "its state is dpv:ConsentGiven "),
    signed("a consent that ran out last year", put(f"{RECORD}.expires", day(-1)), "consent 0 had run out when it was issued"),
    signed("a consent that ran out today", put(f"{RECORD}.expires", day(0)), "consent 0 had run out when it was issued"),
    signed("a consent of the day after tomorrow", put(f"{RECORD}.given", day(2)), "consent 0 was given only after it was issued"),
    signed("a consent of next year", put(f"{SECOND}.given", day(365)), "consent 1 was given only after it was issued"),
    signed("a consent that ends before it begins", put(f"{RECORD}.expires", day(-101)), "consent 0 ends before it was given"),
    signed("a consent that ends as it begins", put(f"{RECORD}.expires", day(-100)), "consent 0 ends before it was given"),
    signed("a consent of no day", put(f"{RECORD}.given", "2026-02-30"), "“2026-02-30” is not a day"),
    signed("a consent that ends on no day", put(f"{RECORD}.expires", "2031-13-01"), "“2031-13-01” is not a day"),
    signed("a consent to nothing", put(f"{RECORD}.purposes", []), "p-0000 agreed to nothing"),
    signed("a consent to what nobody knows", add(f"{RECORD}.purposes", "mind-reading"), "the consent of p-0000 names “mind-reading”, which is no purpose"),
    signed("an exclusion of what nobody knows", add(f"{SECOND}.excludes", "mind-reading"), "the consent of p-0001 names “mind-reading”, which is no purpose"),
    signed("a purpose given twice", add(f"{RECORD}.purposes", "commercial"), "the consent of p-0000 names commercial twice"),
    signed("a purpose excluded twice", add(f"{RECORD}.excludes", "voice-cloning"), "the consent of p-0000 names voice-cloning twice"),
    signed("a purpose given and excluded", add(f"{RECORD}.excludes", "commercial"), "p-0000 both gave and excluded commercial"),
    signed("two consents of one number", put(f"{SECOND}.c", 0), "two of its consents have one number, 0"),
    signed("two consents in one place", put(f"{SECOND}.statusList.idx", 5), "two of its consents have one place in a status list"),
    signed("more people than consents", put(f"{SUMMARY}.subjects", 3), "it speaks of 3 people and shows the consents of 2"),
    signed("fewer people than consents", put(f"{SUMMARY}.subjects", 1), "it speaks of 1 people and shows the consents of 2"),
    signed("a consent taken out", drop(SECOND), "it speaks of 2 people and shows the consents of 1"),
    signed("segments without consent", put(f"{SUMMARY}.segmentsCovered", 1), "consent covers 1 of its 2 segments"),
    signed("no segment covered", put(f"{SUMMARY}.segmentsCovered", 0), "consent covers 0 of its 2 segments"),
    signed("more segments covered than there are", put(f"{SUMMARY}.segmentsCovered", 9), "consent covers 9 of its 2 segments"),
)  # fmt: skip

TIMES = (
    signed("issued tomorrow", put(f"{RELEASE}.issued", moment(days=1)), "terms were accepted before the release was issued"),
    signed("issued after it was granted", put(f"{RELEASE}.issued", moment(minutes=6)), "terms were accepted before the release was issued"),
    signed("issued on no day", put(f"{RELEASE}.issued", "2026-02-30T00:00:00Z"), "“2026-02-30T00:00:00Z” is not a time"),
    signed("issued at the 61st second", put(f"{RELEASE}.issued", "2026-02-03T00:00:61Z"), "“2026-02-03T00:00:61Z” is not a time"),
    signed("issued in another zone", put(f"{RELEASE}.issued", "2026-02-03T00:00:00+01:00"), "$.predicate.release.issued is not written as it must be"),
    signed("processed after it was issued", put(f"{ACTIVITY}.ended", moment(minutes=6)), "activity “a1” is dated later than the release"),
    signed("begun after it was issued", put(f"{ACTIVITY}.started", moment(days=3)), "activity “a1” is dated later than the release"),
    signed("processing that ends before it begins", (put(f"{ACTIVITY}.started", moment(days=-1)), put(f"{ACTIVITY}.ended", moment(days=-2))), "activity “a1” ends before it begins"),
)  # fmt: skip

PROVENANCE = (
    signed("it supersedes itself", lambda one: put(f"{RELEASE}.supersedes", one["predicate"]["release"]["id"])(one), "it supersedes itself"),
    signed("two sources of one name", add(f"{RELEASE}.sources", {"id": "src-0", "type": "other", "rightsBasis": "x"}), "two of its sources are called “src-0”"),
    signed("two activities of one name", add(f"{RELEASE}.processing", {"id": "a1", "type": "x", "tool": {"name": "x", "version": "1"}}), "two of its activities are called “a1”"),
    signed("an activity that follows itself", put(f"{ACTIVITY}.after", ["a1"]), "activity “a1” follows “a1”, which is not before it"),
    signed("an activity that follows none", put(f"{ACTIVITY}.after", ["a7"]), "activity “a1” follows “a7”, which is not before it"),
    signed("an activity of no source", put(f"{ACTIVITY}.used", ["src-9"]), "activity “a1” used “src-9”, which is not a source of it"),
    signed("files counted in two ways", put(f"{RELEASE}.files.count", 4), "it counts its files in two ways"),
)  # fmt: skip

FORM = (
    signed("a property of nobody's", put(f"{RELEASE}.trusted", value=True), "$.predicate.release has “trusted”, which does not belong there"),
    signed("a statement of another kind", put("predicateType", "https://slsa.dev/provenance/v1"), "$.predicateType is not “https://w3id.org/commonhold/licensed-release/v1”"),
    signed("an in-toto statement of old", put("_type", "https://in-toto.io/Statement/v0.1"), "is not “https://in-toto.io/Statement/v1”"),
    signed("another schema", put("predicate.schema", "https://example.org/schema"), "$.predicate.schema is not"),
    signed("no release", drop(f"{RELEASE}.files"), "$.predicate.release lacks “files”"),
    signed("no log", drop("predicate.log"), "$.predicate lacks “log”"),
    signed("no publisher's name", put(f"{RELEASE}.publisher", {}), "$.predicate.release.publisher lacks “name”"),
    signed("an empty title", put(f"{RELEASE}.title", ""), "$.predicate.release.title is empty"),
    signed("a title without end", put(f"{RELEASE}.title", "x" * 2001), "$.predicate.release.title is longer than 2,000 characters"),
    signed("a title that is a number", put(f"{RELEASE}.title", 7), "$.predicate.release.title is not text"),
    signed("a dataset at an address", put(f"{RELEASE}.dataset", "https://evil.example/d"), "$.predicate.release.dataset is not written as it must be"),
    signed("a name of three parts", put(f"{RELEASE}.name", "a/b/c"), "$.predicate.release.name is not written as it must be"),
    signed("a negative count", put(f"{RELEASE}.review.heardMs", -1), "$.predicate.release.review.heardMs is less than 0"),
    signed("minors as text", put(f"{SUMMARY}.minors", "no"), "$.predicate.release.consent.summary.minors is neither true nor false"),
    signed("a commitment that is none", put(f"{RECORD}.commitment", "sha256:0"), "commitment is not written as it must be"),
    signed("a consent without a status", drop(f"{RECORD}.statusList"), "$.predicate.release.consent.records[0] lacks “statusList”"),
    signed("records that are no list", put(f"{RELEASE}.consent.records", {}), "$.predicate.release.consent.records is not a list"),
    signed("a publisher that is text", put(f"{RELEASE}.publisher", "Radio"), "$.predicate.release.publisher is not an object"),
    signed("a country of three letters", put(f"{RELEASE}.publisher.country", "DEU"), "country is not written as it must be"),
    signed("another way to build the tree", put(f"{RELEASE}.files.merkle.alg", "SHA1"), "$.predicate.release.files.merkle.alg is not “RFC9162_SHA256”"),
    signed("another index", put(f"{RELEASE}.files.index.path", "other.jsonl"), "$.predicate.release.files.index.path is not “files.jsonl”"),
    signed("a digest in capitals", put(f"{RELEASE}.files.merkle.root", "A" * 64), "root is not written as it must be"),
    signed("a subject of one name twice", lambda one: put("subject.3.name", one["subject"][0]["name"])(one), "it names one subject twice"),
    signed("an index that differs from its subject", put("subject.0.digest.sha256", "0" * 64), "its subject files.jsonl has another digest inside"),
    signed("a card that differs from its subject", put(f"{RELEASE}.exports.croissant.digest.sha256", "0" * 64), "its subject croissant.json has another digest inside"),
    signed("a license text that differs from its subject", put("subject.2.digest.sha256", "0" * 64), "its subject LICENSE.txt has another digest inside"),
    signed("a subject too few", drop("subject.4"), "it does not list the files that it should"),
    signed("a subject too many", add("subject", {"name": "more", "digest": {"sha256": "0" * 64}}), "it does not list the files that it should"),
    signed("no subjects", put("subject", []), "$.subject has fewer than 2 entries"),
    Forgery("a release under another's digest", signed_only(put(f"{RELEASE}.title", "Other")), "signature", "releaseDigest is not the digest of its release"),
    Forgery("a digest of another release", signed_only(put("predicate.releaseDigest.sha256", "0" * 64)), "signature", "releaseDigest is not the digest of its release"),
)  # fmt: skip

RELEASES = CONSENTS + TIMES + PROVENANCE + FORM
