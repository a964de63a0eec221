"""Status lists: what still stands, two bits for each place, without a name in it.

A list is named by whoever uses it. Places are drawn from one sequence for each name; 2^17 of them
make a list. A change is a row, written in the transaction of its cause; `publish` brings it into
the list, signs the list anew, and hands the log a statement of what changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commonhold import statuslist
from commonhold.errors import CommonholdError
from commonhold.statuschange import Change, Entries, ListState
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from notary import keys, locks, log, statements
from notary.models import StatusChange, StatusList, StatusState

LIST_BITS = 17
BATCH = 1000
FRESH = timedelta(minutes=10)
# A change that no worker has published by then is published by whoever asks for the list.
LATE = timedelta(seconds=20)


class NoSuchList(CommonholdError):
    """There is no status list of this name and number."""

    code = "no-such-status-list"
    status = 404


class StatusInvalid(CommonholdError):
    """A change that no list can take."""

    code = "status-invalid"
    status = 422


@dataclass(frozen=True)
class Place:
    """A place: its number among all of its name, the list's address, its position in the list."""

    index: int
    uri: str
    position: int


@dataclass(frozen=True)
class Logged:
    """A published state of a list: its number, what was signed, and where the log holds it."""

    sequence: int
    index: int
    envelope: dict[str, object]


def place(*, name: str) -> Place:
    """Draw a place that nobody had before, and make its list if it is the first there."""
    index = draw(name)
    number = index >> LIST_BITS
    if not StatusList.objects.filter(name=name, number=number).exists():
        uri = f"{settings.SITE_URL}/status/{name}/{number}"
        fresh = StatusList(name=name, number=number, uri=uri, statuses=statuslist.empty())
        StatusList.objects.bulk_create([fresh], ignore_conflicts=True)
    return place_of(name=name, index=index)


def draw(name: str) -> int:
    """Return the next number of a name's sequence, which is made when it is first asked for."""
    sequence = f"notary_status_{name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(to_regclass(%s))", [f'"{sequence}"'])
        (index,) = cursor.fetchone()
        if index is None:
            with transaction.atomic():
                locks.hold(locks.Lock.SEQUENCES)
                named = connection.ops.quote_name(sequence)
                cursor.execute(f"CREATE SEQUENCE IF NOT EXISTS {named} MINVALUE 0")
            cursor.execute("SELECT nextval(to_regclass(%s))", [f'"{sequence}"'])
            (index,) = cursor.fetchone()
    return int(index)


def place_of(*, name: str, index: int) -> Place:
    """Return where an index has its place, or NoSuchList."""
    return places_of(name=name, indexes=[index])[index]


def places_of(*, name: str, indexes: Iterable[int]) -> dict[int, Place]:
    """Return where several indexes have their places, or NoSuchList."""
    wanted = set(indexes)
    numbers = {index >> LIST_BITS for index in wanted}
    uris = dict(
        StatusList.objects.filter(name=name, number__in=numbers).values_list("number", "uri")
    )
    for number in numbers - uris.keys():
        raise no_such_list(name, number)
    return {
        index: Place(index, uris[index >> LIST_BITS], index % statuslist.SIZE) for index in wanted
    }


def no_such_list(name: str, number: int) -> NoSuchList:
    """Return the refusal."""
    return NoSuchList(f"There is no status list {name}/{number}.")


def change(
    *,
    name: str,
    index: int,
    status: int,
    at: datetime | None = None,
    purposes: Sequence[str] = (),
) -> None:
    """Change a place, in the caller's transaction and without a lock; `publish` makes it public.

    1 withdrawn or revoked, for good; 2 expired; 3 narrowed, with all `purposes` that are withdrawn
    so far. A weaker status never replaces a stronger one, and nothing becomes valid again. Raises
    StatusInvalid, NoSuchList.
    """
    if status not in {statuslist.WITHDRAWN, statuslist.EXPIRED, statuslist.NARROWED}:
        message = f"A place can't be made {status}: nothing becomes valid again."
        raise StatusInvalid(message)
    if bool(purposes) != (status == statuslist.NARROWED):
        message = "A narrowed place names the purposes that are withdrawn, and no other does."
        raise StatusInvalid(message)
    found = find(name=name, number=index >> LIST_BITS)
    StatusChange.objects.create(
        status_list=found,
        position=index % statuslist.SIZE,
        status=status,
        purposes=sorted(set(purposes)),
        at=at or timezone.now(),
    )


def find(*, name: str, number: int) -> StatusList:
    """Return a list without what it holds, or NoSuchList."""
    found = StatusList.objects.filter(name=name, number=number).defer("statuses", "narrowed")
    if (one := found.first()) is None:
        raise no_such_list(name, number)
    return one


