"""Who vouches for keys: whoever gave them, a pin, a first meeting, or nobody."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commonhold import times
from commonhold.addresses import may_lead
from commonhold.report import Check, State
from commonhold.sentences import Sentence, _, filled, one_after_another
from commonhold.trust import NotVouchedError, Trust, follow, read_trusted_root

GROUP = 8


class Source(StrEnum):
    """Where keys came from."""

    GIVEN = "given"
    PINNED = "pinned"
    FIRST_USE = "first-use"
    THIS_MACHINE = "this-machine"
    OWN = "own"
    NOBODY = "download"


def fingerprint(trust: Trust) -> str:
    """Return the root key's keyid (SHA-256 of its SPKI DER) in groups of 8 hex digits, to compare.

    All other keys of a site are vouched for by this one.
    """
    keyid = trust.root.keyid
    return " ".join(keyid[at : at + GROUP] for at in range(0, len(keyid), GROUP))


@dataclass(frozen=True)
class Vouched:
    """Keys and who vouches for them.

    `address` is that of the site as a person typed it, and `since` when its keys were first seen;
    both are lacking where the keys came another way.
    """

    trust: Trust
    source: Source
    address: str = ""
    since: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether anybody vouches for the keys at all."""
        return self.source is not Source.NOBODY

    @property
    def sites(self) -> tuple[str, ...]:
        """The site's addresses, the first to be asked first: what lies below may be asked for.

        A site that is known by the address that was typed can't send a client into a network of
        its own, or to where the way is less protected.
        """
        said = self.trust.site
        if not self.address or self.address == said:
            return (said,)
        return (self.address, said) if may_lead(self.address, said) else (self.address,)

    def check(self) -> Check:
        """Return what a report says of the keys; `unknown` where nobody vouches for them."""
        states = {Source.NOBODY: State.UNKNOWN, Source.FIRST_USE: State.WARNING}
        shown = fingerprint(self.trust)
        root = filled(_("Root key: %(fingerprint)s."), fingerprint=shown)
        details: dict[str, object] = {"source": self.source.value, "fingerprint": shown}
        if self.address:
            details["address"] = self.address
        if self.since is not None:
            details["since"] = times.write(self.since)
        said = one_after_another(self._sentence(), root)
        return Check(states.get(self.source, State.OK), said, details)

    def _sentence(self) -> Sentence:
        words = {"address": self.address, "since": self.since and times.write(self.since)}
        match self.source:
            case Source.GIVEN:
                return _("The keys are those you gave.")
            case Source.OWN:
                return _("The keys are this site's own, as it publishes them.")
            case Source.PINNED:
                sentence = _(
                    "The keys are those of %(address)s, kept since you first met it on %(since)s."
                )
            case Source.THIS_MACHINE:
                sentence = _("The keys are those of %(address)s, which is on this machine.")
            case Source.FIRST_USE if self.address:
                sentence = _(
                    "The keys are those that %(address)s shows, taken on this first meeting and "
                    "kept from now on. Compare the root key with what its operator tells you."
                )
            case Source.FIRST_USE:
                sentence = _(
                    "The keys came with the download, and you chose to believe them this once."
                )
            case Source.NOBODY:
                sentence = _(
                    "Nobody vouched for these keys: they came with the download, so anybody may "
                    "have made all of it. Get the site's trusted_root.json another way and give it "
                    "with --trust."
                )
        return filled(sentence, **words)


def ask_nobody(version: int) -> bytes:
    """Stand where an earlier version of a trusted root would be fetched: NotVouchedError."""
    sentence = _("Version %(version)s of the trusted root is not at hand.")
    raise NotVouchedError(sentence, version=version)


def require_kin(trust: Trust, trusted_root: bytes) -> None:
    """Require that a trusted root is of the same site: the same, a later or an earlier version.

    A later one must be signed by the root key in use. An earlier one may have been signed by a key
    that was lost since, so what it names must stand in the later one, too. NotVouchedError.
    """
    other = read_trusted_root(trusted_root)
    if other.version >= trust.version or other.origin != trust.origin:
        follow(trust, trusted_root, ask_nobody)
    elif not _names(other) <= _names(trust):
        raise NotVouchedError(_("It names keys that the later one does not know."))


def _names(trust: Trust) -> set[str]:
    keys = (*trust.manifest_keys, *trust.status_keys, *trust.root_keys)
    return {log.verifier for log in trust.log_keys} | {trusted.key.keyid for trusted in keys}
