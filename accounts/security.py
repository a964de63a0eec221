"""The security log: a fixed table of events, each of which leaves one line.

A line names people and things by id. What a table's row does not list never gets into it: no
address, name, secret or word that somebody said (docs/guides/operator.md, “What is logged”).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from logging import ERROR, INFO, WARNING

from django.core.cache import caches
from django.utils import timezone
from django.utils.crypto import salted_hmac

WINDOW = 60
"""Seconds in which what is repeated is counted instead of told."""
WHO = ("by", "user", "organization", "invitation", "recording", "pipelinerun")
"""Facts that any event may have: ids."""
log = logging.getLogger("commonhold.security")


@dataclass(frozen=True)
class Event:
    """How grave an event is, and what its line says beside who and where."""

    level: int
    facts: tuple[str, ...] = ()


REFUSED = ("code", "status", "view", "method", "times")
EVENTS: Mapping[str, Event] = {
    "session.began": Event(INFO, ("method",)),
    "session.refused": Event(WARNING, ("account", "method", "times")),
    "session.ended": Event(INFO, ("why",)),
    "password.changed": Event(INFO),
    "password.reset": Event(INFO),
    "factor.added": Event(INFO, ("kind",)),
    "factor.removed": Event(WARNING, ("kind",)),
    "user.joined": Event(INFO),
    "user.displaced": Event(WARNING),
    "address.confirmed": Event(INFO),
    "address.changed": Event(INFO),
    "address.removed": Event(INFO),
    "organization.created": Event(INFO),
    "invitation.sent": Event(INFO, ("role",)),
    "invitation.withdrawn": Event(INFO, ("role",)),
    "invitation.accepted": Event(INFO, ("role",)),
    "member.joined": Event(INFO, ("role",)),
    "member.role": Event(INFO, ("role",)),
    "member.left": Event(INFO),
    "member.removed": Event(INFO),
    "key.made": Event(INFO, ("prefix", "scopes")),
    "key.revoked": Event(INFO, ("prefix",)),
    "key.refused": Event(WARNING, REFUSED),
    "access.refused": Event(WARNING, REFUSED),
    "access.missed": Event(INFO, REFUSED),
    "link.refused": Event(WARNING, REFUSED),
    "request.refused": Event(WARNING, REFUSED),
    "limit.reached": Event(WARNING, (*REFUSED, "kind")),
    "step.killed": Event(WARNING, ("step", "exit_code", "code")),
    "bytes.damaged": Event(ERROR, ("sha256", "fault")),
}
"""Name → how grave, and which facts. What the notary does it tells itself, by the same form."""


def tell(event: str, **facts: object) -> None:
    """Write the line of an event now. Facts that the table does not list are left out."""
    kind = EVENTS[event]
    told = {name: facts[name] for name in (*WHO, *kind.facts) if facts.get(name) is not None}
    log.log(kind.level, event, extra={"event": event, "facts": told})


def tell_seldom(event: str, *, who: str, **facts: object) -> None:
    """Write the line of what can be done by the thousand, as `due` says."""
    if times := due(event, who=who):
        tell(event, times=times if times > 1 else None, **facts)


def due(event: str, *, who: str) -> int:
    """Count an event; return how often it was in its window if that is to be told, else 0.

    The first is told at once, then the tenth, the hundredth …: nobody fills the log, and how much
    there was can be read from it. Counted in each process, as it must cost nothing.
    """
    cache, key = caches["told"], f"{event}:{who}"
    if cache.add(key, 1, timeout=WINDOW):
        return 1
    try:
        times = int(cache.incr(key))
    except ValueError:  # the window ended this moment
        return 1
    return times if str(times).strip("0") == "1" else 0


def pseudonym(text: str) -> str:
    """Return what stands for an address in lines: the same for a day, and by no table to undo.

    Keyed by SECRET_KEY and the day (UTC), 48 bits.
    """
    day = timezone.now().date().isoformat()
    keyed = salted_hmac("commonhold.security", f"{day}\n{text}", algorithm="sha256")
    return str(keyed.hexdigest()[:12])
