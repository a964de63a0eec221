"""The ring of keys: one in use for each purpose, and every one that there has been."""

from datetime import datetime, timedelta

from commonhold.signing import Algorithm, PublicKey, Signer
from django.db.models import F
from django.utils import timezone

from notary.keys import signers
from notary.models import Purpose, SigningKey

ALGORITHMS: dict[str, Algorithm] = {
    Purpose.MANIFEST: "ES256",
    Purpose.STATUS: "ES256",
    Purpose.LOG: "Ed25519",
    Purpose.ROOT: "Ed25519",
}
# What is signed bears the moment at which its making began, which may be before the key was made.
BACKDATED = timedelta(hours=1)
AT_FIRST_USE = "first use"


def now() -> datetime:
    """Return this second, as signed documents write moments."""
    return timezone.now().replace(microsecond=0)


def signer(purpose: str) -> Signer:
    """Return what signs for a purpose now. Raises KeyMissing, KeyChanged, KeyFileError."""
    return signers.load(purpose, in_use(purpose).keyid)


def in_use(purpose: str) -> SigningKey:
    """Return the key in use for a purpose; the first one is made when it is first asked for."""
    return SigningKey.objects.filter(
        purpose=purpose, valid_until__isnull=True
    ).first() or make_first(purpose)


def make_first(purpose: str) -> SigningKey:
    """Make the first key of a purpose; of several that are made at once, one stays."""
    made = signers.make(purpose, ALGORITHMS[purpose])
    SigningKey.objects.bulk_create([row(purpose, made, by=AT_FIRST_USE)], ignore_conflicts=True)
    found = SigningKey.objects.get(purpose=purpose, valid_until__isnull=True)
    if found.keyid != made.keyid:
        made.path.unlink()
    return found


def row(purpose: str, made: Signer, *, by: str) -> SigningKey:
    """Describe a key that is in use from now."""
    return SigningKey(
        keyid=made.keyid,
        purpose=purpose,
        algorithm=made.algorithm,
        public_pem=made.public.pem,
        valid_from=now() - BACKDATED,
        made_by=by,
    )


def everything() -> dict[str, list[SigningKey]]:
    """Return every key that there has been, by purpose, the one in use first."""
    newest_first = F("valid_until").desc(nulls_first=True)
    found: dict[str, list[SigningKey]] = {purpose: [] for purpose in ALGORITHMS}
    for key in SigningKey.objects.order_by(newest_first, "-valid_from", "keyid"):
        found[key.purpose].append(key)
    return {purpose: keys or [make_first(purpose)] for purpose, keys in found.items()}


def public(keyid: str) -> PublicKey:
    """Return the public half of a key that was ever used here."""
    return PublicKey.from_pem(SigningKey.objects.get(pk=keyid).public_pem)
