"""Status lists: drawn places, changes that are published and logged, and nothing valid again."""

from datetime import UTC, datetime, timedelta

import pytest
from commonhold import statuschange, statuslist
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notary import keys, status, tasks
from notary.models import LogEntry, Statement, StatusChange, StatusList, StatusState
from tests.notary.lists import EXPIRED, NARROWED, WITHDRAWN, draw, read, said

pytestmark = pytest.mark.django_db


def test_places_are_drawn_in_turn_for_each_name(settings):
    settings.SITE_URL = "https://data.example"
    first, second = status.place(name="thing"), status.place(name="thing")
    other = status.place(name="other")
    assert second.index == first.index + 1
    assert first.position == first.index % statuslist.SIZE
    assert first.uri == f"https://data.example/status/thing/{first.index >> 17}"
    assert other.uri.startswith("https://data.example/status/other/")
    assert status.place_of(name="thing", index=first.index) == first
    found = status.places_of(name="thing", indexes=[first.index, second.index])
    assert found == {first.index: first, second.index: second}


def test_a_full_list_is_followed_by_the_next_under_the_address_of_then(settings):
    settings.SITE_URL = "https://old.example"
    status.place(name="full")
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('notary_status_full', %s)", [statuslist.SIZE - 2])
    last = status.place(name="full")
    settings.SITE_URL = "https://new.example"
    first = status.place(name="full")
    assert (last.index, last.position) == (131_071, 131_071)
    assert (first.index, first.position) == (131_072, 0)
    assert last.uri == "https://old.example/status/full/0"
    assert first.uri == "https://new.example/status/full/1"
    status.change(name="full", index=first.index, status=WITHDRAWN)
    assert status.publish() == 2
    assert (read("full", 0).status(0), read("full", 1).status(0)) == (0, WITHDRAWN)
    assert read("full", 0).uri == last.uri


def test_a_list_has_its_full_length_from_the_start():
    draw(1)
    assert len(read().data) * 4 == statuslist.SIZE == 131_072
    assert not any(read().data)
    with pytest.raises(statuslist.StatusListError):
        read().status(statuslist.SIZE)


def test_a_change_is_seen_once_it_is_published():
    kept, gone = draw(2)
    status.publish()
    status.change(name="thing", index=gone, status=WITHDRAWN)
    assert read().status(gone % statuslist.SIZE) == 0
    tasks.publish_status_task()
    assert read().status(gone % statuslist.SIZE) == WITHDRAWN
    assert read().status(kept % statuslist.SIZE) == 0


def test_a_change_that_no_worker_publishes_is_published_by_whoever_asks():
    early, late = draw(2)
    status.publish()
    now = timezone.now()
    status.change(name="thing", index=early, status=WITHDRAWN, at=now - timedelta(seconds=15))
    assert read().status(early % statuslist.SIZE) == 0
    status.change(name="thing", index=late, status=WITHDRAWN, at=now - timedelta(seconds=25))
    assert read().status(late % statuslist.SIZE) == WITHDRAWN
    assert read().status(early % statuslist.SIZE) == WITHDRAWN
    assert len(said()) == 2
    assert status.publish() == 0


def test_an_idle_system_signs_nothing(django_assert_num_queries):
    draw(3)
    assert status.publish() == 1  # a new list is told of, though nothing changed in it
    signed = StatusList.objects.get().token
    statements = Statement.objects.count()
    with django_assert_num_queries(1):
        assert status.publish() == 0
    assert StatusList.objects.get().token == signed
    assert Statement.objects.count() == statements


@pytest.mark.parametrize("before", [WITHDRAWN, EXPIRED, NARROWED])
@pytest.mark.parametrize("after", [WITHDRAWN, EXPIRED, NARROWED])
@pytest.mark.parametrize("together", [True, False])
def test_the_stronger_status_stands(before, after, together):
    (place,) = draw(1)
    for wanted in (before, after):
        purposes = ["a"] if wanted == NARROWED else []
        status.change(name="thing", index=place, status=wanted, purposes=purposes)
        if not together:
            status.publish()
    status.publish()
    strongest = next(one for one in (WITHDRAWN, EXPIRED, NARROWED) if one in (before, after))
    assert read().status(place % statuslist.SIZE) == strongest
    position = place % statuslist.SIZE
    expected = {position: ("a",)} if strongest == NARROWED else {}
    assert read().narrowed == expected
    assert not StatusChange.objects.filter(applied_in=None).exists()


