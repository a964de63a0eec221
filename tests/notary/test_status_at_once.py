"""Status lists with many who draw, change and publish at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from commonhold import statuschange, statuslist
from django.db import connection, transaction

from notary import log, status
from notary.models import StatusList
from tests.notary.lists import WITHDRAWN, draw, read, said


@pytest.mark.django_db(transaction=True)
def test_many_changes_at_once_all_arrive_and_agree_with_the_log():
    """Withdrawals never wait for a publication, and whoever publishes loses none."""
    places = draw(60)
    done = threading.Event()

    def withdraw(some: list[int]) -> list[int]:
        try:
            for number, place in enumerate(some):
                with transaction.atomic():
                    status.change(name="thing", index=place, status=WITHDRAWN)
                    transaction.set_rollback(number % 4 == 3)
            return [place for number, place in enumerate(some) if number % 4 != 3]
        finally:
            connection.close()

    def publish(_: int) -> None:
        try:
            while not done.is_set():
                status.publish()
                read()
        finally:
            connection.close()

    with ThreadPoolExecutor(7) as pool:
        publishers = [pool.submit(publish, number) for number in range(3)]
        try:
            parts = [places[at : at + 15] for at in range(0, 60, 15)]
            gone = {place for some in pool.map(withdraw, parts) for place in some}
        finally:
            done.set()
        for one in publishers:
            one.result()
    status.publish()
    served = read()
    assert {place for place in places if served.status(place % statuslist.SIZE)} == gone
    assert bytes(statuschange.replay(said()).data) == served.data
    assert log.size_now() == len(said())


@pytest.mark.django_db(transaction=True)
def test_all_who_draw_at_once_get_places_of_their_own():
    def ask(_: int) -> status.Place:
        try:
            return status.place(name="crowd")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(24)))
    assert len({place.index for place in found}) == 24
    assert StatusList.objects.filter(name="crowd").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_under_way_does_not_hold_up_a_publication():
    first, second = draw(2)
    status.change(name="thing", index=first, status=WITHDRAWN)

    def publish() -> int:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            return status.publish()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        status.change(name="thing", index=second, status=WITHDRAWN)
        assert pool.submit(publish).result() == 1
    assert status.publish() == 1
    assert [read().status(at % statuslist.SIZE) for at in (first, second)] == [1, 1]
