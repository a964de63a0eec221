"""Pinned trust: the keys of a site as they were at the last download, kept per log.

The first download is believed; from then on a site's root keys lead from one version of its
trusted root to the next (`commonhold.trust.follow`).

Files lie under $XDG_CONFIG_HOME/commonhold/trust (XDG Base Directory Specification).
"""

import ipaddress
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from commonhold import canonical, times
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.trust import NotVouchedError, Trust, TrustExpiredError, follow, read_trusted_root


class PinnedKeysChangedError(CommonholdError):
    """A site shows keys that the root key known so far does not vouch for."""

    code = "pinned-keys-changed"
    status = 409


def config_dir() -> Path:
    """Return the folder of Commonhold's settings of this user."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "commonhold"


def state_dir() -> Path:
    """Return the folder of Commonhold's unfinished work of this user."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "commonhold"


def write_private(path: Path, data: bytes) -> None:
    """Write a file for its owner alone (0600), whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    draft.replace(path)


def _path(origin: str) -> Path:
    return config_dir() / "trust" / f"{canonical.sha256_hex(origin.encode())[:32]}.json"


def _is_this_machine(origin: str) -> bool:
    try:
        return origin == "localhost" or ipaddress.ip_address(origin).is_loopback
    except ValueError:
        return False


def pinned(origin: str) -> Trust | None:
    """Return the trust pinned for the log `origin`, if any; TrustError if it was damaged."""
    path = _path(origin)
    return read_trusted_root(path.read_bytes()) if path.exists() else None


def pin(
    trusted_root: bytes, fetch: Callable[[int], bytes], *, now: datetime | None = None
) -> Trust:
    """Remember the keys that a site serves, if those remembered before lead to them.

    `fetch` returns an earlier version of the site's trusted root by its number. A log on this
    machine is not remembered: nobody stands between, and trial sites there come and go under one
    name. Raises TrustExpiredError, TrustGoesBackError, PinnedKeysChangedError.
    """
    trust = read_trusted_root(trusted_root)
    if trust.expires <= (now or datetime.now(UTC)):
        sentence = _(
            "The keys that %(site)s serves ran out on %(time)s. Ask its operator to look after "
            "the site; until then nothing new can be relied on."
        )
        expired = times.write(trust.expires)
        raise TrustExpiredError(sentence, site=trust.site, time=expired, origin=trust.origin)
    if _is_this_machine(trust.origin):
        return trust
    path = _path(trust.origin)
    before = pinned(trust.origin)
    if before is not None:
        try:
            follow(before, trusted_root, fetch)
        except NotVouchedError as error:
            sentence = _(
                "%(why)s Ask its operator why; if the change is announced, remove %(path)s and "
                "try again."
            )
            raise PinnedKeysChangedError(
                sentence, why=error.said, path=str(path), origin=trust.origin
            ) from error
    write_private(path, trusted_root)
    return trust
