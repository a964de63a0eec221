"""The record of who did what: one row for each transition, in the transaction of its act."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db.models import Model, QuerySet

from accounts.models import AuditEntry, User


@dataclass(frozen=True)
class Request:
    """What is known of the request or task in which things are done."""

    id: str = ""
    key: str = ""
    """Name of the API key that was used, if one was."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts and is no user: the site itself, or a speaker by their own link."""

    name: str


SITE = Actor("the site")
NOWHERE = Request()
_request: ContextVar[Request] = ContextVar("commonhold_request", default=NOWHERE)


@contextmanager
def during(request: Request) -> Iterator[None]:
    """Note the request in whatever is written down in the block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def with_key(name: str) -> None:
    """Note that the current request came with an API key of this name."""
    _request.set(Request(id=_request.get().id, key=name))


def note(*, by: User | Actor, verb: str, about: tuple[Model, ...], **copies: object) -> AuditEntry:
    """Write down that somebody did something, in the caller's transaction.

    `about` is what it touched, the smallest thing first; `copies` what to tell of it later
    (JSON values; pseudonyms, never names of speakers).
    """
    request = _request.get()
    return AuditEntry.objects.create(
        actor=name_of(by),
        actor_id=by.pk if isinstance(by, User) else None,
        verb=verb,
        about=[place(thing) for thing in about],
        copies=copies,
        request_id=request.id,
    )


def name_of(by: User | Actor) -> str:
    """Return who acts, as the history tells it."""
    if isinstance(by, Actor):
        return by.name
    key = _request.get().key
    return f"{by.email} with the key «{key}»" if key else by.email


def place(thing: Model) -> str:
    """Return a row as `kind:id`."""
    return f"{thing._meta.model_name}:{thing.pk}"


def history(*, of: Model) -> QuerySet[AuditEntry]:
    """Return what was done to a thing, and to what belongs to it, the newest first."""
    return AuditEntry.objects.filter(about__contains=[place(of)])