def publish() -> int:
    """Publish every list that changed, or that is new; return how many states were published."""
    count = 0
    while due := list(StatusList.objects.due().values_list("pk", flat=True)):
        count += sum(publish_one(pk) for pk in due)
    return count


@transaction.atomic
def publish_one(pk: int) -> bool:
    """Bring up to 1000 changes into a list, sign it, and hand the log a statement about it.

    Returns whether anything is different now.
    """
    found = StatusList.objects.select_for_update(no_key=True).get(pk=pk)
    pending = list(found.changes.filter(applied_in__isnull=True).order_by("pk")[:BATCH])
    entries = entries_of(found)
    before = entries.sha256 if found.sequence else None
    wanted = (Change(row.position, row.status, row.at, tuple(row.purposes)) for row in pending)
    done = tuple(effect for one in wanted if (effect := entries.apply(one)) is not None)
    is_new_state = bool(done) or found.sequence == 0
    if is_new_state:
        found.sequence += 1
        now = timezone.now()
        state = ListState(
            uri=found.uri,
            sequence=found.sequence,
            time=now,
            sha256=entries.sha256,
            narrowed=entries.narrowed_sha256,
            before=before,
            changes=done,
        )
        statement = statements.issue(payload=state.encode())
        StatusState.objects.create(status_list=found, sequence=found.sequence, statement=statement)
        found.statuses, found.changed_at = bytes(entries.data), now
        found.narrowed = statuslist.narrowed_claim(entries.narrowed)
        sign(found)
        found.save()
    StatusChange.objects.filter(pk__in=[row.pk for row in pending]).update(
        applied_in=found.sequence
    )
    return is_new_state


def entries_of(found: StatusList) -> Entries:
    """Return what a list holds as it was last published."""
    narrowed = {int(at): tuple(named) for at, named in found.narrowed.items()}
    return Entries(bytearray(found.statuses), narrowed)


def sign(found: StatusList) -> None:
    """Sign a list as it is."""
    issued = timezone.now()
    found.token = statuslist.build_status_list(
        data=bytes(found.statuses),
        uri=found.uri,
        signer=keys.signer(keys.Purpose.STATUS),
        issued=issued,
        narrowed={int(at): named for at, named in found.narrowed.items()},
    )
    found.signed_at = issued


def token(*, name: str, number: int) -> bytes:
    """Return a list as it was published, signed less than ten minutes ago, or NoSuchList.

    Nothing that happened over twenty seconds ago is missing, also while no worker is free.
    """
    return fresh_token(find(name=name, number=number))


def token_at(*, uri: str) -> bytes:
    """Return the list that has an address, wherever the site is now; NoSuchList for another's."""
    found = StatusList.objects.filter(uri=uri).defer("statuses", "narrowed").first()
    if found is None:
        message = f"The status list {uri} is not kept here, so the latest state can't be asked."
        raise NoSuchList(message)
    return fresh_token(found)


def fresh_token(found: StatusList) -> bytes:
    """Return a list's token, with what is late, signed anew if it is older than ten minutes."""
    late = found.changes.filter(applied_in__isnull=True, at__lt=timezone.now() - LATE)
    if late.exists():
        publish_one(found.pk)
        found.refresh_from_db(fields=["token", "signed_at"])
    if not found.token_is_younger_than(FRESH):
        with transaction.atomic():
            found = StatusList.objects.select_for_update(no_key=True).get(pk=found.pk)
            if not found.token_is_younger_than(FRESH):
                sign(found)
                found.save(update_fields=["token", "signed_at"])
    return found.token.encode()


def states(*, name: str, number: int, after: int = 0, limit: int = 100) -> list[Logged]:
    """Return the published states of a list after a sequence number, oldest first, as logged.

    Integrates the log if need be, so not inside a transaction. Raises NoSuchList.
    """
    found = find(name=name, number=number)
    rows = found.states.filter(sequence__gt=after).order_by("sequence")[:limit]
    read = list(rows.select_related("statement__entry"))
    if any(row.statement.entry.index is None for row in read):
        log.integrate()
        read = list(rows.select_related("statement__entry"))
    return [
        Logged(row.sequence, row.statement.entry.index, row.statement.envelope)
        for row in read
        if row.statement.entry.index is not None
    ]


def lists() -> list[StatusList]:
    """Return every published list, without what it holds."""
    found = StatusList.objects.filter(sequence__gt=0).order_by("name", "number")
    return list(found.defer("statuses", "narrowed", "token"))
