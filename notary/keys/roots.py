"""The trusted root: whose signatures count here, in numbered versions that expire."""

from dataclasses import replace
from datetime import datetime, timedelta

from commonhold.errors import CommonholdError
from commonhold.notes import vkey
from commonhold.signing import PublicKey, Signer
from commonhold.trust import (
    Trust,
    TrustedKey,
    TrustedLog,
    build_trusted_root,
    read_trusted_root,
)
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from notary import instance, locks
from notary.keys import ring
from notary.models import Checkpoint, Purpose, SigningKey, TrustedRoot

LIFETIME = timedelta(days=90)


class NoSuchRoot(CommonholdError):
    """There is no such version of the trusted root."""

    code = "no-such-trusted-root"
    status = 404


def trusted_root() -> bytes:
    """Return trusted_root.json: a new version when what it says changed, or half its life is over.

    Raises LogOriginChanged; when a version is due, KeyMissing and KeyChanged.
    """
    newest = TrustedRoot.objects.order_by("-version").first()
    if newest is not None and is_current(newest):
        return bytes(newest.document)
    return renew()


def root_version(number: int) -> bytes:
    """Return a version of trusted_root.json, as it was served; NoSuchRoot."""
    found = TrustedRoot.objects.filter(pk=number).first()
    if found is None:
        message = f"There is no version {number} of this site's trusted root."
        raise NoSuchRoot(message)
    return bytes(found.document)


@transaction.atomic
def renew(*, cosigner: Signer | None = None) -> bytes:
    """Make the next version, unless another made it meanwhile; signed by `cosigner` too."""
    locks.hold(locks.Lock.ROOT)
    newest = TrustedRoot.objects.order_by("-version").first()
    if cosigner is None and newest is not None and is_current(newest):
        return bytes(newest.document)
    number, expires = (newest.version if newest else 0) + 1, ring.now() + LIFETIME
    signers = [ring.signer(Purpose.ROOT), *([cosigner] if cosigner else [])]
    document = build_trusted_root(contents(version=number, expires=expires), signers)
    TrustedRoot.objects.create(version=number, document=document, expires_at=expires)
    return document


def is_current(root: TrustedRoot) -> bool:
    """Tell whether a version still says what there is to say, and will for half its lifetime."""
    if root.expires_at - ring.now() < LIFETIME / 2:
        return False
    said = read_trusted_root(bytes(root.document))
    return said == contents(version=said.version, expires=said.expires)


def contents(*, version: int, expires: datetime) -> Trust:
    """Return what the trusted root has to say now."""
    keys, origin = ring.everything(), instance.log_origin()
    return Trust(
        version=version,
        expires=expires,
        instance=f"urn:uuid:{instance.instance_id()}",
        site=settings.SITE_URL,
        origin=origin,
        log_keys=tuple(log(origin, key) for key in keys[Purpose.LOG]),
        manifest_keys=tuple(map(trusted, keys[Purpose.MANIFEST])),
        status_keys=tuple(map(trusted, keys[Purpose.STATUS])),
        root_keys=tuple(map(trusted, keys[Purpose.ROOT])),
    )


def trusted(key: SigningKey) -> TrustedKey:
    """Return a key with the time in which its signatures count."""
    return TrustedKey(PublicKey.from_pem(key.public_pem), key.valid_from, key.valid_until)


def log(origin: str, key: SigningKey) -> TrustedLog:
    """Return a key of the log; a retired one with the size of the last checkpoint that it signed.

    That bounds what somebody who finds an old key could pretend.
    """
    verifier = vkey(origin, PublicKey.from_pem(key.public_pem))
    found = TrustedLog(verifier, key.valid_from, key.valid_until)
    if key.valid_until is None:
        return found
    largest = Checkpoint.objects.filter(key=key).aggregate(size=Max("size"))["size"]
    return replace(found, size=largest or 0)


def log_verifiers() -> list[str]:
    """Return the verifier keys of every key that the log has had, the one in use first."""
    origin = instance.log_origin()
    return [
        vkey(origin, PublicKey.from_pem(key.public_pem)) for key in ring.everything()[Purpose.LOG]
    ]
