"""Pinned trust: the keys of a site as last seen, kept for the address that a person typed.

The first meeting is believed; from then on a site's root keys lead from one version of its trusted
root to the next (`commonhold.trust.follow`). What a site calls itself or its log decides nothing:
whoever stands in its place could call themselves anything.

Files lie under $XDG_CONFIG_HOME/commonhold/pins (XDG Base Directory Specification).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from commonhold import canonical, times
from commonhold.addresses import is_this_machine
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.trust import (
    NotVouchedError,
    Trust,
    TrustError,
    TrustExpiredError,
    follow,
    read_trusted_root,
    require_onward,
)
from commonhold.vouching import Source, Vouched, ask_nobody


class PinnedKeysChangedError(CommonholdError):
    """An address shows another log, or keys that the root key known so far does not vouch for."""

    code = "pinned-keys-changed"
    status = 409


class PinDamagedError(CommonholdError):
    """A file of pinned keys that can't be read any more."""

    code = "pin-damaged"
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
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    draft.replace(path)


@dataclass(frozen=True)
class Pin:
    """What is kept of a site: the address typed, when it was first met, its trusted root."""

    address: str
    since: datetime
    trusted_root: bytes

    @property
    def trust(self) -> Trust:
        """The keys."""
        return read_trusted_root(self.trusted_root)

    def vouched(self) -> Vouched:
        """Return the keys, as this pin vouches for them."""
        source = Source.THIS_MACHINE if is_this_machine(self.address) else Source.PINNED
        return Vouched(self.trust, source, self.address, self.since)

    def save(self) -> None:
        """Keep it."""
        document = {
            "address": self.address,
            "since": times.write(self.since),
            "trusted_root": self.trusted_root.decode(),
        }
        write_private(_path(self.address), canonical.encode(document))


def _folder() -> Path:
    return config_dir() / "pins"


def _path(address: str) -> Path:
    return _folder() / f"{canonical.sha256_hex(address.encode())[:32]}.json"


def _read(path: Path) -> Pin:
    try:
        found = cast("dict[str, str]", canonical.decode(path.read_bytes()))
        root = found["trusted_root"].encode()
        pin = Pin(found["address"], times.read(found["since"]), root)
        read_trusted_root(root)
    except (CommonholdError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error
    return pin


def _damaged(path: Path) -> PinDamagedError:
    sentence = _(
        "The keys kept in %(path)s can't be read any more. Bring the file back, or remove it and "
        "compare the site's root key with what its operator tells you."
    )
    return PinDamagedError(sentence, path=str(path))


def pinned(address: str) -> Pin | None:
    """Return what is pinned for the site that a person calls `address`; PinDamagedError."""
    path = _path(address)
    return _read(path) if path.exists() else None


def every() -> list[Pin]:
    """Return all pins; PinDamagedError if one can't be read."""
    folder = _folder()
    files = sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []
    return [_read(path) for path in files]


def _earlier(address: str) -> tuple[Path, Trust] | None:
    """Return what an earlier client pinned for a site: it kept one file for each log's name."""
    folder = config_dir() / "trust"
    for path in sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []:
        try:
            trust = read_trusted_root(path.read_bytes())
        except TrustError as error:
            raise _damaged(path) from error
        if trust.site == address:
            return path, trust
    return None


def pin(
    address: str,
    trusted_root: bytes,
    fetch: Callable[[int], bytes],
    *,
    given: Trust | None = None,
    now: datetime | None = None,
) -> Vouched:
    """Remember the keys that a site serves, if those known before lead to them.

    `address` is that of the site as a person typed it (`addresses.site_address`), `given` are keys
    that the caller knows from elsewhere, and `fetch` returns an earlier version of the site's
    trusted root by its number. A loopback IP may show other keys each time: nobody stands between,
    and trial sites there come and go. Raises TrustExpiredError, TrustGoesBackError,
    PinnedKeysChangedError.
    """
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    trust = read_trusted_root(trusted_root)
    _require_current(trust, now)
    before, earlier = pinned(address), _earlier(address)
    if given is not None:
        follow(given, trusted_root, fetch)
        seen = before.trust if before else earlier and earlier[1]
        _require_onward(address, trust, seen)
    elif not is_this_machine(address):
        if before is not None:
            _follow(before.trust, trusted_root, fetch, _path(address))
        elif earlier is not None:
            _follow(earlier[1], trusted_root, fetch, earlier[0])
    kept = Pin(address, before.since if before else now, trusted_root)
    kept.save()
    if earlier is not None:
        earlier[0].unlink()
    if given is not None:
        return Vouched(trust, Source.GIVEN, address, kept.since)
    if before is None and earlier is None and not is_this_machine(address):
        return Vouched(trust, Source.FIRST_USE, address, now)
    return kept.vouched()


def _require_current(trust: Trust, now: datetime) -> None:
    if trust.expires <= now:
        sentence = _(
            "The keys that %(site)s serves ran out on %(time)s. Ask its operator to look after "
            "the site; until then nothing new can be relied on."
        )
        expired = times.write(trust.expires)
        raise TrustExpiredError(sentence, site=trust.site, time=expired, origin=trust.origin)


def _require_onward(address: str, trust: Trust, seen: Trust | None) -> None:
    """Keys that were given may be old: a site that was seen does not go back for them either.

    A site that was set up anew begins anew, and has another instance.
    """
    if seen is not None and seen.instance == trust.instance and not is_this_machine(address):
        require_onward(seen, trust)


def _follow(known: Trust, newest: bytes, fetch: Callable[[int], bytes], path: Path) -> None:
    try:
        follow(known, newest, fetch)
    except NotVouchedError as error:
        sentence = _(
            "%(why)s Ask its operator why; if the change is announced, remove %(path)s and "
            "try again."
        )
        raise PinnedKeysChangedError(
            sentence, why=error.said, path=str(path), origin=known.origin
        ) from error


def that_knows(trusted_root: bytes) -> Vouched | None:
    """Return the keys of a trusted root as a pin vouches for them, if one leads to them.

    Nothing is asked for: only what the pinned root key itself signed is known so.
    """
    for one in every():
        try:
            newer = follow(one.trust, trusted_root, ask_nobody)
        except TrustError:
            continue
        known = one.vouched()
        return Vouched(newer, known.source, known.address, known.since)
    return None
