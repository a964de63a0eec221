"""The record of who did what: one row for each transition, in the transaction of its act."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from accounts import requests, security
from accounts.models import AuditEntry, User


@dataclass(frozen=True)
class Actor:
    """Somebody who acts and is no user: the site itself, or a speaker by their own link."""

    name: str


SITE = Actor("the site")
VISITOR = Actor("a visitor")


def note(*, by: User | Actor, verb: str, about: tuple[Model, ...], **copies: object) -> AuditEntry:
    """Write down that somebody did something, in the caller's transaction.

    `about` is what it touched, the smallest thing first; `copies` what to tell of it later
    (JSON values; pseudonyms, never names of speakers). What the security log knows leaves a line
    there, once it is committed.
    """
    entry = AuditEntry.objects.create(
        actor=name_of(by),
        actor_id=by.pk if isinstance(by, User) else None,
        verb=verb,
        about=[place(thing) for thing in about],
        copies=copies,
        request_id=requests.current().id,
    )
    if verb in security.EVENTS:
        transaction.on_commit(partial(security.tell, verb, **facts_of(entry)))
    return entry


def note_seldom(*, verb: str, who: str, by: User | Actor, **copies: object) -> None:
    """Write down what can be done by the thousand: the first in a minute by the same `who`.

    Of those that follow some leave a line (`security.due`), and none a row.
    """
    times = security.due(verb, who=who)
    about = (by,) if isinstance(by, User) else ()
    if times == 1:
        note(by=by, verb=verb, about=about, **copies)
    elif times:
        security.tell(verb, by=by.pk if isinstance(by, User) else None, times=times, **copies)


def facts_of(entry: AuditEntry) -> dict[str, Any]:
    """Return what a line may say of an entry: who did it, and ids by kind, beside the copies."""
    things = (thing.partition(":") for thing in entry.about)
    ids = {kind: int(number) if number.isdecimal() else number for kind, _, number in things}
    return {**entry.copies, **ids, "by": entry.actor_id}


def name_of(by: User | Actor) -> str:
    """Return who acts, as the history tells it."""
    if isinstance(by, Actor):
        return by.name
    key = requests.current().key
    return f"{by.email} with the key «{key}»" if key else by.email


def place(thing: Model) -> str:
    """Return a row as `kind:id`."""
    return f"{thing._meta.model_name}:{thing.pk}"


def history(*, of: Model) -> QuerySet[AuditEntry]:
    """Return what was done to a thing, and to what belongs to it, the newest first."""
    return AuditEntry.objects.filter(about__contains=[place(of)])