def test_a_narrowed_place_names_all_purposes_that_were_ever_withdrawn():
    first, second = draw(2)
    status.change(name="thing", index=first, status=NARROWED, purposes=["b", "a"])
    status.publish()
    status.change(name="thing", index=first, status=NARROWED, purposes=["c", "a"])
    status.change(name="thing", index=second, status=NARROWED, purposes=["z"])
    status.publish()
    at = first % statuslist.SIZE
    assert read().narrowed == {at: ("a", "b", "c"), at + 1: ("z",)}
    status.change(name="thing", index=first, status=EXPIRED)
    status.publish()
    assert read().narrowed == {at + 1: ("z",)}
    assert said()[-2].changes[0].purposes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("changed", "purposes"), [(0, []), (4, []), (-1, []), (3, []), (1, ["a"]), (2, ["a"])]
)
def test_what_no_list_can_take_is_refused(changed, purposes):
    (place,) = draw(1)
    with pytest.raises(status.StatusInvalid):
        status.change(name="thing", index=place, status=changed, purposes=purposes)
    assert not StatusChange.objects.exists()


def test_a_list_that_there_is_not_is_a_refusal():
    for ask in (
        lambda: status.token(name="nothing", number=0),
        lambda: status.token_at(uri="https://elsewhere.example/status/thing/0"),
        lambda: status.place_of(name="nothing", index=0),
        lambda: status.change(name="nothing", index=0, status=WITHDRAWN),
        lambda: status.states(name="nothing", number=0),
    ):
        with pytest.raises(status.NoSuchList):
            ask()


def test_a_withdrawn_place_never_becomes_valid_again_whoever_writes():
    """Not even by hand: the database refuses."""
    places = draw(8)
    for at, wanted in zip(places[:3], (WITHDRAWN, EXPIRED, NARROWED), strict=True):
        purposes = ["a"] if wanted == NARROWED else []
        status.change(name="thing", index=at, status=wanted, purposes=purposes)
    status.publish()
    row = StatusList.objects.get()
    first = places[0] % statuslist.SIZE
    for at, becomes in ((0, 0), (0, 2), (0, 3), (1, 0), (2, 0)):
        data = bytearray(row.statuses)
        byte, shift = divmod((first + at) * 2, 8)
        data[byte] = data[byte] & ~(0b11 << shift) | becomes << shift
        with pytest.raises(IntegrityError, match="valid again"), transaction.atomic():
            StatusList.objects.update(statuses=bytes(data), sequence=row.sequence + 1)
    for at, becomes in ((1, 1), (2, 1), (3, 1), (3, 3)):
        data = bytearray(row.statuses)
        byte, shift = divmod((first + at) * 2, 8)
        data[byte] = data[byte] & ~(0b11 << shift) | becomes << shift
        with transaction.atomic():
            StatusList.objects.update(statuses=bytes(data), sequence=row.sequence + 1)
            transaction.set_rollback(True)


def test_the_database_keeps_lists_and_what_was_said_of_them():
    (place,) = draw(1)
    status.change(name="thing", index=place, status=WITHDRAWN)
    status.publish()
    row = StatusList.objects.get()
    flipped = bytes([row.statuses[0] ^ 0x80]) + bytes(row.statuses)[1:]
    for change in (
        {"uri": "https://elsewhere.example/0"},
        {"number": 7},
        {"statuses": flipped},
        {"sequence": 0},
        {"statuses": bytes(10), "sequence": 9},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            StatusList.objects.update(**change)
    for change in ({"status": 2}, {"applied_in": 2}, {"applied_in": None}, {"position": 3}):
        with pytest.raises(IntegrityError), transaction.atomic():
            StatusChange.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        StatusState.objects.update(sequence=9)
    for rows in (StatusState, StatusChange, StatusList):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.objects.all()._raw_delete(using="default")
    for wrong in ({"status": 0}, {"position": statuslist.SIZE}, {"purposes": ["a"]}):
        facts = {"status_list": row, "position": 1, "status": 1, "at": timezone.now()}
        with pytest.raises(IntegrityError), transaction.atomic():
            StatusChange.objects.create(**facts | wrong)


@given(
    rounds=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 11),
                st.sampled_from([WITHDRAWN, EXPIRED, NARROWED]),
                st.sets(st.sampled_from("abc"), min_size=1),
            ),
            max_size=6,
        ),
        max_size=4,
    )
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_agrees_with_a_dict_and_with_what_was_logged(rounds):
    name = f"round-{'abcdefghij'[StatusList.objects.count() % 10]}"
    places = draw(12, name)
    number = places[0] >> 17
    strength = {0: 0, NARROWED: 1, EXPIRED: 2, WITHDRAWN: 3}
    model: dict[int, int] = {}
    narrowed: dict[int, set[str]] = {}
    for changes in rounds:
        for at, wanted, purposes in changes:
            named = purposes if wanted == NARROWED else ()
            status.change(name=name, index=places[at], status=wanted, purposes=sorted(named))
            position = places[at] % statuslist.SIZE
            if strength[wanted] >= strength[model.get(position, 0)]:
                model[position] = wanted
                narrowed[position] = narrowed.get(position, set()) | set(named)
        status.publish()
    served = read(name, number)
    found = {at: served.status(at) for at in range(statuslist.SIZE) if served.status(at)}
    before = {at: one for at, one in found.items() if at not in model}
    assert {at: one for at, one in found.items() if at in model} == model
    assert not before.keys() & {place % statuslist.SIZE for place in places}
    still = {at: tuple(sorted(narrowed[at])) for at, one in model.items() if one == NARROWED}
    assert {at: named for at, named in served.narrowed.items() if at in model} == still
    replayed = statuschange.replay(said(name, number))
    assert bytes(replayed.data) == served.data
    assert replayed.narrowed == dict(served.narrowed)


