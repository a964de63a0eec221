"""The deployment's three keys: manifests (ES256), status lists (ES256), the log (Ed25519).

They are made on first use in KEY_DIR, which only the owner can read. Separate, so that one can be
replaced or moved to a key service without the others.
"""

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from commonhold import times, trust
from commonhold.signing import SigningKey, load_or_make_key
from django.conf import settings


@cache
def _load(folder: Path, name: str) -> SigningKey:
    # A key counts from the moment it is first used, so that moment is written down before.
    in_use_since()
    return load_or_make_key(folder / f"{name}.pem", "Ed25519" if name == "log" else "ES256")


def manifest_key() -> SigningKey:
    """Return the key that signs manifests."""
    return _load(Path(settings.KEY_DIR), "manifest")


def status_key() -> SigningKey:
    """Return the key that signs status lists."""
    return _load(Path(settings.KEY_DIR), "status")


def log_key() -> SigningKey:
    """Return the key that signs the log's checkpoints."""
    return _load(Path(settings.KEY_DIR), "log")


def in_use_since() -> datetime:
    """Return when the keys were first used; written down once, beside them."""
    path = Path(settings.KEY_DIR) / "in-use-since"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return times.read(path.read_text().strip())
    moment = datetime.now(UTC).replace(microsecond=0)
    with os.fdopen(descriptor, "w") as file:
        file.write(times.write(moment))
    return moment


def trusted_root() -> bytes:
    """Return trusted_root.json: whose signatures count here."""
    since = in_use_since()
    return trust.build_trusted_root(
        log_key=log_key(),
        origin=settings.LOG_ORIGIN,
        log_url=f"{settings.SITE_URL}/log",
        log_start=since,
        manifest_keys=[trust.TrustedKey(manifest_key().public, since)],
        status_keys=[trust.TrustedKey(status_key().public, since)],
    )
