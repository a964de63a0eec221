"""Which keys count for a manifest, and how they are brought up to date."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from commonhold import manifest, pins, times
from commonhold.addresses import is_this_machine
from commonhold.consistency import Json
from commonhold.errors import CommonholdError
from commonhold.fetching import fetch_first
from commonhold.filecheck import LARGEST
from commonhold.report import Check, State
from commonhold.sentences import _, filled, one_after_another
from commonhold.signing import Envelope
from commonhold.trust import PATH as ROOT_PATH
from commonhold.trust import Trust, TrustError, follow, read_trusted_root, version_path
from commonhold.vouching import Source, Vouched


def _claimed_origin(envelope: Envelope) -> str:
    """Return the log that a manifest names, before its signature is checked."""
    predicate = cast("dict[str, Json]", manifest.read(envelope.payload)["predicate"])
    return cast("str", predicate["log"]["origin"])


def find(
    given: Trust | Vouched | None, envelope: Envelope, root: bytes | None, *, first_use: bool
) -> Vouched:
    """Return whose keys count for a manifest: those given, else those pinned, else those beside it.

    `root` is the trusted_root.json that came with the manifest: what papers say of themselves
    vouches for nothing, unless `first_use` believes it. Raises TrustError, PinDamagedError.
    """
    if given is not None:
        return given if isinstance(given, Vouched) else Vouched(given, Source.GIVEN)
    kept = pins.every()
    for one in kept:
        if _signed_by(envelope, one.trust):
            return one.vouched()
    known = None if root is None else pins.that_knows(root)
    if known is not None:
        return known
    origin = _claimed_origin(envelope)
    for one in kept:
        if one.trust.origin == origin and not is_this_machine(one.address):
            return one.vouched()
    if root is None:
        raise TrustError(
            _("There are no keys to check with. Give the site's trusted_root.json with --trust.")
        )
    return Vouched(read_trusted_root(root), Source.FIRST_USE if first_use else Source.NOBODY)


def _signed_by(envelope: Envelope, trust: Trust) -> bool:
    try:
        envelope.verify(trusted.key for trusted in trust.manifest_keys)
    except CommonholdError:
        return False
    return True


def renewed(
    keys: Vouched, found: Check, renew: Callable[[Trust], Trust] | None
) -> tuple[Vouched, Check]:
    """Take the site's newest keys where root keys lead from those at hand to them.

    A site is only asked about keys that somebody vouches for. `found` is what was said of them.
    """
    if renew is None or not keys.counts:
        return keys, found
    try:
        return replace(keys, trust=renew(keys.trust)), found
    except TrustError as error:
        said = one_after_another(found.said, error.said)
        return keys, Check(State.WARNING, said, found.details)
    except CommonholdError as error:
        why = filled(_("The site could not be asked for newer ones: %(why)s"), why=error.said)
        return keys, Check(found.state, one_after_another(found.said, why), found.details)


def dated(trust: Trust, found: Check, now: datetime) -> Check:
    """Warn of keys that ran out: their own validity still decides about signatures."""
    details = {**found.details, "version": trust.version, "expires": times.write(trust.expires)}
    if now < trust.expires or found.state is State.UNKNOWN:
        return Check(found.state, found.said, details)
    sentence = _(
        "They ran out on %(expires)s: keys that were replaced since are not known here. Get the "
        "newest trusted_root.json of %(site)s."
    )
    ended = filled(sentence, expires=details["expires"], site=trust.site)
    return Check(State.WARNING, one_after_another(found.said, ended), details)


def renew_from(sites: Sequence[str], trust: Trust) -> Trust:
    """Return the newest keys of a site at one of its addresses, or TrustError, FetchError."""

    def fetch(path: str) -> bytes:
        return fetch_first(sites, path, LARGEST["trusted_root.json"])

    return follow(trust, fetch(ROOT_PATH), lambda version: fetch(version_path(version)))