def test_every_change_and_every_state_is_in_the_log_without_a_name():
    first, second = draw(2)
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    status.publish()
    status.change(name="thing", index=first, status=WITHDRAWN, at=at)
    status.change(name="thing", index=second, status=EXPIRED, at=at)
    status.publish()
    states = said()
    assert [state.sequence for state in states] == [1, 2]
    assert (states[0].changes, states[0].before) == ((), None)
    assert states[1].before == states[0].sha256
    assert [(one.position, one.status, one.at) for one in states[1].changes] == [
        (first % statuslist.SIZE, WITHDRAWN, at),
        (second % statuslist.SIZE, EXPIRED, at),
    ]
    assert {state.uri for state in states} == {read().uri}
    assert [one.index for one in status.states(name="thing", number=0)] == [0, 1]
    assert LogEntry.objects.integrated().count() == 2


def test_a_change_that_changes_nothing_leaves_no_leaf():
    (place,) = draw(1)
    status.change(name="thing", index=place, status=WITHDRAWN)
    status.publish()
    status.change(name="thing", index=place, status=EXPIRED)
    status.change(name="thing", index=place, status=WITHDRAWN)
    assert status.publish() == 0
    assert len(said()) == 1
    assert not StatusChange.objects.filter(applied_in=None).exists()


def test_many_changes_are_published_in_parts(monkeypatch):
    monkeypatch.setattr(status, "BATCH", 4)
    for place in draw(10):
        status.change(name="thing", index=place, status=WITHDRAWN)
    assert status.publish() == 3
    assert [len(state.changes) for state in said()] == [4, 4, 2]
    statuschange.replay(said())


def test_states_are_read_from_where_one_stopped():
    for place in draw(4):
        status.change(name="thing", index=place, status=WITHDRAWN)
        status.publish()
    assert [one.sequence for one in status.states(name="thing", number=0, after=2)] == [3, 4]
    some = status.states(name="thing", number=0, after=1, limit=2)
    assert [one.sequence for one in some] == [2, 3]


def test_a_token_is_signed_anew_when_it_is_ten_minutes_old(monkeypatch):
    draw(1)
    status.publish()
    first = status.token(name="thing", number=0)
    later = datetime.now(UTC) + timedelta(minutes=9)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert status.token(name="thing", number=0) == first
    later = datetime.now(UTC) + timedelta(minutes=11)
    monkeypatch.setattr(timezone, "now", lambda: later)
    second = status.token(name="thing", number=0)
    assert second != first
    assert read().issued == later.replace(microsecond=0)
    assert status.token(name="thing", number=0) == second
    assert len(said()) == 1


def test_a_token_is_as_the_draft_says_and_good_for_an_hour():
    (place,) = draw(1)
    found = read()
    assert found.expires - found.issued == timedelta(hours=1)
    assert found.uri == status.place_of(name="thing", index=place).uri
    assert found.keyid == keys.in_use("status").keyid


def test_a_list_keeps_its_address_when_the_site_moves(settings):
    (place,) = draw(1)
    uri = status.place_of(name="thing", index=place).uri
    settings.SITE_URL = "https://elsewhere.example"
    status.change(name="thing", index=place, status=WITHDRAWN)
    status.publish()
    assert read().uri == uri == status.place_of(name="thing", index=place).uri
    assert status.token_at(uri=uri) == status.token(name="thing", number=0)
    assert said()[-1].uri == uri
