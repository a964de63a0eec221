"""Pinned trust: the keys of a site as they were at the first download, kept per log.

Files lie under $XDG_CONFIG_HOME/commonhold/trust (XDG Base Directory Specification).
"""

import os
from pathlib import Path

from commonhold import canonical
from commonhold.errors import CommonholdError
from commonhold.trust import Trust, read_trusted_root


class PinnedKeysChangedError(CommonholdError):
    """A site shows another log key than before."""

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
    host = origin.partition("/")[0]
    return host == "localhost" or host.startswith(("127.", "localhost:", "[::1]"))


def pinned(origin: str) -> Trust | None:
    """Return the trust pinned for the log `origin`, if any; TrustError if it was damaged."""
    path = _path(origin)
    return read_trusted_root(path.read_bytes()) if path.exists() else None


def pin(trusted_root: bytes) -> Trust:
    """Remember a site's keys. New manifest keys are taken if the log's key still vouches for them.

    A log on this machine is not remembered: nobody stands between, and trial sites there come
    and go under one name. Raises PinnedKeysChangedError when the log's key is another one.
    """
    trust = read_trusted_root(trusted_root)
    if _is_this_machine(trust.origin):
        return trust
    path = _path(trust.origin)
    before = pinned(trust.origin)
    if before is not None and before.log_vkey != trust.log_vkey:
        message = (
            f"The log {trust.origin} shows another key than when you first downloaded from it. "
            f"Ask its operator why; if the change is announced, remove {path} and try again."
        )
        raise PinnedKeysChangedError(message, origin=trust.origin)
    write_private(path, trusted_root)
    return trust
